import type { ArrivalTimeMs, EventTimeMs } from '../time/index.ts'
import type { ConceptId } from './concepts.ts'

declare const patientKeyBrand: unique symbol
/** The pseudonym of a patient: keyed hash of the enterprise identifier, the key on every topic. Never an identifier that a source sent. */
export type PatientKey = string & { readonly [patientKeyBrand]: true }

/** How an observation came to be; decides dwell and windows. */
export const OBSERVATION_KINDS = ['device', 'charted', 'laboratory'] as const
export type ObservationKind = (typeof OBSERVATION_KINDS)[number]

/** `withdrawn` retracts the result with the same identity; `corrected` replaces it. */
export const RESULT_STATUSES = ['preliminary', 'final', 'corrected', 'withdrawn'] as const
export type ResultStatus = (typeof RESULT_STATUSES)[number]

/** `questionable` and `artefact` values are kept and shown, and excluded from features. */
export const QUALITIES = ['valid', 'questionable', 'artefact'] as const
export type Quality = (typeof QUALITIES)[number]

export const COMPARATORS = ['=', '<', '<=', '>', '>='] as const
export type Comparator = (typeof COMPARATORS)[number]

/** One value of one concept, in the concept's canonical unit. */
export interface Observation {
  readonly concept: ConceptId
  readonly value: number
  readonly comparator: Comparator
  readonly eventTime: EventTimeMs
  readonly status: ResultStatus
  readonly quality: Quality
  /** Identity of the result within the patient, for corrections: filler order, code, sub-id, time. Empty for device numerics. */
  readonly resultId: string
}

/** One source message with its values: takes effect whole or not at all. */
export interface ObservationSet {
  readonly type: 'observations'
  readonly kind: ObservationKind
  /** The feed: for example `hl7:lab`, `mqtt:monitor-07`, `file:physionet2019`. Holds no identifier of a person. */
  readonly source: string
  readonly observations: readonly Observation[]
}

export const ENCOUNTER_ACTIONS = ['admit', 'transfer', 'discharge', 'update'] as const
export type EncounterAction = (typeof ENCOUNTER_ACTIONS)[number]
export const SEXES = ['female', 'male', 'other', 'unknown'] as const
export type Sex = (typeof SEXES)[number]

/** An admission, transfer, discharge or update. Empty strings and -1 mean: not said, no change. */
export interface EncounterEvent {
  readonly type: 'encounter'
  readonly action: EncounterAction
  readonly eventTime: EventTimeMs
  readonly source: string
  readonly ward: string
  readonly bed: string
  /** Whole or fractional years at the event; over 89 is 90 (45 CFR 164.514(b)(2)); -1 unknown. */
  readonly ageYears: number
  readonly sex: Sex
  /** Where the admission to the hospital was earlier than to the unit: hours between, >= 0; -1 unknown. */
  readonly hoursSinceHospitalAdmission: number
  /** Pseudonym of the visit number; absent: not said. */
  readonly visit?: string
  /** The visit is this patient's from here on, with what is known of the stay (HL7 A45); absent: it stays. */
  readonly movedTo?: PatientKey
  /** Pseudonym of the number that the visit has from then on; absent: the same. */
  readonly visitAfter?: string
  /** Of an event that follows its visit: when the move was said that it follows. */
  readonly movedAt?: ArrivalTimeMs
}

/** The source of an encounter event that follows its visit to another patient. */
export const MOVED_IN = 'moved-in'
/** The source of an encounter event that follows from a visit having gone: the stay is over, or an earlier one goes on. */
export const MOVED_AWAY = 'moved-away'

/** A person acknowledged an alert. */
export interface AcknowledgementEvent {
  readonly type: 'acknowledgement'
  readonly alertId: string
  /** Role or pseudonym of who did it, never a name. */
  readonly by: string
}

/** Two keys are one patient: what the record's key held, and what still comes for it, is the survivor's from here (HL7 A40 and kin). */
export interface MergeEvent {
  readonly type: 'merge'
  readonly survivor: PatientKey
  readonly eventTime: EventTimeMs
  readonly source: string
}

/** What a merged key held, on its way to the record's key; the engine writes and reads it. */
export interface TransferEvent {
  readonly type: 'transfer'
  readonly from: PatientKey
  /** The merges that it has followed, and when each was said. */
  readonly via: readonly { readonly key: string, readonly at: ArrivalTimeMs }[]
  /** Of the codec that wrote `state`. */
  readonly version: number
  readonly state: Buffer
}

