import { readFileSync } from 'node:fs'
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { CdsHooksLimits, CdsHooksOptions } from './options.ts'

/** Signatures by a key pair only (CDS Hooks 2.0, "Trusting CDS Clients"): a shared secret or none cannot say who signed. */
const ALGORITHMS = ['ES384', 'RS384', 'ES256', 'RS256', 'ES512', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA']

/** `keys-away`: the client's key set cannot be had now; it may call again. The others are for ever. */
export type Trust = { readonly kind: 'trusted', readonly client: string } | { readonly kind: 'refused', readonly why: RefusedToken }
export type RefusedToken = 'token-missing' | 'token-malformed' | 'client-unknown' | 'signature' | 'audience' | 'expired' | 'claims' | 'replayed' | 'keys-away'

/**
 * Whether a request comes from an EHR that may call. Its JWT must be signed by a key of the set that is configured for its issuer (a `jku` header is not
 * followed), name this endpoint as audience, live for no more than five minutes, and come once.
 */
export class Trusting {
  readonly #keys = new Map<string, JWTVerifyGetKey>()
  readonly #used = new Map<string, number>()
  readonly #clock: Clock
  readonly #limits: CdsHooksLimits

  /** Throws FILE_UNREADABLE, FILE_INVALID. */
  constructor (clients: CdsHooksOptions['clients'], clock: Clock, limits: CdsHooksLimits) {
    this.#clock = clock
    this.#limits = limits
    for (const { issuer, jwks } of clients) this.#keys.set(issuer, 'url' in jwks ? createRemoteJWKSet(new URL(jwks.url), { timeoutDuration: limits.jwksMsMax }) : localKeys(jwks.file))
  }

  /** No client is configured: whoever calls is answered. */
  get open (): boolean { return this.#keys.size === 0 }

  async check (authorization: string | undefined, audience: string): Promise<Trust> {
    if (this.open) return { kind: 'trusted', client: '' }
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return refused(authorization === undefined ? 'token-missing' : 'token-malformed')
    try {
      return await this.#verify(token, audience)
    } catch (e) {
      return refused(whyOf(e))
    }
  }

  async #verify (token: string, audience: string): Promise<Trust> {
    const issuer = decodeJwt(token).iss ?? ''
    const keys = this.#keys.get(issuer)
    if (keys === undefined) return refused('client-unknown')
    const now = this.#clock.now()
    const { payload } = await jwtVerify(token, keys, {
      issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti'], currentDate: new Date(now), clockTolerance: this.#limits.skewMs / 1_000,
    })
    const { exp = 0, iat = 0, jti = '' } = payload
    if ((exp - iat) * 1_000 > this.#limits.tokenMsMax || jti === '' || jti.length > 256 || iat * 1_000 > now + this.#limits.skewMs) return refused('claims')
    if (!this.#first(`${issuer}|${jti}`, exp * 1_000 + this.#limits.skewMs, now)) return refused('replayed')
    return { kind: 'trusted', client: issuer }
  }

  /** Remembered until the token would be refused anyhow; beyond the limit the oldest are forgotten. */
  #first (id: string, until: number, now: number): boolean {
    for (const [old, ends] of this.#used) {
      if (ends > now && this.#used.size < this.#limits.tokensKeptMax) break
      this.#used.delete(old)
    }
    if (this.#used.has(id)) return false
    this.#used.set(id, until)
    return true
  }
}

function refused (why: RefusedToken): Trust { return { kind: 'refused', why } }

function whyOf (e: unknown): RefusedToken {
  if (e instanceof errors.JWTExpired) return 'expired'
  if (e instanceof errors.JWTClaimValidationFailed) return e.claim === 'aud' ? 'audience' : 'claims'
  if (e instanceof errors.JWTInvalid || e instanceof errors.JWSInvalid) return 'token-malformed'
  if (e instanceof errors.JWSSignatureVerificationFailed || e instanceof errors.JWKSNoMatchingKey || e instanceof errors.JWKSMultipleMatchingKeys || e instanceof errors.JOSEAlgNotAllowed || e instanceof errors.JOSENotSupported) return 'signature'
  return 'keys-away'
}

function localKeys (file: string): JWTVerifyGetKey {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    throw new LatidoError('FILE_UNREADABLE', `a key set of a CDS Hooks client cannot be read (${(e as NodeJS.ErrnoException).code ?? messageOf(e)})`, 'check the file in `clients.jwks` and its permissions')
  }
  try {
    return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet)
  } catch {
    throw new LatidoError('FILE_INVALID', 'a key set of a CDS Hooks client is no JSON Web Key Set', 'write the client\'s public keys into it: {"keys": [...]} (RFC 7517)')
  }
}
