import type { RefusalCause } from '../../streams/events/index.ts'
import type { Fault } from '../kit/index.ts'

export { note, type Notices } from '../kit/index.ts'

/** Where a fault stands, for ERR-2 and for the dead letter: never what stands there. */
export interface Location {
  readonly segment: string
  /** Position in the message, from 1. */
  readonly number: number
  readonly field: number
}

/** Why a message or a row was refused, with its place. */
export interface Hl7Fault extends Fault { readonly at?: Location }

/** A segment that is not there has number 0. */
export function faultAt (cause: RefusalCause, segment: { readonly name: string, readonly number: number }, field: number, what = ''): Hl7Fault {
  const place = segment.number === 0 ? `${segment.name}-${field}: the message has no ${segment.name}` : `${segment.name}-${field} of segment ${segment.number}`
  return { cause, detail: `${place}${what === '' ? '' : ` ${what}`}`, at: { segment: segment.name, number: segment.number, field } }
}

/** The shorter name within this folder. */
export type { Hl7Fault as Fault }
