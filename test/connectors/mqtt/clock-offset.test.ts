import { expect, it } from 'vitest'
import { ClockOffset, offsetBucket } from '../../../connectors/mqtt/clock-offset.ts'

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

it('names what it finds in four steps', () => {
  expect([0, 1_999, -2_000, 59_999, 60_000, -3_600_000].map(offsetBucket)).toEqual(['clock-in-step', 'clock-in-step', 'clock-off-seconds', 'clock-off-seconds', 'clock-off-minutes', 'clock-off-hours'])
})
