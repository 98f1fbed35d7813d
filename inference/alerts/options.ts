import type { DurationMs } from '../../streams/time/index.ts'

/** All of an alert's timing and thresholds; defaults with their source. */
export interface AlertOptions {
  /** How long a condition must hold on device numerics (Görges et al. 2009: 14 s delay halves the alarms that help nobody). Charted sets do not wait. */
  readonly dwellMs: DurationMs
  /** After a clear, device numerics wait at least this long before the same rule speaks again. */
  readonly rearmMs: DurationMs
  /** An acknowledged alert whose condition still holds speaks again after this long (RCP 2017: score hourly from 5 points). */
  readonly acknowledgedForMs: DurationMs
  /** A monitored patient from whom nothing has come for so long. */
  readonly noDataAfterMs: DurationMs
  /** An acknowledged NEWS2 alert speaks again when the score has risen by this. */
  readonly realertPoints: number
  /** Probability from which the sepsis model alerts, from the model's manifest; Infinity: no model, no alert. */
  readonly sepsisThreshold: number
  readonly sepsisBasis: string
}

export const ALERT_DEFAULTS: AlertOptions = {
  dwellMs: 10_000, rearmMs: 300_000, acknowledgedForMs: 3_600_000, noDataAfterMs: 300_000, realertPoints: 2, sepsisThreshold: Number.POSITIVE_INFINITY, sepsisBasis: 'none',
}
