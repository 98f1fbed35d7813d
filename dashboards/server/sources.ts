import type { BoardAnswer, BoardQuery } from '../../features/board/index.ts'
import type { CatalogueView } from '../../features/catalogue/index.ts'
import type { FeatureValue } from '../../features/vector.ts'
import type { OfflineStore } from '../../features/offline/index.ts'
import type { AlertChange, DriftResult, Score } from '../../inference/alerts/index.ts'
import type { ConceptId, EncounterEvent, PatientKey, RefusalCause } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, Clock, EventTimeMs } from '../../streams/time/index.ts'
import type { DeadLetterDesk, FeedDesk, HealthInfo } from './feed-sources.ts'

/** What bedside staff may see of who a patient is; resolved from the identity vault for this page only. */
export interface PatientIdentity { readonly id: string, readonly familyName: string, readonly givenName: string, readonly birthDate: string }

export interface PatientAlert extends AlertChange { readonly patient: PatientKey }

export interface LatestReading { readonly concept: ConceptId, readonly value: number, readonly unit: string, readonly eventTime: EventTimeMs, readonly stale: boolean }

/** One patient as the board shows one. */
export interface PatientSummary {
  readonly patient: PatientKey
  readonly ward: string
  readonly bed: string
  readonly admitted: boolean
  readonly ageYears: number | null
  readonly sex: EncounterEvent['sex']
  readonly readings: readonly LatestReading[]
  readonly news2: { readonly score: number, readonly missing: readonly string[], readonly asOf: ArrivalTimeMs } | null
  readonly score: Score | null
  readonly alerts: readonly PatientAlert[]
}

export interface ViewInfo { readonly name: string, readonly version: number, readonly ttlMs: number, readonly features: readonly { readonly name: string, readonly unit: string }[] }
export interface ViewValues { readonly view: string, readonly version: number, readonly asOf: ArrivalTimeMs | null, readonly features: readonly FeatureValue[] }

export interface TopicStatus { readonly topic: string, readonly partitions: number, readonly records: number, readonly perSecond: number }
export interface ProcessorStatus { readonly name: string, readonly lag: number, readonly perSecond: number, readonly state: string }
export interface ConnectorStatus { readonly name: string, readonly endpoint: string, readonly health: HealthInfo, readonly counters: readonly { readonly what: string, readonly count: number }[] }
export interface DeadLetterInfo { readonly offset: number, readonly cause: RefusalCause, readonly detail: string, readonly source: string, readonly refusedAt: ArrivalTimeMs, readonly bytes: number }
/** Which log the product runs on; `why` says what chose a Kafka driver, or what is wrong while it is away. */
export interface LogStatus { readonly driver: 'embedded' | 'direct' | 'native', readonly state: 'on' | 'away', readonly why: string }
export interface PipelineStatus {
  readonly log: LogStatus
  readonly topics: readonly TopicStatus[]
  readonly processors: readonly ProcessorStatus[]
  readonly connectors: readonly ConnectorStatus[]
  readonly deadLetters: { readonly total: number, readonly open: number, readonly byCause: Readonly<Record<string, number>>, readonly newest: readonly DeadLetterInfo[] }
  readonly late: number
  /** Readings that stayed where they were when their visit went to another patient. */
  readonly leftBehind: number
  readonly offline: { readonly state: 'on' | 'off' | 'away', readonly why: string }
  readonly uptimeMs: number
}

/** A page of those who match; `total` counts all. */
export interface PatientSearch extends Pick<BoardAnswer, 'total' | 'by' | 'why'> { readonly patients: readonly PatientSummary[] }

export type AcknowledgeOutcome = { readonly kind: 'accepted' } | { readonly kind: 'unknown-alert' } | { readonly kind: 'already', readonly state: string }

/** Everything the dashboards read, and what they write: acknowledgements and what is done with dead letters, which become records of the log, and tables of codes. */
export interface DashboardSources {
  readonly clock: Clock
  readonly version: string
  ready (): boolean
  /** undefined: no such source id was ever seen. */
  keyOf (sourceId: string): PatientKey | undefined
  identityOf (patient: PatientKey): PatientIdentity | undefined
  patients (): Promise<readonly PatientSummary[]>
  search (query: BoardQuery): Promise<PatientSearch>
  patient (patient: PatientKey): Promise<PatientSummary | undefined>
  features (patient: PatientKey): Promise<readonly ViewValues[]>
  views (): readonly ViewInfo[]
  /** Absent: there is no catalogue. */
  catalogue? (): readonly CatalogueView[]
  /** Alerts that are not cleared. */
  activeAlerts (): Promise<readonly PatientAlert[]>
  acknowledge (alertId: string, by: string): Promise<AcknowledgeOutcome>
  drift (): Promise<readonly DriftResult[]>
  pipeline (): Promise<PipelineStatus>
  /** undefined: the offline store is off on this platform; trends and history are then not to be had. */
  readonly offline: OfflineStore | undefined
  /** Absent: this server has none. */
  readonly feeds?: FeedDesk | undefined
  readonly deadLetters?: DeadLetterDesk | undefined
  /** Prometheus text. */
  metrics (): Promise<string>
  /** Calls `changed` (at most each 250 ms) when something that the board shows has changed; the answer unsubscribes. */
  onChange (changed: () => void): () => void
}
