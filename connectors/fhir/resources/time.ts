import { zoneToUtc, type EventTimeMs } from '../../../streams/time/index.ts'
import type { Period, Timing } from 'fhir/r4.js'
import { list, text } from './types.ts'

export const PRECISIONS = ['year', 'month', 'day', 'minute', 'second', 'fraction'] as const
export type Precision = (typeof PRECISIONS)[number]

/** A time as precise as it was sent: the half-open interval `[start, end)`, milliseconds since 1970 UTC. */
export type FhirTime =
  | { readonly kind: 'time', readonly start: EventTimeMs, readonly end: EventTimeMs, readonly precision: Precision, readonly zoned: boolean }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unparsable' }

const DATE_TIME = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d:?\d\d)?)?)?)?$/
const MINUTE_MS = 60_000
const LENGTH_MS: Readonly<Record<Precision, number>> = { year: 0, month: 0, day: 86_400_000, minute: MINUTE_MS, second: 1000, fraction: 1 }

/**
 * date, dateTime and instant (R4, datatypes 2.24.0.1): `YYYY[-MM[-DD[Thh:mm:ss[.s+](Z|+hh:mm)]]]`. A time of day must have an offset; where it has
 * none, and for whole days, months and years, the feed's zone holds. 24:00 does not exist; a leap second is the next one.
 */
export function parseTime (value: unknown, zone: string): FhirTime {
  const said = text(value)
  if (said === '') return { kind: 'empty' }
  const match = DATE_TIME.exec(said)
  if (match === null) return { kind: 'unparsable' }
  const [, year, month, day, hour, minute, second, fraction, offset] = match
  const precision: Precision = month === undefined ? 'year' : day === undefined ? 'month' : hour === undefined ? 'day' : second === undefined ? 'minute' : fraction === undefined ? 'second' : 'fraction'
  const [y, mo, d, h, mi, s] = [Number(year), Number(month ?? 1), Number(day ?? 1), Number(hour ?? 0), Number(minute ?? 0), Number(second ?? 0)] as const
  const local = Date.UTC(y, mo - 1, d, h, mi, s, fraction === undefined ? 0 : Math.trunc(Number(`0.${fraction}`) * 1000 + 1e-6))
  if (!exists(local, y, mo, d, h, mi, s)) return { kind: 'unparsable' }
  const shift = offset === undefined ? undefined : offsetMinutes(offset)
  if (offset !== undefined && shift === undefined) return { kind: 'unparsable' }
  const next = precision === 'year' ? Date.UTC(y + 1, 0, 1) : precision === 'month' ? Date.UTC(y, mo, 1) : local + LENGTH_MS[precision]
  const toUtc = (at: number): number => shift === undefined ? zoneToUtc(at, zone) : at - shift * MINUTE_MS
  return { kind: 'time', start: toUtc(local), end: toUtc(next), precision, zoned: shift !== undefined }
}

function offsetMinutes (said: string): number | undefined {
  if (said === 'Z' || said === 'z') return 0
  const hours = Number(said.slice(1, 3))
  const minutes = Number(said.slice(-2))
  if (hours > 14 || minutes > 59) return undefined
  return (said.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

/** Date.UTC carries 31 April over into May; such a date is a typing error. Years before 1800 are too. */
function exists (local: number, y: number, mo: number, d: number, h: number, mi: number, s: number): boolean {
  const whole = new Date(Date.UTC(y, mo - 1, d))
  return Number.isFinite(local) && y >= 1800 && mo >= 1 && mo <= 12 && whole.getUTCMonth() === mo - 1 && whole.getUTCDate() === d && h < 24 && mi < 60 && s <= 60
}

/** What may stand as `effective[x]`, `onset[x]`, `performed[x]`. */
export interface Timed {
  readonly dateTime?: unknown
  readonly instant?: unknown
  readonly period?: Period | undefined
  readonly timing?: Timing | undefined
}

/**
 * The moment that a value is of. Of a period it is the end, since the value sums up what was before (a urine volume, a mean), else the start; of a
 * Timing the last of its events, else its bounds.
 */
export function momentOf ({ dateTime, instant, period, timing }: Timed, zone: string): FhirTime {
  for (const value of [dateTime, instant, period?.end, period?.start, ...list(timing?.event).slice(-1), timing?.repeat?.boundsPeriod?.end, timing?.repeat?.boundsPeriod?.start]) {
    const parsed = parseTime(value, zone)
    if (parsed.kind !== 'empty') return parsed
  }
  return { kind: 'empty' }
}

/** When something began: the start of a period, else its end. */
export function beginningOf ({ dateTime, instant, period, timing }: Timed, zone: string): FhirTime {
  for (const value of [dateTime, instant, period?.start, period?.end, ...list(timing?.event).slice(0, 1), timing?.repeat?.boundsPeriod?.start]) {
    const parsed = parseTime(value, zone)
    if (parsed.kind !== 'empty') return parsed
  }
  return { kind: 'empty' }
}
