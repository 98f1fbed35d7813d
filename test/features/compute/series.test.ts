import { expect, it } from 'vitest'
import { planViews } from '../../../features/compute/index.ts'
import { addDense, emptyDense } from '../../../features/compute/dense.ts'
import { identityOf } from '../../../features/compute/kept.ts'
import { applyObservation, emptySeries, type Applied, type Series } from '../../../features/compute/series.ts'
import { bucketsOf } from '../../../features/compute/sketch.ts'
import { quantileOf } from '../../../features/compute/window-stats.ts'
import { count, featureView, last, max, quantile, type Feature } from '../../../features/define/index.ts'
import { CONCEPT_IDS, CONCEPTS, type ObservationKind } from '../../../streams/events/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { START } from './lattice.ts'

const HOUR = 3_600_000
const planOf = (features: Readonly<Record<string, Feature>>): ReturnType<typeof planViews> => planViews([featureView({ name: 'small', version: 1, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '1 m' }, features })])
const plan = planOf({ heartRateCount: count('heartRate').over('1 h') }).series[0]!

const taken = (...times: readonly number[]): readonly string[] => {
  const dense = emptyDense(plan)
  return times.map((time, i) => addDense(plan, dense, START + time, 80, i + 1))
}

it('takes device readings that are newer, whatever their distance', () => { expect(taken(0, 1, 2, 300)).toEqual(['added', 'added', 'added', 'added']) })
it('takes one older reading of a quarter of a second', () => { expect(taken(1_000, 749, 500, 501, 499, 1_000, 999)).toEqual(['added', 'added', 'duplicate', 'duplicate', 'added', 'duplicate', 'added']) })
it('takes what is late by an hour, and not by a millisecond more', () => { expect(taken(2 * HOUR, HOUR, HOUR - 1, HOUR - 500)).toEqual(['added', 'added', 'late', 'late']) })
it('knows the second but newest of device readings through disorder', () => {
  const dense = emptyDense(plan)
  for (const [i, time] of [10_000, 5_000, 7_000, 6_000].entries()) addDense(plan, dense, START + time, i, i + 1)
  expect([...dense.dense.subarray(0, 6)]).toEqual([START + 10_000, 0, 1, START + 7_000, 2, 3])
})

it('takes each reading once over hours at 1 Hz, each sent again, some late', () => {
  const dense = emptyDense(plan)
  const became: Record<string, number> = {}
  const sent = new Set<number>()
  const add = (time: number): void => { sent.add(time); const what = addDense(plan, dense, START + time, 80, 1); became[what] = (became[what] ?? 0) + 1 }
  for (let second = 0; second < 5 * 3_600; second++) {
    if (second % 7 !== 3) add(second * 1_000)
    if (second % 11 === 0) add(second * 1_000)
    if (second > 40 && second % 7 === 3) add((second - 35) * 1_000) // what was left out 35 s ago
  }
  expect([became['added'], became['late']]).toEqual([sent.size, undefined])
  expect(became['duplicate']).toBeGreaterThan(1_000)
})

function told (series: Series, kind: ObservationKind, time: number, value: number, resultId: string, truncated: () => void = () => {}): Applied {
  return applyObservation(plan, series, { concept: 'heartRate', value, comparator: '=', eventTime: START + time, status: 'final', quality: 'valid', resultId }, kind, START + time, truncated)
}

it('holds 512 results, lets the oldest go, and says so; what is past every window goes without a word', () => {
  const series = emptySeries()
  let gone = 0
  for (let n = 0; n < 600; n++) told(series, 'laboratory', n * 1_000, n, `r${n}`, () => { gone++ })
  expect([series.held, gone, series.readings[1], series.count]).toEqual([512, 88, 88, 600])
  expect(told(series, 'laboratory', 599_000, 599, 'r599')).toBe('duplicate')
  expect(series.readings.length).toBe(512 * 4)
  told(series, 'laboratory', 30 * HOUR, 1, 'late', () => { gone++ })
  expect([series.held, gone]).toEqual([3, 88])
})

it('gives a state without device readings no rings, and grows what is kept by doubling', () => {
  const series = emptySeries()
  for (let n = 0; n < 5; n++) told(series, 'charted', n * 1_000, n, '')
  expect(series.device).toBeUndefined()
  expect(series.readings.length).toBe(8 * 4)
})

it('gives identities of 53 bits', () => {
  const all = new Set(Array.from({ length: 20_000 }, (_, i) => identityOf(`order-${i}|2524-7|1`)))
  expect(all.size).toBe(20_000)
  expect([...all].every(n => Number.isSafeInteger(n) && n > 0)).toBe(true)
  expect(identityOf('')).toBe(0)
})

it('keeps sketches within 1 % of every possible value of every concept, in rising buckets', () => {
  for (const concept of CONCEPT_IDS) {
    const buckets = bucketsOf(concept)
    const [low, high] = CONCEPTS[concept].possible
    let before = -Infinity
    for (let i = 0; i < buckets.length; i++) { expect(buckets.valueOf(i)).toBeGreaterThan(before); before = buckets.valueOf(i) }
    for (let n = 0; n <= 1_000; n++) {
      const value = low + (high - low) * n / 1_000
      const said = buckets.valueOf(buckets.indexOf(value))
      if (Math.abs(said - value) > 0.01 * Math.abs(value) + 1e-9 && said !== 0) throw new Error(`${concept}: ${value} is said to be ${said}`)
      if (said === 0) expect(Math.abs(value)).toBeLessThan(Math.max(-low, high) / 1_000)
    }
  }
})

it('finds quantiles by selection as sorting does', () => {
  const random = new SeededRandom(3)
  for (let run = 0; run < 300; run++) {
    const values = Float64Array.from({ length: 1 + run % 40 }, () => Math.floor(random.next() * 12))
    const sorted = values.toSorted()
    for (const level of [0, 0.1, 0.5, 0.9, 1]) {
      const h = (values.length - 1) * level
      const low = sorted[Math.floor(h)]!
      expect(quantileOf(values.slice(), values.length, level)).toBeCloseTo(low + (h - Math.floor(h)) * ((sorted[Math.ceil(h)] ?? low) - low), 12)
    }
  }
})

it('plans columns only where something asks for them, and says what a key takes', () => {
  const small = planOf({ a: last('heartRate') })
  const rings = planOf({ a: max('heartRate').over('1 h'), b: quantile('spo2', 0.9).over('5 m') })
  expect(small.series[0]!.rings).toEqual([])
  expect(rings.series[0]!.rings[0]!.columns).toMatchObject({ extremes: true, sum: false, spread: false, first: false, trend: false, sketch: false })
  expect(rings.series[1]!.rings[0]!.buckets!.length).toBeGreaterThan(40)
  expect(rings.bytesPerKey).toBeGreaterThan(rings.series[0]!.bytesPerKey + rings.series[1]!.bytesPerKey)
  expect(rings.series[1]!.denseBytesPerKey).toBeGreaterThan(small.series[0]!.denseBytesPerKey)
})
