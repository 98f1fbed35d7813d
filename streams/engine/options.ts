import type { DurationMs } from '../time/index.ts'

export interface EngineOptions {
  /** Outputs and offsets in one transaction, or outputs first and offsets after: sooner, and twice after a crash. */
  readonly guarantee: 'exactly-once' | 'at-least-once'
  /** A silent partition gets a tick after this long. DESIGN: at least each second. */
  readonly tickIntervalMs: DurationMs
  /** A key that is due gets a tick at most this much later, and ticks go downstream at most this often. */
  readonly tickLatencyMs: DurationMs
  /** How long a poll waits for records. */
  readonly pollWaitMs: DurationMs
  /** Each partition gets a snapshot round each so often, of at most so many rows: the cost of a round is bounded, recovery replays what is left. */
  readonly snapshotIntervalMs: DurationMs
  readonly snapshotRowsMax: number
}

export const ENGINE_DEFAULTS: EngineOptions = { guarantee: 'exactly-once', tickIntervalMs: 1_000, tickLatencyMs: 100, pollWaitMs: 500, snapshotIntervalMs: 2_000, snapshotRowsMax: 500 }
