import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import type { ClinicalScoreName } from './clinical-scores.ts'
import type { SourceIdentity } from './port.ts'

/** One reason of an alert or score: a named feature, its part in the sum. */
export interface OutboundReason {
  readonly feature: string
  readonly value: number | null
  /** Points of a score, or log-odds of a model. */
  readonly contribution: number
  readonly eventTime: EventTimeMs | null
}

/** null: the feature was absent, for which the scorer writes NaN. */
export function valueOfReason ({ value }: OutboundReason): number | null { return Number.isNaN(value) ? null : value }

export type OutboundPriority = 'high' | 'medium' | 'low'
export type OutboundAlertState = 'active' | 'acknowledged' | 'latched' | 'cleared'

/** Where a patient lies, as far as known. */
export interface OutboundPlace { readonly ward: string, readonly bed: string }

/** One change of one alert. The newest per `id` is its state; the same change may come again after a restart. */
export interface OutboundAlert {
  readonly kind: 'alert'
  readonly patient: SourceIdentity
  readonly place?: OutboundPlace
  /** The same for every change of the alert; holds no identifier of a person. */
  readonly id: string
  readonly rule: string
  readonly priority: OutboundPriority
  readonly state: OutboundAlertState
  readonly raisedAt: ArrivalTimeMs
  readonly changedAt: ArrivalTimeMs
  /** When the condition was first true at the bedside. */
  readonly onset: EventTimeMs
  /** NaN: it has none (no-data). */
  readonly value: number
  readonly threshold: number
  /** Parts of the score that are missing: the value is a lower bound. */
  readonly missing: readonly string[]
  readonly reasons: readonly OutboundReason[]
  /** `news2@1`, or a model and its version. */
  readonly basis: string
}

/** One score of one model. */
export interface OutboundScore {
  readonly kind: 'score'
  readonly patient: SourceIdentity
  readonly place?: OutboundPlace
  readonly model: string
  readonly version: string
  readonly asOf: ArrivalTimeMs
  /** Calibrated. */
  readonly probability: number
  readonly reasons: readonly OutboundReason[]
}

/** A part of a clinical score. */
export interface OutboundPart { readonly feature: string, readonly points: number, readonly eventTime: EventTimeMs | null }

/** A clinical score as its view has it: NEWS2 and its kin. */
export interface OutboundClinicalScore {
  readonly kind: 'clinical-score'
  readonly patient: SourceIdentity
  readonly place?: OutboundPlace
  readonly score: ClinicalScoreName
  /** `news2@1`. */
  readonly basis: string
  readonly asOf: ArrivalTimeMs
  readonly value: number
  /** Parts that are missing: the value is a lower bound. */
  readonly missing: readonly string[]
  readonly parts: readonly OutboundPart[]
}

/** What goes out of the log to a counterparty. */
export type OutboundItem = OutboundAlert | OutboundScore | OutboundClinicalScore

/** Alerts never stand behind scores: each has a source, a position and a queue of its own. */
export type OutboundLane = 'alerts' | 'scores'

/** Items in the order of their topics: a patient's alerts stand in the order in which they happened, and so do the scores. */
export interface OutboundBatch {
  readonly items: readonly OutboundItem[]
  /** What the log had let go of before it was read: at most so many alerts or scores that nobody is told. */
  readonly lost?: { readonly lane: OutboundLane, readonly records: number }
  /** Each item has been delivered, or is a dead letter: a restart goes on behind them. */
  done (): Promise<void>
}

/** Where items come from: alerts and scores of the log, by a consumer group whose offsets are the position. Rejects (LatidoError) when the log is away. */
export interface OutboundSource extends AsyncDisposable {
  /** Waits up to `maxWaitMs`; an empty batch when nothing came. Not called again before the last batch is done. */
  next (maxWaitMs: DurationMs): Promise<OutboundBatch>
}
