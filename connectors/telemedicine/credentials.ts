import type { DeviceTokens } from './device-tokens.ts'
import { isDeviceToken } from './device-tokens.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Authentication } from './principal.ts'

const TOKEN_CHARACTERS_MAX = 8_192

/** The two kinds of bearer tokens (RFC 6750): OAuth 2 access tokens of an issuer, and device tokens of our own file. */
export class Credentials {
  readonly #access: AccessTokens | undefined
  readonly #devices: DeviceTokens | undefined

  constructor (access: AccessTokens | undefined, devices: DeviceTokens | undefined) {
    this.#access = access
    this.#devices = devices
  }

  async authenticate (authorization: string | undefined): Promise<Authentication> {
    const token = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return { kind: 'refused', why: authorization === undefined ? 'missing' : 'unreadable' }
    if (token.length > TOKEN_CHARACTERS_MAX) return { kind: 'refused', why: 'unreadable' }
    if (isDeviceToken(token)) return this.#devices?.authenticate(token) ?? { kind: 'refused', why: 'unknown' }
    return await this.#access?.authenticate(token) ?? { kind: 'refused', why: 'unknown' }
  }
}
