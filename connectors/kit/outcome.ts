import type { RefusalCause } from '../../streams/events/index.ts'

/** Why a message, or a part of it, was refused. `detail` says what and where, never the value and never an identifier. */
export interface Fault {
  readonly cause: RefusalCause
  readonly detail: string
}

/** Things that are counted by name, with how many: a closed set of short names, since each is a counter. */
export type Notices = Map<string, number>

export function note (notices: Notices, what: string, n: number = 1): void { notices.set(what, (notices.get(what) ?? 0) + n) }
