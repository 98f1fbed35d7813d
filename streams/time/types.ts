/** When it was true at the bedside, in milliseconds since 1970 UTC. */
export type EventTimeMs = number
/** The log's own append timestamp, in milliseconds since 1970 UTC. */
export type ArrivalTimeMs = number
export type DurationMs = number
