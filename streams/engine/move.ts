import type { ArrivalTimeMs } from '../time/index.ts'

/** A merge that a transfer has followed: of `key`, said at `at`. */
export interface Hop { readonly key: string, readonly at: ArrivalTimeMs }

/** What a key held, on its way to the key that it was merged into. */
export interface Transfer {
  readonly from: string
  readonly to: string
  /** Every merge that it has followed, so that those which point in a circle come to an end. */
  readonly via: readonly Hop[]
  /** Of the codec that wrote `state`. */
  readonly version: number
  readonly state: Buffer
}

/** Something for another key's partition: a state, or the record itself under the key that it now belongs to. */
export type Move =
  | { readonly kind: 'transfer', readonly transfer: Transfer, readonly offset: number, readonly at: ArrivalTimeMs }
  | { readonly kind: 'forward', readonly to: string, readonly offset: number, readonly at: ArrivalTimeMs }

/** Whether the merge of `own` is the one to drop, since it closes a circle with those before and none of them is older. */
export function isOldestOfCircle (own: Hop, into: string, via: readonly Hop[]): boolean {
  const from = via.findLastIndex(hop => hop.key === into)
  return from >= 0 && via.slice(from).every(hop => own.at < hop.at || (own.at === hop.at && own.key <= hop.key))
}
