import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kidneyView } from '../../../features/views/index.ts'
import { toCanonical } from '../../../streams/events/index.ts'
import { scored as scoredBy, type About, type Scored } from './kit.ts'
import { plainKdigo } from './plain-scores.ts'

type Results = readonly (readonly [hoursAgo: number, mgPerDl: number])[]
const DAY = 24
const scored = (creatinine: Results, about?: About): Scored => scoredBy(kidneyView, { creatinine }, about)
const stage = (creatinine: Results, about?: About): number => scored(creatinine, about)['kdigoCreatinine']!
/** Given in umol/L, as an English laboratory reports. */
const umol = (results: Results): Results => results.map(([h, x]) => [h, toCanonical('creatinine', x, 'umol/L')!] as const)

describe('NHS England 2014, branch by branch', () => {
  it('no earlier result in a year: no stage; a result that cannot be compared says so', () => {
    for (const results of [[[0, 1.8]], [[367 * DAY, 0.8], [0, 1.8]], [[0, 6]]] as const) {
      const s = scored(results)
      expect([s['kdigoCreatinine'], s['kdigo'], s['creatinineRatio'], s['creatinineAlone']]).toEqual([NaN, NaN, NaN, 1])
    }
  })
  it('no result in two days: nothing at all', () => { expect(['kdigoCreatinine', 'creatinineAlone', 'creatinineRatio', 'creatinineLast'].map(n => scored([[49, 3], [60, 1]])[n])).toEqual([NaN, NaN, NaN, NaN]) })

  it.each([[1.4, 0], [1.49, 0], [1.5, 1], [1.9, 1], [1.99, 1], [2, 2], [2.9, 2], [2.99, 2], [3, 3], [3.5, 3]])('a result within 7 days: %d times the lowest is stage %d', (times, points) => {
    const s = scored([[6 * DAY, 1.3], [4 * DAY, 1], [3 * DAY, 1.2], [0, times]])
    expect([s['kdigoCreatinine'], s['creatinineRatio7d'], s['creatinineRatioYear'], s['creatinineAlone']]).toEqual([points, times, NaN, 0])
  })
  it.each([[1.4, 0], [1.5, 1], [2, 2], [3, 3]])('only results of 8 to 365 days: %d times their median is stage %d', (times, points) => {
    const s = scored([[300 * DAY, 0.5], [100 * DAY, 1], [20 * DAY, 3], [0, times]])
    expect([s['kdigoCreatinine'], s['creatinineRatio7d'], s['creatinineRatioYear']]).toEqual([points, NaN, times])
  })
  it('the median of an even number is the mean of the two in the middle', () => { expect(scored([[100 * DAY, 0.6], [90 * DAY, 0.9], [80 * DAY, 1.1], [70 * DAY, 4], [0, 2]])['creatinineRatioYear']).toBe(2) })
  it('results of both: the higher of the two quotients', () => {
    expect(stage([[100 * DAY, 1], [3 * DAY, 1.9], [0, 2]])).toBe(2) // came in with it
    expect(stage([[100 * DAY, 2.2], [3 * DAY, 1], [0, 2]])).toBe(2) // chronic, was better, is worse
    expect(stage([[100 * DAY, 2], [3 * DAY, 1.9], [0, 2]])).toBe(0) // chronic and stable
  })
  it('days are whole days: nothing falls between 7 and 8', () => {
    const at = (days: number): readonly unknown[] => { const s = scored([[days * DAY, 1], [0, 2]]); return [s['creatinineRatio7d'], s['creatinineRatioYear'], s['kdigoCreatinine']] }
    expect([7, 7.5, 8, 8.001, 365, 366].map(at)).toEqual([[2, NaN, 2], [2, NaN, 2], [2, NaN, 2], [NaN, 2, 2], [NaN, 2, 2], [NaN, 2, 2]])
  })

  it.each([[1.29, 0], [1.3, 1], [1.4, 1]])('quotient below 1.5: from 1.0 to %d in 48 hours is stage %d', (now, points) => {
    expect([stage([[48, 1], [0, now]]), stage([[48.01, 1], [0, now]])]).toEqual([points, 0])
  })
  it('rises from the lowest of 48 hours, wherever it stands', () => { expect([scored([[40, 3], [20, 2], [10, 2.6], [0, 2.4]])['creatinineRise48h'], stage([[40, 3], [20, 2], [10, 2.6], [0, 2.4]])]).toEqual([0.4, 1]) })
  it.each([[0.9, 1.2], [0.7, 1], [1.1, 1.4], [2.2, 2.5]])('0.3 is 0.3, whatever binary fractions make of %d to %d', (from, to) => { expect(stage([[24, from], [0, to]])).toBe(1) })
  it('a creatinine that falls is no injury by its rise, and still one by its quotient', () => {
    expect([stage([[40, 2.4], [20, 2.2], [0, 2]]), stage([[5 * DAY, 1], [20, 3], [0, 2.5]])]).toEqual([0, 2])
  })

  it.each([[3.9, 1], [3.99, 1], [4, 3], [4.2, 3]])('an acute %d mg/dL is stage %d', (now, points) => { expect(stage([[24, now - 0.4], [0, now]])).toBe(points) })
  it('4.0 mg/dL and more that is not acute is no stage 3: chronic disease', () => { expect([stage([[100 * DAY, 5], [3 * DAY, 5.1], [0, 5.2]]), stage([[24, 4.8], [0, 5]])]).toEqual([0, 0]) })
})

