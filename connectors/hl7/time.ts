import { zoneToUtc, type EventTimeMs } from '../../streams/time/index.ts'

export const PRECISIONS = ['year', 'month', 'day', 'hour', 'minute', 'second', 'fraction'] as const
export type Precision = (typeof PRECISIONS)[number]

/** Where the offset from UTC came from: the value itself, MSH-7 of its message, or the configured zone. */
export type OffsetSource = 'value' | 'message' | 'zone'

/** A time as precise as it was sent: the half-open interval `[start, end)`, milliseconds since 1970 UTC. */
export type ParsedTime =
  | { readonly kind: 'time', readonly start: EventTimeMs, readonly end: EventTimeMs, readonly precision: Precision, readonly offset: OffsetSource }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unparsable' }

export interface TimeDefaults {
  /** IANA name, for values without an offset in messages whose MSH-7 has none. */
  readonly zone: string
  /** MSH-7's offset in minutes east of UTC. */
  readonly messageOffsetMinutes?: number | undefined
}

const DTM = /^(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,9}))?)?)?)?)?)?([+-]\d{4})?$/
const MINUTE_MS = 60_000
const UNIT_MS: Readonly<Record<string, number>> = { day: 86_400_000, hour: 3_600_000, minute: MINUTE_MS, second: 1000, fraction: 1 }

/**
 * TS and DTM (HL7 v2.5.1, 2.A.22): `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`. Without an offset MSH-7's holds, else the zone.
 * Where the zone's clocks skip an hour, a time within it is read with the offset before the change; where they repeat one, the
 * first of the two is meant (RFC 5545 3.3.5, and Temporal's `compatible`).
 */
export function parseTime (text: string, defaults: TimeDefaults): ParsedTime {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '""') return { kind: 'empty' }
  const match = DTM.exec(trimmed)
  if (match === null) return { kind: 'unparsable' }
  const [, year, month, day, hour, minute, second, fraction, offsetText] = match
  const explicit = offsetText === undefined ? undefined : offsetMinutes(offsetText)
  if (offsetText !== undefined && explicit === undefined) return { kind: 'unparsable' }
  const given = [year, month, day, hour, minute, second, fraction]
  const precision = PRECISIONS[given.findLastIndex(part => part !== undefined)] ?? 'year'
  const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = given.slice(0, 6).map(part => part === undefined ? undefined : Number(part))
  const ms = fraction === undefined ? 0 : Math.trunc(Number(`0.${fraction}`) * 1000 + 1e-6)
  const local = Date.UTC(y, mo - 1, d, h, mi, s, ms)
  if (!exists(local, y, mo, d, h, mi, s)) return { kind: 'unparsable' }
  const next = precision === 'year' ? Date.UTC(y + 1, 0, 1) : precision === 'month' ? Date.UTC(y, mo, 1) : local + (UNIT_MS[precision] ?? 1)
  const offset: OffsetSource = explicit !== undefined ? 'value' : defaults.messageOffsetMinutes !== undefined ? 'message' : 'zone'
  const fixed = explicit ?? defaults.messageOffsetMinutes
  const toUtc = (at: number): number => fixed === undefined ? zoneToUtc(at, defaults.zone) : at - fixed * MINUTE_MS
  return { kind: 'time', start: toUtc(local), end: toUtc(next), precision, offset }
}

/** MSH-7's offset in minutes, if it has one. */
export function offsetOf (text: string): number | undefined {
  const match = /^\d{4,14}(?:\.\d+)?([+-]\d{4})$/.exec(text.trim())
  return match?.[1] === undefined ? undefined : offsetMinutes(match[1])
}

/** `20260314093000+0000`. */
export function formatTime (ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-T:]/g, '')}+0000`
}

function offsetMinutes (text: string): number | undefined {
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(3))
  if (hours > 14 || minutes > 59) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

/** Date.UTC carries 31 April over into May; such a date is a typing error. Years before 1800 are too. */
function exists (local: number, y: number, mo: number, d: number, h: number, mi: number, s: number): boolean {
  const at = new Date(local)
  return y >= 1800 && mo >= 1 && mo <= 12 && at.getUTCMonth() === mo - 1 && at.getUTCDate() === d && h < 24 && mi < 60 && s < 60
}
