import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { LatidoError } from '../../streams/errors/index.ts'
import type { MqttCredentials } from './options.ts'

/** True where only this machine can connect. */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Throws UNSAFE_EXPOSURE where the network could write into patients' records without a password. */
export function refuseOpenExposure (host: string, credentials: MqttCredentials | undefined): void {
  if (isLoopback(host) || (credentials !== undefined && credentials.username !== '' && credentials.password !== '')) return
  throw new LatidoError('UNSAFE_EXPOSURE', `the MQTT endpoint would listen on ${host} without credentials`, 'set a user name and a password for MQTT, or listen on 127.0.0.1')
}

/** Compares in constant time, whatever the lengths. */
export function credentialsMatch (expected: MqttCredentials, username: string | undefined, password: Buffer | undefined): boolean {
  const user = timingSafeEqual(digest(expected.username), digest(username ?? ''))
  const pass = timingSafeEqual(digest(expected.password), digest(password ?? ''))
  return user && pass
}

function digest (text: string | Buffer): Buffer { return createHash('sha256').update(text).digest() }
