import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConceptId } from '../../../streams/events/index.ts'
import { deteriorationView, news2View } from '../../../features/views/index.ts'
import { scored as scoredBy, type Readings, type Scored } from './kit.ts'
import { plainMews, plainNews2, plainQsofa, plainSirs, total, type Set } from './plain-scores.ts'

const scored = (readings: Readings): Scored => scoredBy(deteriorationView, readings)

type Rows = readonly (readonly [part: string, concept: ConceptId, points: readonly (readonly [value: number, points: number])[]])[]

// Seymour 2016, Singer 2016 box 4.
const QSOFA: Rows = [
  ['qsofaRespiration', 'respiratoryRate', [[12, 0], [21, 0], [22, 1], [40, 1]]],
  ['qsofaSystolic', 'systolic', [[60, 1], [100, 1], [101, 0], [180, 0]]],
  ['qsofaMentation', 'gcs', [[3, 1], [13, 1], [14, 1], [15, 0]]],
  ['qsofaMentation', 'consciousness', [[0, 0], [1, 1], [2, 1], [4, 1]]],
]
// Bone 1992, table 1: "more than" and "less than" are strict.
const SIRS: Rows = [
  ['sirsTemperature', 'temperature', [[35.9, 1], [36, 0], [37, 0], [38, 0], [38.1, 1]]],
  ['sirsHeartRate', 'heartRate', [[60, 0], [90, 0], [91, 1]]],
  ['sirsRespiration', 'respiratoryRate', [[20, 0], [21, 1]]],
  ['sirsRespiration', 'paco2', [[31.9, 1], [32, 0], [40, 0]]],
  ['sirsLeukocytes', 'wbc', [[3.9, 1], [4, 0], [12, 0], [12.1, 1]]],
]
// Subbe 2001, table 1: both edges of every band.
const MEWS: Rows = [
  ['mewsSystolic', 'systolic', [[40, 3], [70, 3], [71, 2], [80, 2], [81, 1], [100, 1], [101, 0], [199, 0], [200, 2], [240, 2]]],
  ['mewsHeartRate', 'heartRate', [[30, 2], [39, 2], [40, 2], [41, 1], [50, 1], [51, 0], [100, 0], [101, 1], [110, 1], [111, 2], [129, 2], [130, 3], [180, 3]]],
  ['mewsRespiration', 'respiratoryRate', [[4, 2], [8, 2], [9, 0], [14, 0], [15, 1], [20, 1], [21, 2], [29, 2], [30, 3], [50, 3]]],
  ['mewsTemperature', 'temperature', [[33, 2], [34.9, 2], [35, 0], [38.4, 0], [38.5, 2], [41, 2]]],
  ['mewsConsciousness', 'consciousness', [[0, 0], [1, 0], [2, 1], [3, 2], [4, 3]]],
]

for (const [name, rows] of [['qSOFA', QSOFA], ['SIRS', SIRS], ['MEWS', MEWS]] as const) {
  describe(`${name}: every edge of the chart`, () => {
    for (const [part, concept, cases] of rows) it.each(cases)(`${concept} %d gives %d`, (value, points) => { expect(scored({ [concept]: value })[part]).toBe(points) })
  })
}

it('a septic patient: qSOFA 3, SIRS 4, MEWS 8', () => {
  const s = scored({ respiratoryRate: 28, systolic: 85, heartRate: 125, temperature: 39.2, gcs: 13, consciousness: 2, wbc: 18, paco2: 30 })
  expect([s['qsofa'], s['qsofaMissing'], s['sirs'], s['sirsMissing'], s['mews'], s['mewsMissing']]).toEqual([3, 0, 4, 0, 8, 0])
})

it('a well patient scores nothing, with nothing missing', () => {
  const s = scored({ respiratoryRate: 14, systolic: 120, heartRate: 70, temperature: 37, gcs: 15, consciousness: 0, wbc: 7, paco2: 40 })
  expect([s['qsofa'], s['qsofaMissing'], s['sirs'], s['sirsMissing'], s['mews'], s['mewsMissing']]).toEqual([0, 0, 0, 0, 0, 0])
})

