import type { ArrivalTimeMs, EventTimeMs } from '../../streams/time/index.ts'

/** IEC 60601-1-8 priorities. */
export const PRIORITIES = ['high', 'medium', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

/** pending: within its dwell, shown to nobody. latched: the condition has gone, and a person must still acknowledge. */
export const ALERT_STATES = ['active', 'acknowledged', 'latched', 'cleared'] as const
export type AlertState = (typeof ALERT_STATES)[number]

export const ALERT_RULES = ['news2-emergency', 'news2-urgent', 'sepsis-risk', 'no-data'] as const
export type AlertRule = (typeof ALERT_RULES)[number]

/** One reason that is shown with an alert: a named value, its part in the score, how old it is. */
export interface Reason {
  /** Feature name, for example `news2Respiration`; the page translates it. */
  readonly feature: string
  readonly value: number | null
  /** Points of a score, or log-odds of a model. */
  readonly contribution: number
  readonly eventTime: EventTimeMs | null
}

/** One change of one alert. The latest per alert id is its state; ids derive from (patient, rule, cause), so a replay makes the same ones. */
export interface AlertChange {
  readonly alertId: string
  readonly rule: AlertRule
  readonly priority: Priority
  readonly state: AlertState
  /** When the alert was raised, and when this change happened: the log's time. */
  readonly raisedAt: ArrivalTimeMs
  readonly changedAt: ArrivalTimeMs
  /** When the condition was first true at the bedside. */
  readonly onsetEventTime: EventTimeMs
  /** NEWS2 points, or probability; NaN for no-data. */
  readonly value: number
  readonly threshold: number
  /** NEWS2 with parts missing is a lower bound; these are the parts. */
  readonly missing: readonly string[]
  readonly reasons: readonly Reason[]
  /** Who acknowledged; empty until then. */
  readonly acknowledgedBy: string
  /** `view@version` or model name and version that it rests on. */
  readonly basis: string
}

/** One score of one vector by one model. */
export interface Score {
  readonly model: string
  readonly modelVersion: string
  readonly view: string
  readonly viewVersion: number
  readonly asOf: ArrivalTimeMs
  /** Calibrated probability. */
  readonly probability: number
  /** Share of the model's inputs that were present. */
  readonly presentShare: number
  readonly reasons: readonly Reason[]
}

/** PSI of one feature in one window against its frozen reference. */
export interface DriftResult {
  readonly view: string
  readonly viewVersion: number
  readonly feature: string
  readonly windowStart: ArrivalTimeMs
  readonly windowEnd: ArrivalTimeMs
  readonly count: number
  readonly psi: number
  /** The alarm threshold for this count: PSI is compared with its null distribution and an effect-size floor. */
  readonly threshold: number
  readonly alarm: boolean
  /** Share of vectors in which the feature was absent, window and reference. */
  readonly missingShare: number
  readonly referenceMissingShare: number
}
