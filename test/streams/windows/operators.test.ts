import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hopping, session, sliding, tumbling, type AsOf, type AsOfOrClosed, type AsOfWindows, type ClosingWindows, type WindowMachine } from '../../../streams/windows/index.ts'
import { naiveHopping, naiveSession, naiveSliding, startsOf } from './naive.ts'
import { AGGREGATES, rounded, stories, tell, type Name, type Story, type Told } from './stories.ts'

interface Case {
  readonly name: string
  readonly machine: WindowMachine<'ts', 'value', Name>
  readonly naive: (story: Story) => readonly Told[]
  /** How many windows a reading is in; undefined: the operator does not close windows. */
  readonly windowsOf?: (ts: number) => number
}

const of = (windows: ClosingWindows): AsOfOrClosed<'ts', 'value', typeof AGGREGATES> => windows.eventTime('ts').of('value').aggregate(AGGREGATES)
const asOf = (windows: AsOfWindows): AsOf<'ts', 'value', typeof AGGREGATES> => windows.eventTime('ts').of('value').aggregate(AGGREGATES)
const one = (): number => 1

const CASES: readonly Case[] = [
  { name: 'tumbling', machine: of(tumbling({ size: '20 s', grace: '10 s' })).onClose(), naive: naiveHopping({ size: 20_000, every: 20_000, grace: 10_000 }), windowsOf: one },
  { name: 'hopping', machine: of(hopping({ size: '30 s', every: '10 s', grace: '10 s' })).onClose(), naive: naiveHopping({ size: 30_000, every: 10_000, grace: 10_000 }), windowsOf: ts => startsOf(ts, 30_000, 10_000).length },
  { name: 'hopping whose size is no multiple', machine: of(hopping({ size: '25 s', every: '10 s', grace: '5 s' })).onClose(), naive: naiveHopping({ size: 25_000, every: 10_000, grace: 5_000 }), windowsOf: ts => startsOf(ts, 25_000, 10_000).length },
  { name: 'hopping without grace', machine: of(hopping({ size: '20 s', every: '10 s' })).onClose(), naive: naiveHopping({ size: 20_000, every: 10_000, grace: 0 }), windowsOf: ts => startsOf(ts, 20_000, 10_000).length },
  { name: 'hopping with corrections', machine: of(hopping({ size: '20 s', every: '10 s', grace: '10 s' })).onClose({ corrections: '25 s' }), naive: naiveHopping({ size: 20_000, every: 10_000, grace: 10_000, corrections: 25_000 }), windowsOf: ts => startsOf(ts, 20_000, 10_000).length },
  { name: 'tumbling on each reading', machine: of(tumbling({ size: '20 s', grace: '10 s' })).onReading(), naive: naiveHopping({ size: 20_000, every: 20_000, grace: 10_000, answers: 1 }) },
  { name: 'hopping on each third reading', machine: of(hopping({ size: '20 s', every: '10 s', grace: '10 s' })).onReading({ every: 3 }), naive: naiveHopping({ size: 20_000, every: 10_000, grace: 10_000, answers: 3 }) },
  { name: 'sliding', machine: asOf(sliding({ size: '20 s', grace: '10 s' })).onReading(), naive: naiveSliding({ size: 20_000, grace: 10_000, answers: 1 }) },
  { name: 'sliding on each second reading', machine: asOf(sliding({ size: '30 s' })).onReading({ every: 2 }), naive: naiveSliding({ size: 30_000, grace: 0, answers: 2 }) },
  { name: 'session', machine: of(session({ gap: '10 s', grace: '10 s' })).onClose(), naive: naiveSession({ gap: 10_000, grace: 10_000 }), windowsOf: one },
  { name: 'session with corrections', machine: of(session({ gap: '10 s', grace: '5 s' })).onClose({ corrections: '30 s' }), naive: naiveSession({ gap: 10_000, grace: 5_000, corrections: 30_000 }), windowsOf: one },
  { name: 'session on each second reading', machine: of(session({ gap: '15 s', grace: '10 s' })).onReading({ every: 2 }), naive: naiveSession({ gap: 15_000, grace: 10_000, answers: 2 }) },
]

const check = (property: (story: Story, dice: readonly number[]) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(stories, fc.array(fc.nat(9), { minLength: 6, maxLength: 6 }), property), { numRuns: 60 })

describe.each(CASES)('$name', ({ machine, naive, windowsOf }) => {
  it('has something to say in these stories, and refuses some of them as late', () => {
    const told = fc.sample(stories, { numRuns: 60, seed: 7 }).map(naive)
    expect(told.filter(t => t.some(m => m.said.length > 0)).length).toBeGreaterThan(20)
    expect(told.filter(t => t.some(m => m.late)).length).toBeGreaterThan(10)
  })

  it('says what its naive twin says, on the same record', () => check(async story => { expect(rounded(await tell(machine, story))).toEqual(rounded(naive(story))) }))

  it('says the same bytes when the same records come again', () => check(async story => { expect(await tell(machine, story)).toEqual(await tell(machine, story)) }))

  it('goes on the same from rows and replay, wherever it was cut and however many rows were taken', () => check(async (story, dice) => {
    const restarts = new Map(dice.map((d, i) => [Math.floor(story.length * (i + d / 10) / dice.length), d % 4]))
    expect(await tell(machine, story, restarts)).toEqual(await tell(machine, story))
  }))

  it('changes nothing for a key when another\'s records come', () => check(async story => {
    const whole = await tell(machine, story)
    for (const key of ['a', 'b', 'c|d']) {
      const alone = await tell(machine, story.map(m => m.key === key ? m : { ...m, key: undefined }))
      expect(alone.map(t => t.said)).toEqual(whole.map(t => t.said.filter(s => s.key === key)))
    }
  }))

  it('says the same however often ticks come', () => check(async story => {
    const ticks = (await tell(machine, story.flatMap(m => [{ ...m, key: undefined, at: m.at - 2_500 }, m]))).flatMap(t => t.said)
    expect(ticks).toEqual((await tell(machine, story)).flatMap(t => t.said))
  }))

  it.runIf(windowsOf !== undefined)('counts each reading once in every window of its own, or reports it', () => check(async story => {
    const told = await tell(machine, [...story, { at: Math.max(...story.map(m => m.at)) + 1_000_000, key: undefined, ts: 0, value: 0 }])
    const final = new Map<string, number>()
    for (const { key, start, cause, figures } of told.flatMap(t => t.said)) {
      if (cause === 'retraction') final.delete(`${key}@${start}`)
      else final.set(`${key}@${start}`, figures.n)
    }
    let clock = 0
    let least = 0
    let most = 0
    story.forEach(({ at, key, ts }, i) => {
      clock = Math.max(clock, at)
      if (key === undefined) return
      const windows = windowsOf!(Math.min(ts, clock))
      least += told[i]!.late ? 0 : windows
      most += told[i]!.late ? windows - 1 : windows // a reading that is reported was late for one of its windows at least
    })
    const counted = [...final.values()].reduce((a, n) => a + n, 0)
    expect(counted).toBeGreaterThanOrEqual(least)
    expect(counted).toBeLessThanOrEqual(most)
  }))
})
