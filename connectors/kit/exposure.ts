import { isIP } from 'node:net'
import { LatidoError } from '../../streams/errors/index.ts'

/** True where only this machine can connect. */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))
}

export interface Exposure {
  readonly host: string
  /** `the MQTT endpoint`, `the HL7 feed`. */
  readonly what: string
  /** True where whoever connects must prove who it is. */
  readonly guarded: boolean
  /** What is missing: `without credentials`. */
  readonly without: string
  readonly action: string
}

/** Throws UNSAFE_EXPOSURE where anybody on the network could write into patients' records. */
export function refuseOpenExposure ({ host, what, guarded, without, action }: Exposure): void {
  if (isLoopback(host) || guarded) return
  throw new LatidoError('UNSAFE_EXPOSURE', `${what} would listen on ${host} ${without}`, `${action}, or listen on 127.0.0.1`)
}
