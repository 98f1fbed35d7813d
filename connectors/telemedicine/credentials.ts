import { createHash } from 'node:crypto'
import type { DeviceTokens } from './device-tokens.ts'
import { isDeviceToken } from './device-tokens.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Scope } from './options.ts'

/** For whom a credential may write: for one patient, or for every patient of an authority, whom each request names. */
export type Writes =
  | { readonly kind: 'patient', readonly id: string, readonly authority: string }
  | { readonly kind: 'clinic', readonly authority: string }

/** Who sends, as a credential says. */
export interface Principal {
  /** The same for each token of the same person, device or clinic; a hash, since it may be made of a patient's identifier. */
  readonly id: string
  readonly scopes: ReadonlySet<Scope>
  readonly writes: Writes
}

export type Authentication =
  | { readonly kind: 'known', readonly principal: Principal }
  /** `why` is one of a closed set: it is counted. */
  | { readonly kind: 'refused', readonly why: RefusedToken }
  /** The issuer's keys cannot be read: nobody knows yet. */
  | { readonly kind: 'unavailable' }

export type RefusedToken = 'missing' | 'unreadable' | 'unknown' | 'signature' | 'expired' | 'issuer' | 'audience' | 'claims' | 'revoked'

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

export function hashOf (...parts: readonly string[]): string { return createHash('sha256').update(JSON.stringify(parts)).digest('hex') }