describe('in umol/L, as English laboratories report', () => {
  it.each([[26, 0], [26.4, 0], [26.5, 1], [27, 1]])('a rise of %d umol/L in 48 hours is stage %d (0.3 mg/dL is 26.5)', (rise, points) => { expect(stage(umol([[24, 100], [0, 100 + rise]]))).toBe(points) })
  it.each([[353, 1], [353.5, 1], [353.6, 3], [354, 3]])('an acute %d umol/L is stage %d (4.0 mg/dL is 353.6)', (now, points) => { expect(stage(umol([[24, 300], [0, now]]))).toBe(points) })
  it.each([[80, 119, 0], [80, 120, 1], [60, 120, 2], [40, 120, 3], [70, 105, 1]])('%d to %d is stage %d, to the micromole', (from, to, points) => { expect(stage(umol([[100 * DAY, from], [0, to]]))).toBe(points) })
  it('a laboratory in mg/dL and one in umol/L agree', () => { expect([stage([[24, 1], [0, 2.5]]), stage(umol([[24, 88.4], [0, 221]]))]).toEqual([2, 2]) })
})

describe('children', () => {
  it('are not staged: their rules are others', () => { expect([17, 18, 80].map(ageYears => stage([[24, 0.4], [0, 1.3]], { ageYears }))).toEqual([NaN, 3, 3]) })
  it('an unknown age is taken for an adult', () => { expect(stage([[24, 0.4], [0, 1.3]])).toBe(3) })
  it('but what was measured is shown', () => { expect(scored([[24, 0.4], [0, 1.3]], { ageYears: 5 })['creatinineRise48h']).toBe(0.9) })
})

describe('urine', () => {
  const hourly = (volume: number, fromHours: number): Results => Array.from({ length: fromHours + 1 }, (_, i) => [fromHours - i, volume] as const)
  it('twelve hours without any are stage 3, whatever the creatinine', () => {
    const s = scoredBy(kidneyView, { urineOutput: hourly(0, 18), creatinine: [[24, 1], [0, 1.1]] })
    expect(['urine12h', 'kdigoAnuria', 'kdigoCreatinine', 'kdigo', 'kdigoMissing'].map(n => s[n])).toEqual([0, 3, 0, 3, 0])
  })
  it('some are not, and nothing that was not charted is taken for none', () => {
    const of = (urineOutput: Results): readonly unknown[] => { const s = scoredBy(kidneyView, { urineOutput }); return [s['kdigoAnuria'], s['kdigo'], s['kdigoMissing']] }
    expect([of(hourly(1, 18)), of(hourly(0, 11)), of([[0, 0]])]).toEqual([[0, 0, 1], [NaN, NaN, 2], [NaN, NaN, 2]])
  })
})

// On a lattice of six hours and of days, so that the windows' edges are common.
const HOURS = fc.oneof(fc.nat(10).map(x => x * 6), fc.nat(10).map(x => x * DAY), fc.constantFrom(8 * DAY, 30 * DAY, 365 * DAY, 366 * DAY, 367 * DAY), fc.nat(400).map(x => x * DAY))
const RESULTS = fc.uniqueArray(fc.record({ hoursAgo: HOURS, value: fc.integer({ min: 3, max: 60 }).map(x => x / 10) }), { selector: r => r.hoursAgo, minLength: 1, maxLength: 9 })

it('equals a plain list algorithm written from the two guidelines', () => {
  let staged = 0
  fc.assert(fc.property(RESULTS, results => {
    const expected = plainKdigo(results)
    if (expected !== undefined) staged++
    expect(stage(results.map(r => [r.hoursAgo, r.value] as const))).toBe(expected ?? NaN)
  }), { numRuns: 500 })
  expect(staged).toBeGreaterThan(100)
})

it('is between 0 and 3, and does not fall when the newest result is higher', () => {
  fc.assert(fc.property(RESULTS, fc.integer({ min: 0, max: 40 }), (results, by) => {
    const at = Math.min(...results.map(r => r.hoursAgo))
    const of = (more: number): number => stage(results.map(r => [r.hoursAgo, r.hoursAgo === at ? r.value + more / 10 : r.value] as const))
    const [before, after] = [of(0), of(by)]
    expect(Number.isNaN(before)).toBe(Number.isNaN(after))
    if (!Number.isNaN(before)) expect([0, 1, 2, 3].includes(before) && after >= before).toBe(true)
  }), { numRuns: 200 })
})
