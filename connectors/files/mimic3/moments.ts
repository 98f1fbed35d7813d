import { COMPARATORS, type Observation, type ObservationSet } from '../../../streams/events/index.ts'
import { uint32 } from '../growing.ts'
import type { Refusals } from '../refusals.ts'
import { ITEMS, type Item } from './items.ts'
import { COMPARATOR_SHIFT, INTUBATED, NOT_ARTERIAL, WITHDRAWN, type SortedReadings } from './readings.ts'

export const SOURCE = 'file:mimic3'

/** Positions of the order where the moments that have an observation begin and end. */
export interface Moments { readonly readings: SortedReadings, readonly starts: Uint32Array, readonly ends: Uint32Array }

/** Finds the moments, in order of arrival. Each is told once here, so that what it leaves out is noted once. */
export function momentsOf (readings: SortedReadings, refusals: Refusals): Moments {
  const starts = uint32()
  const ends = uint32()
  const { order } = readings
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && sameMoment(readings, order[start] as number, order[end] as number)) end++
    if (momentOf(readings, start, end, what => { refusals.note(what) }).observations.length === 0) continue
    starts.push(start)
    ends.push(end)
  }
  return { readings, starts: starts.view(), ends: ends.view() }
}

function sameMoment (readings: SortedReadings, a: number, b: number): boolean {
  const { arrival, patient, charted } = readings
  return arrival[a] === arrival[b] && patient[a] === patient[b] && charted[a] === charted[b] && itemOf(readings, a).kind === itemOf(readings, b).kind
}

/**
 * The readings of one patient that were drawn (or charted for) and stored at the same times, as one set: positions
 * `[start, end)` of the order. `note` hears what became no observation, or a withdrawn one:
 * `specimen-not-arterial`, `in-error`.
 */
export function momentOf (readings: SortedReadings, start: number, end: number, note: (what: string) => void): ObservationSet {
  const moment = new Moment(readings, note)
  for (let at = start; at < end; at++) moment.hear(readings.order[at] as number)
  return { type: 'observations', kind: itemOf(readings, readings.order[start] as number).kind, source: SOURCE, observations: moment.tell() }
}

function itemOf (readings: SortedReadings, reading: number): Item { return ITEMS[readings.item[reading] as number] as Item }

class Moment {
  readonly #readings: SortedReadings
  readonly #note: (what: string) => void
  readonly #observed: number[] = []
  #flags = 0

  constructor (readings: SortedReadings, note: (what: string) => void) {
    this.#readings = readings
    this.#note = note
  }

  hear (reading: number): void {
    const { role } = itemOf(this.#readings, reading)
    const flags = this.#readings.flags[reading] as number
    if ((flags & WITHDRAWN) === 0) this.#flags |= flags & (INTUBATED | NOT_ARTERIAL)
    if (role !== 'gcs-tube' && role !== 'specimen') this.#observed.push(reading)
  }

  tell (): Observation[] {
    const told: Observation[] = []
    for (const reading of this.#observed) {
      const { role } = itemOf(this.#readings, reading)
      if (role === 'arterial' && (this.#flags & NOT_ARTERIAL) !== 0) this.#note('specimen-not-arterial')
      else told.push(this.#observation(reading))
    }
    return told
  }

  #observation (reading: number): Observation {
    const item = itemOf(this.#readings, reading)
    const charted = this.#readings.charted[reading] as number
    const arrival = this.#readings.arrival[reading] as number
    const flags = this.#readings.flags[reading] as number
    const withdrawn = (flags & WITHDRAWN) !== 0
    if (withdrawn) this.#note('in-error')
    // A score with a tube in the throat counts one point for speech that cannot be tested: shown, not computed with.
    const questionable = item.concept === 'gcs' && (this.#flags & INTUBATED) !== 0
    return {
      concept: item.concept,
      value: this.#readings.value[reading] as number,
      comparator: COMPARATORS[flags >> COMPARATOR_SHIFT] ?? '=',
      eventTime: Math.min(charted, arrival),
      status: withdrawn ? 'withdrawn' : 'final',
      quality: questionable ? 'questionable' : 'valid',
      // A withdrawn row has an identity of its own: it must not retract the row that was charted in its place.
      resultId: `${item.id}@${charted / 1000}${withdrawn ? 'x' : ''}`,
    }
  }
}
