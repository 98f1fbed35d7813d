import { zoneToUtc, type EventTimeMs } from '../../../streams/time/index.ts'

/** `iso`: 2026-03-14T08:30:00+01:00, or without offset in the feed's zone. `dmy`: 14.03.2026 08:30. `mdy`: 03/14/2026 08:30. Epoch in seconds or milliseconds. */
export const TIME_FORMATS = ['iso', 'dmy', 'mdy', 'epoch-s', 'epoch-ms'] as const
export type TimeFormat = (typeof TIME_FORMATS)[number]

const CLOCK = String.raw`(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)`
const ISO = new RegExp(String.raw`^(\d{4})-(\d\d)-(\d\d)${CLOCK}\s*(Z|[+-]\d\d:?\d\d)?$`)
const SHORT = new RegExp(String.raw`^(\d\d?)[./-](\d\d?)[./-](\d{4})${CLOCK}$`)

/** undefined: no such time. A date alone is none: a day is no moment at a bedside. */
export function parseTime (text: string, format: TimeFormat, zone: string): EventTimeMs | undefined {
  const said = text.trim()
  switch (format) {
    case 'epoch-s': return /^-?\d{1,11}(\.\d{1,9})?$/.test(said) ? Math.round(Number(said) * 1_000) : undefined
    case 'epoch-ms': return /^-?\d{1,14}$/.test(said) ? Number(said) : undefined
    case 'iso': {
      const match = ISO.exec(said)
      if (match === null) return undefined
      const [, year, month, day, hour, minute, second, fraction, offset] = match
      const wall = wallTime([year, month, day, hour, minute, second], fraction)
      return wall === undefined ? undefined : offset === undefined ? toUtc(wall, zone) : withOffset(wall, offset)
    }
    case 'dmy': case 'mdy': {
      const match = SHORT.exec(said)
      if (match === null) return undefined
      const [, first, second, year, hour, minute, seconds, fraction] = match
      const [day, month] = format === 'dmy' ? [first, second] : [second, first]
      const wall = wallTime([year, month, day, hour, minute, seconds], fraction)
      return wall === undefined ? undefined : toUtc(wall, zone)
    }
  }
}

/** As if it were UTC; undefined for the 30th of February. */
function wallTime (parts: readonly (string | undefined)[], fraction: string = ''): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(part => Number(part ?? 0))
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000 + Number(fraction.padEnd(3, '0').slice(0, 3))
}

function withOffset (wall: number, offset: string): number | undefined {
  if (offset === 'Z') return wall
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(-2))]
  return hours > 14 || minutes > 59 ? undefined : wall - (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const QUARTER_MS = 900_000
const KEPT_MAX = 20_000
const shifts = new Map<string, number>()

/** Clocks change at quarters of an hour, so each quarter has one offset: asking for it is most of the work of reading a row. */
function toUtc (wall: number, zone: string): number {
  const quarter = Math.floor(wall / QUARTER_MS)
  const key = `${zone} ${quarter}`
  let shift = shifts.get(key)
  if (shift === undefined) {
    if (shifts.size >= KEPT_MAX) shifts.clear()
    shift = zoneToUtc(quarter * QUARTER_MS, zone) - quarter * QUARTER_MS
    shifts.set(key, shift)
  }
  return wall + shift
}