it('with parts missing a score is a lower bound that says how many; with all missing there is none', () => {
  const s = scored({ respiratoryRate: 30 })
  expect([s['qsofa'], s['qsofaMissing'], s['sirs'], s['sirsMissing'], s['mews'], s['mewsMissing']]).toEqual([1, 2, 1, 3, 3, 4])
  const none = scored({ spo2: 97 })
  expect([none['qsofa'], none['qsofaMissing'], none['sirs'], none['sirsMissing'], none['mews'], none['mewsMissing']]).toEqual([NaN, 3, NaN, 4, NaN, 5])
})

it('one of two signs is enough for a part, and a normal one does not hide the other', () => {
  expect([scored({ gcs: 15, consciousness: 1 })['qsofaMentation'], scored({ gcs: 14, consciousness: 0 })['qsofaMentation']]).toEqual([1, 1])
  expect([scored({ respiratoryRate: 16, paco2: 25 })['sirsRespiration'], scored({ respiratoryRate: 24, paco2: 40 })['sirsRespiration']]).toEqual([1, 1])
})

it('what was charted more than twelve hours ago does not count; leukocytes count for a day', () => {
  const s = scored({ respiratoryRate: [[12.1, 30]], systolic: [[12, 85]], wbc: [[23, 20]], heartRate: [[24, 130]] })
  expect([s['qsofa'], s['qsofaMissing'], s['sirs'], s['mews']]).toEqual([1, 2, 1, 1])
  expect(scored({ wbc: [[24.1, 20]] })['sirs']).toBeNaN()
})

describe('indices', () => {
  it('shock index is heart rate over systolic pressure, modified over the mean', () => {
    const s = scored({ heartRate: 120, systolic: 80, meanPressure: 60, diastolic: 50 })
    expect([s['shockIndex'], s['modifiedShockIndex']]).toEqual([1.5, 2])
  })
  it('the mean pressure is measured, else derived: 90/60 is 70', () => {
    expect([scored({ systolic: 90, diastolic: 60, heartRate: 70 })['derivedMeanPressure'], scored({ systolic: 90, diastolic: 60, heartRate: 70 })['modifiedShockIndex']]).toEqual([70, 1])
    expect(scored({ systolic: 90, heartRate: 70 })['derivedMeanPressure']).toBeNaN()
  })
  it('are not made of a pressure of hours ago', () => { expect(scored({ heartRate: 120, systolic: [[1.1, 80]] })['shockIndex']).toBeNaN() })
  it('ROX: 92 % on half oxygen at 30 breaths is 6.13, on air 97 % at 16 is 28.9 (Roca 2019)', () => {
    expect(scored({ spo2: 92, fio2: 50, respiratoryRate: 30 })['roxIndex']).toBeCloseTo(6.133, 3)
    expect(scored({ spo2: 97, oxygenTherapy: 0, respiratoryRate: 16 })['roxIndex']).toBeCloseTo(28.87, 2)
  })
  it('inspired oxygen is the fraction charted; "on air" counts where it was charted later, or alone; a flow is no fraction', () => {
    const sf = (readings: Readings): number | undefined => scored({ spo2: 84, ...readings })['spo2OverFio2']
    expect([sf({ fio2: 40 }), sf({ fio2: [[2, 40]], oxygenTherapy: [[1, 0]] }), sf({ fio2: [[1, 40]], oxygenTherapy: [[2, 0]] }), sf({ fio2: 40, oxygenTherapy: 0 }), sf({ fio2: 40, oxygenTherapy: 1 }), sf({ oxygenTherapy: 0 })].map(x => Math.round(x!))).toEqual([210, 400, 210, 210, 210, 400])
    expect([sf({ oxygenFlow: 4 }), sf({ oxygenTherapy: 1 }), sf({ fio2: [[4.1, 40]] }), sf({})]).toEqual([NaN, NaN, NaN, NaN])
  })
})

