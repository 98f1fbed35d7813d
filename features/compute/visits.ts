import type { EncounterEvent, PatientKey } from '../../streams/events/index.ts'
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