/** What is known of a patient that is no reading: a diagnosis, a drug, an allergy, a reported symptom, an image, an order, the state of a device, another record that is said to be of the same person. */
export const STATEMENT_KINDS = ['condition', 'medication-request', 'medication-administration', 'allergy', 'family-history', 'report', 'symptom', 'imaging', 'order', 'device', 'link'] as const
export type StatementKind = (typeof STATEMENT_KINDS)[number]

/** `withdrawn`: entered in error, deleted or cancelled. `absent`: asked for and denied (a symptom, an allergy). */
export const STATEMENT_STATUSES = ['planned', 'active', 'completed', 'inactive', 'absent', 'withdrawn'] as const
export type StatementStatus = (typeof STATEMENT_STATUSES)[number]

/** A clinical statement, coded: it holds no free text, since that may identify a person. */
export interface StatementEvent {
  readonly type: 'statement'
  readonly kind: StatementKind
  readonly source: string
  /** Identity at the source within the patient: a later statement with the same one replaces this. Holds no identifier of a person. */
  readonly statementId: string
  readonly status: StatementStatus
  /** Code system: a URI as FHIR has it (`http://snomed.info/sct`), or the name that the feed gave. */
  readonly system: string
  readonly code: string
  /** Onset, administration, report. */
  readonly eventTime: EventTimeMs
  /** End of what it says, exclusive; -1 unknown or still going on. */
  readonly endTime: EventTimeMs
  /** Dose, severity, count; NaN: none. */
  readonly value: number
  /** UCUM, or empty. */
  readonly unit: string
}

/** Nothing happened, and that is data: moves the partition's clock. */
export interface TickEvent { readonly type: 'tick' }

/** Everything that may stand on `latido.events`. */
export type BedsideEvent = ObservationSet | EncounterEvent | StatementEvent | AcknowledgementEvent | MergeEvent | TransferEvent | TickEvent

export const REFUSAL_CAUSES = [
  'not-hl7', 'malformed', 'unsupported-type', 'patient-missing', 'value-unparsable', 'value-impossible', 'code-unknown', 'unit-unknown',
  'time-unparsable', 'time-in-future', 'duplicate', 'device-unmapped', 'too-large', 'charset-invalid', 'schema-unknown', 'payload-invalid', 'step-failed',
  'merge-loop', 'identifier-conflict', 'time-implausible', 'unauthorised', 'source-refused',
] as const
/** Why a message, or a value in it, was refused. */
export type RefusalCause = (typeof REFUSAL_CAUSES)[number]

/** A refused message or value, on `latido.deadletter`, with its raw bytes sealed (they may identify a person). */
export interface DeadLetter {
  readonly cause: RefusalCause
  /** Says what and where (`OBX-5 of segment 4`), never the value or an identifier. */
  readonly detail: string
  readonly source: string
  /** The configured feed that can read the bytes again; empty where the engine refused it. */
  readonly feed: string
  /** Log position where it was met inside the engine, else -1. */
  readonly partition: number
  readonly offset: number
  readonly refusedAt: ArrivalTimeMs
  /** Encrypted raw bytes. */
  readonly raw: Uint8Array
}

export const DISPOSITION_ACTIONS = ['retried', 'dropped'] as const
export type DispositionAction = (typeof DISPOSITION_ACTIONS)[number]

/** `refused`: again, so the letter stays open. `dropped`: a person said that it is not wanted. */
export const DISPOSITION_OUTCOMES = ['published', 'duplicate', 'archived', 'refused', 'dropped'] as const
export type DispositionOutcome = (typeof DISPOSITION_OUTCOMES)[number]

/** What somebody did with a dead letter: a record of its own on `latido.deadletter`, since the letter itself never changes. */
export interface Disposition {
  /** Offset of the letter on the same topic. */
  readonly letter: number
  readonly action: DispositionAction
  readonly outcome: DispositionOutcome
  /** Why it was refused again; empty otherwise. */
  readonly cause: RefusalCause | ''
  readonly detail: string
  readonly at: ArrivalTimeMs
  /** Role or pseudonym, never a name. */
  readonly by: string
}

/** What stands on `latido.deadletter`. */
export type DeadLetterRecord = { readonly kind: 'letter', readonly letter: DeadLetter } | { readonly kind: 'disposition', readonly disposition: Disposition }

/** A message that was taken and carries nothing that Latido computes with, on `latido.archive`, its raw bytes sealed. */
export interface ArchivedMessage {
  readonly source: string
  /** `BAR^P01`, `ORM^O01`. */
  readonly type: string
  readonly at: ArrivalTimeMs
  readonly raw: Uint8Array
}

/** Who a patient is: `sealed` under the patient's key, and that key wrapped under the installation's; empty where one instance alone reads it. */
export interface SealedIdentity { readonly sealed: Buffer, readonly key: Buffer }
