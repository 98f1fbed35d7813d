import { LatidoError } from '../../../../errors/index.ts'

/** Sends one message of a mechanism, and answers the broker's. Throws when the broker refuses. */
export type Exchange = (message: Buffer) => Promise<Buffer>

export interface Mechanism {
  /** As registered with IANA: `SCRAM-SHA-256`. */
  readonly name: string
  run (exchange: Exchange): Promise<void>
}

/** `why`: never a secret. */
export function refused (why: string, action: string = 'check the user, the password or token, and when it expires', cause?: unknown): LatidoError {
  return new LatidoError('BROKER_AUTHENTICATION_FAILED', why, action, cause)
}
