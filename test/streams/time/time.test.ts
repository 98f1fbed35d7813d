import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatDuration, ManualClock, parseDuration } from '../../../streams/time/index.ts'

it.each([['250 ms', 250], ['10 s', 10_000], ['5m', 300_000], ['1.5 h', 5_400_000], ['7 d', 604_800_000], [' 1 s ', 1_000]])('reads "%s"', (text, ms) => { expect(parseDuration(text)).toBe(ms) })
it.each(['', '5', 'five minutes', '-1 s', '1 w', '1  s', '1e3 s'])('refuses "%s", naming it', text => { expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: `"${text}" is not a duration` }) as Error) })

it('writes a duration so that it reads the same', () => {
  expect([formatDuration(5_400_000), formatDuration(1_500), formatDuration(0), formatDuration(864e5)]).toEqual(['90 m', '1500 ms', '0 ms', '1 d'])
  fc.assert(fc.property(fc.nat(), ms => { expect(parseDuration(formatDuration(ms))).toBe(ms) }))
})

it('wakes sleepers of a clock moved by hand in order of time, and never goes back', async () => {
  const clock = new ManualClock(100)
  const woken: number[] = []
  const sleeps = [30, 10, 20].map(async ms => { await clock.sleep(ms); woken.push(ms) })
  clock.advance(20)
  await Promise.all(sleeps.slice(1))
  expect(woken).toEqual([10, 20])
  clock.set(50)
  expect(clock.now()).toBe(120)
  clock.set(130)
  await sleeps[0]
  expect(woken).toEqual([10, 20, 30])
})

it('ends a sleep that is aborted, and repeats until it is stopped', async () => {
  const clock = new ManualClock()
  const abort = new AbortController()
  const asleep = clock.sleep(1_000, abort.signal)
  abort.abort()
  await asleep
  let n = 0
  const stop = clock.every(10, () => { n++ })
  clock.advance(35)
  stop()
  clock.advance(100)
  expect(n).toBe(3)
})