// Coarse and crossing every edge; absent now and then.
const maybe = (values: fc.Arbitrary<number>): fc.Arbitrary<number | undefined> => fc.option(values, { nil: undefined, freq: 4 })
const half = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min: min * 2, max: max * 2 }).map(x => x / 2)
const SETS: fc.Arbitrary<Set> = fc.record({
  rate: maybe(half(2, 50)), systolic: maybe(half(40, 240)), pulse: maybe(half(25, 180)), temperature: maybe(fc.integer({ min: 660, max: 840 }).map(x => x / 20)), acvpu: maybe(fc.nat(4)), gcs: maybe(fc.integer({ min: 3, max: 15 })),
  spo2: maybe(half(75, 100)), oxygen: maybe(fc.nat(1)), scale: maybe(fc.integer({ min: 1, max: 2 })), wbc: maybe(half(0, 30)), paco2: maybe(half(20, 60)),
}) as fc.Arbitrary<Set>
const readingsOf = (s: Set): Readings => Object.fromEntries(Object.entries({ respiratoryRate: s.rate, systolic: s.systolic, heartRate: s.pulse, temperature: s.temperature, consciousness: s.acvpu, gcs: s.gcs, spo2: s.spo2, oxygenTherapy: s.oxygen, spo2Scale: s.scale, wbc: s.wbc, paco2: s.paco2 }).filter(([, v]) => v !== undefined))

describe('against plain functions written from the charts', () => {
  it('qSOFA, SIRS, MEWS: each part, the sum of those that are known, how many are not', () => {
    fc.assert(fc.property(SETS, set => {
      const s = scored({ etco2: 35, diastolic: 60, ...readingsOf(set) })
      for (const [score, parts, of] of [['qsofa', 3, plainQsofa], ['sirs', 4, plainSirs], ['mews', 5, plainMews]] as const) {
        const plain = of(set)
        const names = deteriorationView.names.filter(n => n.startsWith(score) && n !== score && n !== `${score}Missing`)
        expect(names).toHaveLength(parts)
        expect(names.map(n => s[n])).toEqual(plain.map(p => p ?? NaN))
        expect([s[score], s[`${score}Missing`]]).toEqual([total(plain) ?? NaN, plain.filter(p => p === undefined).length])
      }
    }), { numRuns: 300 })
  })
  it('NEWS2 on both scales, with and without oxygen', () => {
    fc.assert(fc.property(SETS, set => {
      const s = scoredBy(news2View, { etco2: 35, hemoglobin: 12, wbc: 5, ...readingsOf(set) })
      const plain = plainNews2(set)
      expect(news2View.names.slice(0, 7).map(n => s[n])).toEqual(plain.map(p => p ?? NaN))
      expect([s['news2'], s['news2Missing']]).toEqual([total(plain) ?? NaN, plain.filter(p => p === undefined).length])
    }), { numRuns: 300 })
  })
})

describe('properties', () => {
  const MAXIMA = { qsofa: 3, sirs: 4, mews: 14 } as const
  it('a score is between 0 and its maximum', () => {
    fc.assert(fc.property(SETS, set => {
      const s = scored(readingsOf({ rate: 12, ...set }))
      for (const [score, maximum] of Object.entries(MAXIMA)) if (!Number.isNaN(s[score]!)) expect(s[score]! >= 0 && s[score]! <= maximum).toBe(true)
    }), { numRuns: 100 })
  })
  it('qSOFA does not fall when breathing is faster or pressure lower', () => {
    fc.assert(fc.property(SETS, half(0, 20), (set, by) => {
      const known = { rate: 18, systolic: 120, ...Object.fromEntries(Object.entries(set).filter(([, v]) => v !== undefined)) }
      expect(scored(readingsOf({ ...known, rate: known.rate + by, systolic: known.systolic - by }))['qsofa']).toBeGreaterThanOrEqual(scored(readingsOf(known))['qsofa']!)
    }), { numRuns: 100 })
  })
  it('a part more is never a lower score', () => {
    fc.assert(fc.property(SETS, set => {
      const whole = { rate: 16, systolic: 120, pulse: 70, temperature: 37, acvpu: 0, gcs: 15, wbc: 7, paco2: 40, ...Object.fromEntries(Object.entries(set).filter(([, v]) => v !== undefined)) }
      const { pulse, wbc, ...fewer } = whole
      const [all, some] = [scored(readingsOf(whole)), scored(readingsOf(fewer))]
      for (const score of Object.keys(MAXIMA)) expect(all[score]).toBeGreaterThanOrEqual(some[score]!)
      expect([pulse, wbc]).not.toContain(undefined)
    }), { numRuns: 100 })
  })
})
