/** Time: the types, the duration notation, and the only file that reads the machine's clock. */
export { parseDuration, formatDuration } from './duration.ts'
export type { Duration } from './duration.ts'
export { systemClock, ManualClock } from './clock.ts'
export type { Clock } from './clock.ts'
/** Wall time in a zone. */
export { isZone, zoneToUtc } from './zone.ts'
export type { EventTimeMs, ArrivalTimeMs, DurationMs } from './types.ts'
