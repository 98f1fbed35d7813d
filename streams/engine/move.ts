import type { ArrivalTimeMs } from '../time/index.ts'

/** What a key held, on its way to the key that it was merged into. */
export interface Transfer {
  readonly from: string
  readonly to: string
  /** Every key that it has passed, so that merges which point at each other end. */
  readonly via: readonly string[]
  /** Of the codec that wrote `state`. */
  readonly version: number
  readonly state: Buffer
}

/** Something for another key's partition: a state, or the record itself under the key that it now belongs to. */
export type Move =
  | { readonly kind: 'transfer', readonly transfer: Transfer, readonly offset: number, readonly at: ArrivalTimeMs }
  | { readonly kind: 'forward', readonly to: string, readonly offset: number, readonly at: ArrivalTimeMs }
