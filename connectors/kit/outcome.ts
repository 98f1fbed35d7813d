import type { RefusalCause } from '../../streams/events/index.ts'

/** Why a message, or a part of it, was refused. `detail` says what and where, never the value and never an identifier. */
export interface Fault {
  readonly cause: RefusalCause
  readonly detail: string
}

/** Things that are counted by name, with how many: a closed set of short names, since each is a counter. */
export type Notices = Map<string, number>

export function note (notices: Notices, what: string, n: number = 1): void { notices.set(what, (notices.get(what) ?? 0) + n) }

/** A part that was refused while the rest of its message goes on. */
export interface RefusedPart<F extends Fault = Fault> {
  readonly fault: F
  /** A message of its own that holds this part alone (with what it needs to be read): it can be sent again once the cause is gone. */
  readonly raw: Buffer
}

/** What became of a message; everything in it is durable. `duplicates` of its events were known. */
export type Taken<F extends Fault = Fault> =
  | { readonly kind: 'taken', readonly published: number, readonly duplicates: number, readonly refused: readonly RefusedPart<F>[] }
  | { readonly kind: 'refused', readonly fault: F | Fault }
  /** A fault of ours, kept as a dead letter: the sender may try again. */
  | { readonly kind: 'failed', readonly fault: Fault }

/** A dead letter that came too late: what is newer of the same thing was taken since, and must stand. */
export interface Superseded { readonly kind: 'superseded' }
