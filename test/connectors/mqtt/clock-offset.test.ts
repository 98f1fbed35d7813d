import { expect, it } from 'vitest'
import { ClockOffset, distanceOf, looksLike } from '../../../connectors/mqtt/clock-offset.ts'

const MINUTE = 60_000
/** A message each 10 s for so many minutes. */
function feed (clock: ClockOffset, fromMinute: number, minutes: number, lag: (second: number) => number): void {
  for (let s = fromMinute * 60; s < (fromMinute + minutes) * 60; s += 10) clock.add(s * 1_000 - lag(s), s * 1_000)
}

it('says nothing until three minutes are over, then how far the clock is behind, whatever the delays', () => {
  const clock = new ClockOffset()
  feed(clock, 0, 3, s => 5_000 + s % 7 * 400)
  expect(clock.estimate).toBeUndefined()
  feed(clock, 3, 1, () => 5_000)
  expect(clock.estimate).toBe(5_000)
})

it('is not moved by one wrong time, nor by a minute of readings that were kept for an hour', () => {
  const clock = new ClockOffset()
  feed(clock, 0, 5, () => 100)
  feed(clock, 5, 1, () => 3_600_000)
  clock.add(6.5 * MINUTE + 9e9, 6.5 * MINUTE)
  feed(clock, 7, 1, () => 100)
  expect(clock.estimate).toBe(100)
})

it('follows a clock that was set after three minutes, also one that is ahead', () => {
  const clock = new ClockOffset()
  feed(clock, 0, 6, () => 100)
  feed(clock, 6, 4, () => -120_000)
  expect(clock.estimate).toBe(-120_000)
})

const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

it('follows a clock that drifts, four minutes late', () => {
  const clock = new ClockOffset()
  feed(clock, 0, 600, s => 100 + s * 20) // 20 ms a second: 72 s an hour, worse than any quartz
  expect(Math.abs(clock.estimate! - 600 * 60 * 20)).toBeLessThan(300 * 20)
})

it('sees summer time that was set by mistake, and the clock that was set right again', () => {
  const clock = new ClockOffset()
  feed(clock, 0, 10, () => 150)
  feed(clock, 10, 4, () => -HOUR + 150)
  expect([clock.estimate, looksLike(clock.estimate!), distanceOf(clock.estimate)]).toEqual([-HOUR + 150, 'zone', 'hours'])
  feed(clock, 14, 4, () => 150)
  expect([clock.estimate, distanceOf(clock.estimate)]).toEqual([150, 'inStep'])
})

it('sees a battery that is empty: a clock that begins anew at 1970, or at 2000', () => {
  for (const epoch of [0, Date.UTC(2000, 0, 1)]) {
    const clock = new ClockOffset()
    const from = Date.UTC(2031, 4, 6)
    for (let minute = 0; minute < 6; minute++) clock.add(epoch + minute * MINUTE, from + minute * MINUTE)
    expect([clock.estimate, looksLike(clock.estimate!), distanceOf(clock.estimate)]).toEqual([from - epoch, 'dateLost', 'days'])
  }
})

it('goes on after a restart as if there had been none', () => {
  const [whole, before] = [new ClockOffset(), new ClockOffset()]
  feed(whole, 0, 20, s => 420_000 + s % 7 * 300)
  feed(before, 0, 8, s => 420_000 + s % 7 * 300)
  expect(before.estimate).toBe(420_000)
  const after = new ClockOffset(JSON.parse(JSON.stringify(before.row)) as NonNullable<typeof before.row>)
  expect([after.estimate, after.heardAt]).toEqual([420_000, 8 * MINUTE - 10_000])
  feed(after, 8, 12, s => 420_000 + s % 7 * 300)
  expect(after.estimate).toBe(whole.estimate)
  expect(new ClockOffset().row).toBeUndefined()
})

it('a minute of what a broker kept while we were away does not move an estimate that was kept', () => {
  const before = new ClockOffset()
  feed(before, 0, 8, () => 100)
  const after = new ClockOffset(before.row)
  feed(after, 68, 1, s => s * 1_000 - 8 * MINUTE)
  feed(after, 69, 2, () => 100)
  expect(after.estimate).toBe(100)
})

it('says how far off, in steps', () => {
  expect([undefined, 0, 1_999, -2_000, 59_999, 60_000, HOUR - 60_001, -HOUR + 60_000, DAY].map(distanceOf)).toEqual(['unknown', 'inStep', 'inStep', 'seconds', 'seconds', 'minutes', 'minutes', 'hours', 'days'])
})

it('says what it looks like: a zone by whole or half hours to a minute, a lost date by half a year', () => {
  expect([420_000, HOUR, -HOUR + 59_000, HOUR + 61_000, 5.5 * HOUR, 14 * HOUR, 15 * HOUR, 29 * MINUTE, 179 * DAY, 181 * DAY].map(looksLike)).toEqual(['off', 'zone', 'zone', 'off', 'zone', 'zone', 'off', 'zone', 'off', 'dateLost'])
})
