import { errors, jwtVerify, type JWTPayload } from 'jose'
import type { Clock } from '../../streams/time/index.ts'
import { hashOf, type Authentication, type RefusedToken, type Writes } from './principal.ts'
import { KeysUnavailable, type KeySet } from './key-set.ts'
import { SCOPES, type OAuthOptions, type Scope } from './options.ts'

const IDENTIFIER_CHARACTERS_MAX = 256

/** OAuth 2 access tokens as JWT (RFC 9068), verified against the issuer's keys: signature, issuer, audience, times, scopes, and whom they may write for. */
export class AccessTokens {
  readonly #options: OAuthOptions
  readonly #keys: KeySet
  readonly #clock: Clock

  constructor (options: OAuthOptions, keys: KeySet, clock: Clock) {
    this.#options = options
    this.#keys = keys
    this.#clock = clock
  }

  async authenticate (token: string): Promise<Authentication> {
    const { issuer, audience, algorithms, tokenType, clockToleranceMs } = this.#options
    try {
      const { payload } = await jwtVerify(token, (header, jws) => this.#keys.keyFor(header, jws), {
        issuer, audience, algorithms: [...algorithms], requiredClaims: ['exp', 'sub'], clockTolerance: clockToleranceMs / 1_000,
        currentDate: new Date(this.#clock.now()), ...tokenType === undefined ? {} : { typ: tokenType },
      })
      return this.#principalOf(payload)
    } catch (e) {
      return e instanceof KeysUnavailable ? { kind: 'unavailable' } : { kind: 'refused', why: whyOf(e) }
    }
  }

  #principalOf (payload: JWTPayload): Authentication {
    const writes = this.#writesOf(payload)
    if (writes === undefined) return { kind: 'refused', why: 'claims' }
    const subject = writes.kind === 'patient' ? writes.id : String(payload[this.#options.clinicClaim])
    return { kind: 'known', principal: { id: hashOf('oauth', this.#options.issuer, writes.kind, subject), scopes: scopesOf(payload), writes } }
  }

  /**
   * A clinic where the client is listed as one, else the patient of the claim. The `sub` of a token that a client got for itself is the client (RFC 9068, 2.2),
   * and a client is not a patient.
   */
  #writesOf (payload: JWTPayload): Writes | undefined {
    const { clinicClaim, clinics, patientClaim, authority } = this.#options
    const client = payload[clinicClaim]
    if (typeof client === 'string' && Object.hasOwn(clinics, client)) return { kind: 'clinic', authority: clinics[client] ?? '' }
    const id = payload[patientClaim]
    if (typeof id !== 'string' || id === '' || id.length > IDENTIFIER_CHARACTERS_MAX) return undefined
    if (patientClaim === 'sub' && (id === payload['client_id'] || id === payload['azp'])) return undefined
    return { kind: 'patient', id, authority }
  }
}

/** `scope` as RFC 8693 has it, or the list `scp` that some issuers write. */
function scopesOf (payload: JWTPayload): ReadonlySet<Scope> {
  const said: unknown = payload['scope'] ?? payload['scp']
  const words: readonly unknown[] = typeof said === 'string' ? said.split(' ') : Array.isArray(said) ? said : []
  return new Set(SCOPES.filter(scope => words.includes(scope)))
}

function whyOf (e: unknown): RefusedToken {
  if (e instanceof errors.JWTExpired) return 'expired'
  if (e instanceof errors.JWTClaimValidationFailed) return e.claim === 'iss' ? 'issuer' : e.claim === 'aud' ? 'audience' : 'claims'
  if (e instanceof errors.JWSSignatureVerificationFailed || e instanceof errors.JWKSNoMatchingKey || e instanceof errors.JWKSMultipleMatchingKeys || e instanceof errors.JOSEAlgNotAllowed) return 'signature'
  return 'unreadable'
}
