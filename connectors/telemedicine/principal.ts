import { createHash } from 'node:crypto'
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

export function hashOf (...parts: readonly string[]): string { return createHash('sha256').update(JSON.stringify(parts)).digest('hex') }
