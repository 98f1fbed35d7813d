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
  /** A round ends with the row that reaches this. */
  readonly snapshotBytesMax: number
  /** Where nothing changes the marker alone moves on, this often: so it stays inside the input's retention. */
  readonly markerIntervalMs: DurationMs
  /**
   * Warm copies that an instance keeps of partitions that are not its own, so that it takes them over in a moment. Each costs the memory and
   * the processor time of a partition of its own: all (Infinity) suits two or three instances, a few many. 0: none.
   */
  readonly standbyPartitionsMax: number
  /** A warm copy goes on by at most so many records a turn of the loop, and asks how far the owner is this often. */
  readonly standbyRecordsMax: number
  readonly standbyIntervalMs: DurationMs
}

export const ENGINE_DEFAULTS: EngineOptions = {
  guarantee: 'exactly-once', tickIntervalMs: 1_000, tickLatencyMs: 100, pollWaitMs: 500,
  snapshotIntervalMs: 2_000, snapshotRowsMax: 500, snapshotBytesMax: 16 * 2 ** 20, markerIntervalMs: 60_000,
  standbyPartitionsMax: 0, standbyRecordsMax: 500, standbyIntervalMs: 200,
}
