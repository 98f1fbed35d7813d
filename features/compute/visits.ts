import { MOVED_AWAY, MOVED_IN, type EncounterEvent, type PatientKey } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../../streams/time/index.ts'

/** A stay as it is handed on with its visit. */
export interface Stay {
  /** Pseudonym of the visit number; empty: never said. */
  readonly visit: string
  readonly admittedAt: EventTimeMs
  readonly ward: string
  readonly bed: string
  readonly hoursFromHospitalToUnit: number
}

/** A visit that is somebody else's: what is still said of it under this key is theirs. */
export interface MovedVisit {
  readonly visit: string
  readonly to: PatientKey
  readonly after: string
  readonly at: ArrivalTimeMs
}

/** As long as a message may come late or twice. */
export const MOVED_KEPT_MS: DurationMs = 72 * 3_600_000
/** Of one patient; the oldest is forgotten. */
const MOVED_MAX = 8

/** An encounter event for the log, under the key of the patient whose the visit is now. */
export interface Arrival { readonly type: 'arrival', readonly to: PatientKey, readonly event: EncounterEvent }

export function remember (moved: readonly MovedVisit[], one: MovedVisit): MovedVisit[] { return [...moved.filter(({ visit }) => visit !== one.visit), one].slice(-MOVED_MAX) }

export function recent (moved: readonly MovedVisit[], at: ArrivalTimeMs): MovedVisit[] { return moved.filter(one => at < one.at + MOVED_KEPT_MS) }

/** Of a patient's state what goes along. */
export function stayOf ({ visit, admittedAt, ward, bed, hoursFromHospitalToUnit }: Stay): Stay { return { visit, admittedAt, ward, bed, hoursFromHospitalToUnit } }

/** A stay as the admission that begins it. */
export function asAdmission ({ visit, admittedAt, ward, bed, hoursFromHospitalToUnit }: Stay): EncounterEvent {
  return {
    type: 'encounter', action: 'admit', eventTime: admittedAt, source: MOVED_AWAY, ward, bed, ageYears: -1, sex: 'unknown',
    hoursSinceHospitalAdmission: Number.isNaN(hoursFromHospitalToUnit) ? -1 : hoursFromHospitalToUnit, ...visit === '' ? {} : { visit },
  }
}

/** What was said of the visit, for the patient whose it is. Age and sex are the patient's, not the visit's. */
export function follow ({ to, after, at }: MovedVisit, event: EncounterEvent): Arrival {
  return { type: 'arrival', to, event: { ...event, source: MOVED_IN, visit: after, movedAt: at, ageYears: -1, sex: 'unknown' } }
}

/** Says that the visit is the patient's from here on, and nothing else. */
export function wordOnly (at: ArrivalTimeMs): EncounterEvent {
  return { type: 'encounter', action: 'update', eventTime: at, source: MOVED_IN, ward: '', bed: '', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 }
}

export function isWordOnly ({ action, ward, bed }: EncounterEvent): boolean { return action === 'update' && ward === '' && bed === '' }
