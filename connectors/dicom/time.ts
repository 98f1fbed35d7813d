import { zoneToUtc } from '../../streams/time/index.ts'

/** A date of today or of history: before this nobody was X-rayed. */
const FIRST_YEAR = 1895
const MINUTE_MS = 60_000

export type DicomTime = { readonly kind: 'time', readonly at: number } | { readonly kind: 'unparsable' } | { readonly kind: 'implausible' }

/**
 * StudyDate (DA), StudyTime (TM) and TimezoneOffsetFromUTC (DICOM PS3.5 6.2, PS3.3 C.12.1.1.1) to UTC; without an offset the times are of `zone`. Both old spellings
 * (`1993.08.22`, `07:09:08`) are read. Without a time the day's beginning stands for it.
 */
export function dicomTime (date: string, time: string, offset: string, zone: string): DicomTime {
  const day = /^(\d{4})[.-]?(\d\d)[.-]?(\d\d)$/.exec(date.trim())
  const clock = /^(?:(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?)?$/.exec(time.trim())
  if (day === null || clock === null) return { kind: 'unparsable' }
  const [year, month, dayOfMonth] = [Number(day[1]), Number(day[2]), Number(day[3])]
  const [hour, minute, second] = [Number(clock[1] ?? 0), Number(clock[2] ?? 0), Math.min(59, Number(clock[3] ?? 0))] // a leap second is the one before
  const local = Date.UTC(year, month - 1, dayOfMonth, hour, minute, second, Math.trunc(Number(`0.${clock[4] ?? '0'}`) * 1_000))
  const back = new Date(local)
  if (hour > 23 || minute > 59 || Number(clock[3] ?? 0) > 60 || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== dayOfMonth) return { kind: 'unparsable' }
  if (year < FIRST_YEAR) return { kind: 'implausible' }
  const shift = /^([+-])(\d\d)(\d\d)$/.exec(offset.trim())
  if (shift === null) return { kind: 'time', at: zoneToUtc(local, zone) }
  const minutes = (Number(shift[2]) * 60 + Number(shift[3])) * (shift[1] === '-' ? -1 : 1)
  return { kind: 'time', at: local - minutes * MINUTE_MS }
}
