import type { RefusalCause } from '../../streams/events/index.ts'

/** Where a fault stands, for ERR-2 and for the dead letter: never what stands there. */
export interface Location {
  readonly segment: string
  /** Position in the message, from 1. */
  readonly number: number
  readonly field: number
}

export interface Fault {
  readonly cause: RefusalCause
  readonly detail: string
  readonly at?: Location
}

export function faultAt (cause: RefusalCause, segment: { readonly name: string, readonly number: number }, field: number, what = ''): Fault {
  return { cause, detail: `${segment.name}-${field} of segment ${segment.number}${what === '' ? '' : ` ${what}`}`, at: { segment: segment.name, number: segment.number, field } }
}

/** Things that are counted by name, with how many. */
export type Notices = Map<string, number>

export function note (notices: Notices, what: string): void { notices.set(what, (notices.get(what) ?? 0) + 1) }
