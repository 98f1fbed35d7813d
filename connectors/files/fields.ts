import type { Row } from './row-scanner.ts'

const ZERO = 48
const NINE = 57
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, k) => 10 ** k)

/** True for an empty field, `NA` and `NaN`: how these data sets write that nothing was recorded. */
export function isMissing (row: Row, field: number): boolean {
  const start = row.starts[field] as number
  const length = (row.ends[field] as number) - start
  if (length === 0) return true
  if (length > 3 || length < 2 || row.buffer[start] !== 78) return false
  return length === 2 ? row.buffer[start + 1] === 65 : row.buffer[start + 1] === 97 && row.buffer[start + 2] === 78
}

/**
 * The field as a decimal number, NaN if it is none. Digits and a point are read from the bytes: a mantissa below 2^53 divided by
 * a power of ten up to 10^22 is correctly rounded (Clinger 1990), so the result is what `Number` answers. Anything else goes there.
 */
export function numberOf (row: Row, field: number): number {
  const { buffer } = row
  const end = row.ends[field] as number
  let i = row.starts[field] as number
  const negative = buffer[i] === 45
  if (negative) i++
  let mantissa = 0
  let digits = 0
  let decimals = -1
  for (; i < end; i++) {
    const c = buffer[i] as number
    if (c >= ZERO && c <= NINE) {
      mantissa = mantissa * 10 + c - ZERO
      digits++
      if (decimals >= 0) decimals++
    } else if (c === 46 && decimals < 0) decimals = 0
    else return slowNumber(row, field)
  }
  if (digits === 0 || digits > 15) return slowNumber(row, field)
  const value = decimals > 0 ? mantissa / (POWERS_OF_TEN[decimals] as number) : mantissa
  return negative ? -value : value
}

function slowNumber (row: Row, field: number): number {
  const text = row.text(field).trim()
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?$/

/** `2171-10-30 18:21:00` as milliseconds since 1970, read as UTC (the hospital's zone is not told); NaN if it is no time. */
export function timeOf (row: Row, field: number): number {
  const match = TIME.exec(row.text(field))
  if (match === null) return NaN
  const [, year, month, day, hour = 0, minute = 0, second = 0] = match
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return NaN
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day))
  // A day or month that does not exist runs over into another one.
  if (new Date(date).getUTCDate() !== Number(day) || new Date(date).getUTCMonth() !== Number(month) - 1) return NaN
  return date + (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000
}
