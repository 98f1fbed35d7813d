import type { Observation, ObservationKind, EncounterEvent, MergeEvent, PatientKey, DeadLetter, ConceptId, StatementEvent } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, EventTimeMs } from '../../streams/time/index.ts'
import type { FeatureVector } from '../vector.ts'

/** Where a row came from; with it every insert is idempotent: the same position is the same row. */
export interface LogPosition { readonly partition: number, readonly offset: number }

export interface ObservationsRow extends LogPosition { readonly patient: PatientKey, readonly arrival: ArrivalTimeMs, readonly kind: ObservationKind, readonly source: string, readonly observations: readonly Observation[] }
export interface EncounterRow extends LogPosition { readonly patient: PatientKey, readonly arrival: ArrivalTimeMs, readonly event: EncounterEvent }
export interface StatementRow extends LogPosition { readonly patient: PatientKey, readonly arrival: ArrivalTimeMs, readonly event: StatementEvent }
/** `patient` is the loser's key, which the record stands under. */
export interface MergeRow extends LogPosition { readonly patient: PatientKey, readonly arrival: ArrivalTimeMs, readonly event: MergeEvent }
/** `through`: offset on `latido.events` of the record that caused the vector, where it is known. `entity`: what kind of key `patient` is. */
export interface VectorRow extends LogPosition { readonly patient: PatientKey, readonly arrival: ArrivalTimeMs, readonly vector: FeatureVector & { readonly through?: number, readonly entity?: string } }
export interface DeadLetterRow extends LogPosition { readonly letter: DeadLetter }
/** A score, an alert change or a drift result: `value` has the columns of its table. */
export interface JsonRow extends LogPosition { readonly patient: PatientKey | '', readonly arrival: ArrivalTimeMs, readonly value: Readonly<Record<string, unknown>> }

export interface OfflineBatch {
  readonly observations: readonly ObservationsRow[]
  readonly encounters: readonly EncounterRow[]
  readonly statements: readonly StatementRow[]
  readonly merges: readonly MergeRow[]
  readonly vectors: readonly VectorRow[]
  readonly scores: readonly JsonRow[]
  readonly alerts: readonly JsonRow[]
  readonly drift: readonly JsonRow[]
  readonly deadLetters: readonly DeadLetterRow[]
}

export interface TrendPoint { readonly concept: ConceptId, readonly eventTime: EventTimeMs, readonly arrival: ArrivalTimeMs, readonly value: number, readonly kind: ObservationKind }
export interface ScorePoint { readonly model: string, readonly asOf: ArrivalTimeMs, readonly probability: number }

/** The offline store: raw observations, features, scores, alerts, drift, each with event and arrival time, in ClickHouse's SQL. */
export interface OfflineStore extends AsyncDisposable {
  /** Inserts a batch idempotently (deduplicated by position). Rejects with OFFLINE_UNAVAILABLE; the caller keeps its offsets and comes again. */
  write (batch: OfflineBatch): Promise<void>
  /** Thinned to at most `pointsMax` a concept: the newest point of each bucket. */
  trends (patient: PatientKey, concepts: readonly ConceptId[], from: EventTimeMs, to: EventTimeMs, pointsMax: number): Promise<readonly TrendPoint[]>
  scores (patient: PatientKey, from: ArrivalTimeMs, to: ArrivalTimeMs, pointsMax: number): Promise<readonly ScorePoint[]>
  /** Newest first. */
  alertHistory (patient: PatientKey | undefined, limit: number): Promise<readonly Readonly<Record<string, unknown>>[]>
  driftHistory (limit: number): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Read-only SQL for engineers and tests. */
  query (sql: string, parameters?: Readonly<Record<string, unknown>>): Promise<readonly Readonly<Record<string, unknown>>[]>
}
