import type { Api } from '../wire/index.ts'

export interface SaslHandshakeResponse { readonly errorCode: number, readonly mechanisms: readonly string[] }
export interface SaslAuthenticateResponse {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly message: Buffer
  /** How long the broker lets the connection live before it must authenticate again (KIP-368); 0 for ever. */
  readonly sessionLifetimeMs: number
}

const NEVER = 0x7fff

export const saslHandshake: Api<{ readonly mechanism: string }, SaslHandshakeResponse> = {
  name: 'SaslHandshake', key: 17, minVersion: 1, maxVersion: 1, flexibleFrom: NEVER,
  encode (writer, { mechanism }) { writer.string(mechanism) },
  decode (reader) { return { errorCode: reader.int16(), mechanisms: reader.array(() => reader.string() ?? '') } },
}

export const saslAuthenticate: Api<{ readonly message: Buffer }, SaslAuthenticateResponse> = {
  name: 'SaslAuthenticate', key: 36, minVersion: 2, maxVersion: 2, flexibleFrom: 2,
  encode (writer, { message }) { writer.compactBytes(message).tags() },
  decode (reader) {
    const answer = { errorCode: reader.int16(), errorMessage: reader.compactString(), message: reader.compactBytes() ?? Buffer.alloc(0), sessionLifetimeMs: reader.int64() }
    reader.tags()
    return answer
  },
}
