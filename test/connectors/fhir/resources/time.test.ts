import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseTime, type FhirTime } from '../../../../connectors/fhir/resources/index.ts'

const parsed = (text: string, zone = 'UTC'): Extract<FhirTime, { kind: 'time' }> => {
  const time = parseTime(text, zone)
  if (time.kind !== 'time') throw new Error(`${text} is ${time.kind}`)
  return time
}

it('reads each precision as a half-open interval', () => {
  expect(parsed('2031')).toMatchObject({ start: Date.UTC(2031, 0), end: Date.UTC(2032, 0), precision: 'year' })
  expect(parsed('2031-02')).toMatchObject({ start: Date.UTC(2031, 1), end: Date.UTC(2031, 2), precision: 'month' })
  expect(parsed('2031-02-28')).toMatchObject({ start: Date.UTC(2031, 1, 28), end: Date.UTC(2031, 2, 1), precision: 'day' })
  expect(parsed('2031-02-28T10:00Z')).toMatchObject({ precision: 'minute', zoned: true })
  expect(parsed('2031-02-28T10:00:01+02:00')).toMatchObject({ start: Date.UTC(2031, 1, 28, 8, 0, 1), end: Date.UTC(2031, 1, 28, 8, 0, 2), precision: 'second' })
  expect(parsed('2031-02-28T10:00:01.2567-03:30')).toMatchObject({ start: Date.UTC(2031, 1, 28, 13, 30, 1, 256), precision: 'fraction' })
})

it.each(['2031-2-1', '2031-02-30', '2031-13', '31', 'yesterday', '2031-05-06T24:00:00Z', '2031-05-06T10:60:00Z', '2031-05-06T10:00:00+15:00', '1700-01-01', '2031-05-06T'])('does not read %s', said => { expect(parseTime(said, 'UTC').kind).toBe('unparsable') })
it.each([undefined, null, '', '  ', 7, {}])('finds no time in %j', said => { expect(parseTime(said, 'UTC').kind).toBe('empty') })

it('reads a day, and a time without an offset, in the feed\'s zone', () => {
  expect(parsed('2031-07-01', 'Europe/Madrid').start).toBe(Date.UTC(2031, 5, 30, 22))
  expect(parsed('2031-07-01T10:00:00', 'Europe/Madrid')).toMatchObject({ start: Date.UTC(2031, 6, 1, 8), zoned: false })
})

it('reads what a moment was written as, at any precision and offset, into an interval that holds it', () => {
  fc.assert(fc.property(fc.integer({ min: Date.UTC(1901, 0), max: Date.UTC(2099, 0) }), fc.integer({ min: -14 * 60, max: 14 * 60 }), fc.constantFrom('year', 'month', 'day', 'minute', 'second', 'fraction'), (at, offset, precision) => {
    const iso = new Date(at + offset * 60_000).toISOString()
    const sign = offset < 0 ? '-' : '+'
    const zone = `${sign}${String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0')}:${String(Math.abs(offset) % 60).padStart(2, '0')}`
    const said = { year: iso.slice(0, 4), month: iso.slice(0, 7), day: iso.slice(0, 10), minute: iso.slice(0, 16) + zone, second: iso.slice(0, 19) + zone, fraction: iso.slice(0, 23) + zone }[precision]!
    const time = parsed(said)
    const zoned = !['year', 'month', 'day'].includes(precision)
    const moment = zoned ? at : at + offset * 60_000
    expect(time.precision).toBe(precision)
    expect(time.zoned).toBe(zoned)
    expect(time.start <= moment && moment < time.end).toBe(true)
  }))
})

it('puts intervals of a coarser precision around those of a finer one', () => {
  fc.assert(fc.property(fc.integer({ min: Date.UTC(1901, 0), max: Date.UTC(2099, 0) }), fc.constantFrom('UTC', 'Europe/Madrid', 'America/New_York', 'Asia/Kolkata'), (at, zone) => {
    const iso = new Date(at).toISOString()
    const intervals = [4, 7, 10].map(length => parsed(iso.slice(0, length), zone))
    for (let i = 1; i < intervals.length; i++) expect(intervals[i - 1]!.start <= intervals[i]!.start && intervals[i]!.end <= intervals[i - 1]!.end && intervals[i]!.start < intervals[i]!.end).toBe(true)
  }))
})
