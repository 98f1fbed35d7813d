import type { EncounterEvent } from '../../streams/events/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { Series } from './series.ts'
import type { MovedVisit, Stay } from './visits.ts'

/** A time that is not. */
export const NEVER = -1

export interface ViewState {
  lastEmit: ArrivalTimeMs
  /** A throttled emission waits for this time; NEVER: none waits. */
  emitDue: ArrivalTimeMs
  /** When the view goes stale unless something comes; NEVER: it is stale, or never had anything. */
  staleDue: ArrivalTimeMs
  watched: number[]
}

/** Everything that is known of one key: a patient, an encounter, a device. */
export interface PatientState {
  admittedAt: number
  dischargedAt: number
  ageYears: number
  sex: EncounterEvent['sex']
  ward: string
  bed: string
  hoursFromHospitalToUnit: number
  /** Pseudonym of the number of the visit that the stay is; empty: not said. */
  visit: string
  /** The stay of another visit that was still going on when this one began: it holds again if this one turns out to be somebody else's. */
  earlier: Stay | undefined
  /** Visits that are somebody else's. */
  moved: MovedVisit[]
  /** When a reading that outlived a discharge has passed its last window; NEVER: none did. */
  expireDue: ArrivalTimeMs
  readonly series: (Series | undefined)[]
  readonly views: ViewState[]
  late: number
  duplicates: number
  /** Kept readings that had to go because there were too many. */
  truncated: number
}

export function emptyState (series: number, views: number): PatientState {
  return {
    admittedAt: NEVER, dischargedAt: NEVER, ageYears: NaN, sex: 'unknown', ward: '', bed: '', hoursFromHospitalToUnit: NaN, visit: '', earlier: undefined, moved: [], expireDue: NEVER, late: 0, duplicates: 0, truncated: 0,
    series: Array.from({ length: series }, () => undefined),
    views: Array.from({ length: views }, () => ({ lastEmit: NEVER, emitDue: NEVER, staleDue: NEVER, watched: [] })),
  }
}

/** Like the state of a key that was never seen. */
export function isEmptyState ({ admittedAt, dischargedAt, ageYears, sex, ward, bed, hoursFromHospitalToUnit, visit, moved, late, duplicates, truncated, series, views }: PatientState): boolean {
  return admittedAt === NEVER && dischargedAt === NEVER && Number.isNaN(ageYears) && sex === 'unknown' && ward === '' && bed === '' && Number.isNaN(hoursFromHospitalToUnit) && visit === '' && moved.length === 0 &&
    late === 0 && duplicates === 0 && truncated === 0 && series.every(s => s === undefined) && views.every(v => v.lastEmit === NEVER && v.emitDue === NEVER && v.staleDue === NEVER)
}
