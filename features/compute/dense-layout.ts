import type { DurationMs } from '../../streams/time/index.ts'

/** How dense state lies: [time, value, order] of the newest reading and of the one before it, the newest time above and below each limit, then the rings. */
export const NEWEST = 0
export const BEFORE = 3
export const DENSE_HEAD = 6

/** A dense reading older than the newest by more than this is late. */
export const CORRECTION_HORIZON_MS: DurationMs = 3_600_000
/** Readings of one quarter of a second are one. */
export const QUARTER_MS: DurationMs = 250
/** Quarters of the horizon, both ends, in whole words. */
export const BITS: number = (Math.floor(CORRECTION_HORIZON_MS / QUARTER_MS / 32) + 1) * 32
export const BITMAP_WORDS: number = BITS / 32
