import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { organsView } from '../../../features/views/index.ts'
import { toCanonical, type ConceptId } from '../../../streams/events/index.ts'
import { scored as scoredBy, type Readings, type Scored } from './kit.ts'
import { plainSofa, total, type Organs } from './plain-scores.ts'

const scored = (readings: Readings): Scored => scoredBy(organsView, readings)
/** So much an hour, charted each hour from 30 hours ago to now: 24 hours hold 25 entries. */
const hourly = (volume: number, fromHours = 30): readonly (readonly [number, number])[] => Array.from({ length: fromHours + 1 }, (_, i) => [fromHours - i, volume] as const)

// Vincent 1996, table 3: both edges of every band.
const SOFA: readonly (readonly [part: string, concept: ConceptId, points: readonly (readonly [value: number, points: number])[]])[] = [
  ['sofaCoagulation', 'platelets', [[250, 0], [150, 0], [149, 1], [100, 1], [99, 2], [50, 2], [49, 3], [20, 3], [19, 4], [2, 4]]],
  ['sofaLiver', 'bilirubinTotal', [[0.4, 0], [1.1, 0], [1.2, 1], [1.9, 1], [1.95, 1], [2, 2], [5.9, 2], [6, 3], [11.9, 3], [12, 4], [12.1, 4], [30, 4]]],
  ['sofaPressure', 'meanPressure', [[90, 0], [70, 0], [69, 1], [40, 1]]],
  ['sofaConsciousness', 'gcs', [[15, 0], [14, 1], [13, 1], [12, 2], [10, 2], [9, 3], [6, 3], [5, 4], [3, 4]]],
  ['sofaRenal', 'creatinine', [[0.8, 0], [1.1, 0], [1.2, 1], [1.9, 1], [2, 2], [3.4, 2], [3.5, 3], [4.9, 3], [5, 4], [9, 4]]],
]
describe('SOFA: every edge of the table', () => {
  for (const [part, concept, cases] of SOFA) it.each(cases)(`${concept} %d gives %d`, (value, points) => { expect(scored({ [concept]: value })[part]).toBe(points) })

  // PaO2 in mmHg on 50 % oxygen: twice the number is the quotient.
  it.each([[210, 0, 0], [200, 0, 0], [199.5, 1, 1], [150, 1, 1], [149.5, 2, 2], [100, 2, 2], [99.5, 2, 3], [50, 2, 3], [49.5, 2, 4]])('PaO2 %d at FiO2 0.5 gives %d, and %d with respiratory support', (pao2, points, supported) => {
    const s = scored({ pao2, fio2: 50 })
    expect([s['sofaRespiration'], s['sofaRespirationSupported'], s['pao2Fio2']]).toEqual([points, supported, pao2 * 2])
  })
  it.each([[hourly(22), NaN, 550, 0], [hourly(20), NaN, 500, 0], [hourly(19), NaN, 475, 3], [hourly(8), NaN, 200, 3], [hourly(7), NaN, 175, 4], [hourly(0), NaN, 0, 4]])('urine of a day, case %#', (urineOutput, _, sum, points) => {
    const s = scored({ urineOutput })
    expect([s['urine24h'], s['sofaRenal']]).toEqual([sum, points])
  })
})

describe('unit traps', () => {
  const canonical = (concept: ConceptId, value: number, unit: string): number => toCanonical(concept, value, unit)!
  it.each([[97, 0], [106, 0], [107, 1], [176, 1], [177, 2], [309, 2], [310, 3], [442, 3], [443, 4]])('creatinine of %d umol/L gives %d by the limits in mg/dL', (umol, points) => {
    expect(scored({ creatinine: canonical('creatinine', umol, 'umol/L') })['sofaRenal']).toBe(points)
  })
  it.each([[20, 0], [21, 1], [34, 1], [35, 2], [102, 2], [103, 3], [205, 3], [206, 4]])('bilirubin of %d umol/L gives %d by the limits in mg/dL', (umol, points) => {
    expect(scored({ bilirubinTotal: canonical('bilirubinTotal', umol, 'umol/L') })['sofaLiver']).toBe(points)
  })
  it('oxygen in kPa, as a fraction, and platelets per litre are the same patient', () => {
    expect(scored({ pao2: canonical('pao2', 10, 'kPa'), fio2: canonical('fio2', 0.5, '1') })['pao2Fio2']).toBeCloseTo(150.01, 1)
    expect(scored({ platelets: canonical('platelets', 45, '10*9/L') })['sofaCoagulation']).toBe(3)
  })
  it('a fraction charted as if it were a percentage is not physiology: the intake refuses 0.5 %', () => { expect(canonical('fio2', 0.5, '%')).toBe(0.5) })
})

it('a patient in multiple organ failure: the parts add up, and the sum is a lower bound', () => {
  const s = scored({ pao2: 60, fio2: 80, platelets: 40, bilirubinTotal: 7, meanPressure: 55, gcs: 8, creatinine: 5.2 })
  expect(['sofaRespiration', 'sofaCoagulation', 'sofaLiver', 'sofaPressure', 'sofaConsciousness', 'sofaRenal', 'sofaPartial', 'sofaMissing', 'sofaRespirationSupported'].map(n => s[n])).toEqual([2, 3, 3, 1, 3, 4, 16, 0, 4])
})

it('a part that is not known is not scored, and counted', () => {
  const s = scored({ platelets: 90, creatinine: 2.4 })
  expect([s['sofaPartial'], s['sofaMissing'], s['sofaLiver'], s['sofaRespiration']]).toEqual([4, 4, NaN, NaN])
  expect([scored({ sodium: 140 })['sofaPartial'], scored({ sodium: 140 })['sofaMissing']]).toEqual([NaN, 6])
})

it('scores the worst of a day, and nothing older', () => {
  const s = scored({ platelets: [[25, 10], [20, 60], [1, 120]], bilirubinTotal: [[24, 6.5], [2, 3]], gcs: [[10, 7], [0, 15]], creatinine: [[24.1, 6], [3, 2.2], [0, 1.3]] })
  expect([s['sofaCoagulation'], s['sofaLiver'], s['sofaConsciousness'], s['sofaRenal']]).toEqual([2, 3, 3, 2])
})

it('a mean pressure that was low for a moment of an hour is no hypotension; a low hour is', () => {
  expect(scored({ meanPressure: [[1.9, 80], [1.8, 40], [1.7, 95]] })['sofaPressure']).toBe(0)
  expect(scored({ meanPressure: [[20, 60], [2, 80], [1, 85]] })['sofaPressure']).toBe(1)
})
it('the mean pressure of a cuff that reports two is derived: 80/50 is 60', () => { expect(scored({ systolic: 80, diastolic: 50 })['sofaPressure']).toBe(1) })

describe('oxygen', () => {
  it('a gas and its oxygen count for six hours', () => {
    expect([scored({ pao2: [[6, 60]], fio2: 50 })['sofaRespiration'], scored({ pao2: [[6.1, 60]], fio2: 50 })['sofaRespiration'], scored({ pao2: 60, fio2: [[6.1, 50]] })['sofaRespiration'], scored({ pao2: 60 })['sofaRespiration']]).toEqual([2, NaN, NaN, NaN])
  })
  it('on air is 21 %', () => { expect(scored({ pao2: 84, oxygenTherapy: 0 })['pao2Fio2']).toBeCloseTo(400, 9) })
  // Pandharipande 2009: SpO2/FiO2 of 512 and 357 stand for 400 and 300.
  it.each([[97, 18, 0], [96, 18.75, 0], [96, 18.76, 1], [90, 25, 1], [91, 25.5, 2], [88, 100, 2]])('by saturation, as a part of its own that the sum has not: SpO2 %d at FiO2 %d gives %d', (spo2, fio2, points) => {
    const s = scored({ spo2, fio2 })
    expect([s['sofaRespirationSpo2'], s['sofaRespiration'], s['sofaMissing']]).toEqual([points, NaN, 6])
  })
  it('not by a saturation above 97 %', () => { expect([scored({ spo2: 98, fio2: 100 })['sofaRespirationSpo2'], scored({ spo2: 97, fio2: 100 })['sofaRespirationSpo2']]).toEqual([NaN, 2]) })
})

describe('urine', () => {
  it('is not known of a short stay, or with a gap of six hours', () => {
    expect(scored({ urineOutput: hourly(5, 20) })['urine24h']).toBeNaN()
    expect(scored({ urineOutput: hourly(5).filter(([h]) => h < 7 || h > 12.5) })['urine24h']).toBeNaN()
    expect(scored({ urineOutput: hourly(5).filter(([h]) => h >= 7) })['urine24h']).toBeNaN()
    expect(scored({ urineOutput: hourly(5, 24) })['urine24h']).toBeNaN()
  })
  it('worsens the renal part, and does not better it', () => {
    expect([scored({ urineOutput: hourly(7), creatinine: 1.3 })['sofaRenal'], scored({ urineOutput: hourly(60), creatinine: 4 })['sofaRenal']]).toEqual([4, 3])
  })
})

describe('lactate clearance (Nguyen 2004: 10 % and more in 6 hours is better)', () => {
  it.each([[[[6, 6], [0, 4.5]], 25, 25], [[[5, 4], [3, 9], [0, 3.6]], 10, 10], [[[2, 2], [0, 5]], -150, -150], [[[7, 8], [5, 4], [0, 3]], 25, 62.5], [[[1, 3]], NaN, NaN], [[[6.1, 6], [0, 3]], NaN, 50], [[[25, 9], [0, 3]], NaN, NaN]] as const)('case %#', (lactate, six, day) => {
    const s = scored({ lactate })
    expect([s['lactateClearance6h'], s['lactateClearance24h']].map(x => Math.round(x! * 1e6) / 1e6)).toEqual([six, day])
  })
})

it('anion gap: 140 - (104 + 24) is 12 mmol/L; absent without one of the three', () => {
  expect([scored({ sodium: 140, chloride: 104, bicarbonate: 24 })['anionGap'], scored({ sodium: 140, chloride: 104 })['anionGap'], scored({ sodium: [[25, 140]], chloride: 104, bicarbonate: 24 })['anionGap']]).toEqual([12, NaN, NaN])
})

const maybe = (values: fc.Arbitrary<number>): fc.Arbitrary<number | undefined> => fc.option(values, { nil: undefined, freq: 4 })
const tenth = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min: min * 10, max: max * 10 }).map(x => x / 10)
const ORGANS: fc.Arbitrary<Organs> = fc.record({
  pao2: maybe(fc.integer({ min: 40, max: 300 })), fio2: maybe(fc.constantFrom(21, 25, 30, 40, 50, 60, 80, 100)), platelets: maybe(fc.integer({ min: 1, max: 200 })), bilirubin: maybe(tenth(0, 14)),
  meanPressure: maybe(fc.integer({ min: 60, max: 80 })), gcs: maybe(fc.integer({ min: 3, max: 15 })), creatinine: maybe(tenth(0.5, 6)), urine24h: maybe(fc.integer({ min: 0, max: 30 }).map(x => x * 25)),
}) as fc.Arbitrary<Organs>
const readingsOf = (o: Organs): Readings => Object.fromEntries(Object.entries({
  pao2: o.pao2, fio2: o.fio2, platelets: o.platelets, bilirubinTotal: o.bilirubin, meanPressure: o.meanPressure, gcs: o.gcs, creatinine: o.creatinine, urineOutput: o.urine24h === undefined ? undefined : hourly(o.urine24h / 25),
}).filter(([, v]) => v !== undefined))

it('equals plain functions written from the table: each part, the sum, how many are missing; never beyond 19', () => {
  fc.assert(fc.property(ORGANS, organs => {
    const s = scored({ sodium: 140, ...readingsOf(organs) })
    const plain = plainSofa(organs)
    expect(organsView.names.slice(0, 6).map(n => s[n])).toEqual(plain.map(p => p ?? NaN))
    expect([s['sofaPartial'], s['sofaMissing']]).toEqual([total(plain) ?? NaN, plain.filter(p => p === undefined).length])
    if (total(plain) !== undefined) expect(s['sofaPartial']! >= 0 && s['sofaPartial']! <= 19).toBe(true)
  }), { numRuns: 200 })
})

it('does not fall when an organ gets worse', () => {
  const base = { pao2: 200, fio2: 50, platelets: 200, bilirubin: 0.5, meanPressure: 80, gcs: 15, creatinine: 0.8 }
  fc.assert(fc.property(ORGANS, fc.nat(50), (organs, by) => {
    const known = { ...base, ...Object.fromEntries(Object.entries(organs).filter(([, v]) => v !== undefined)) } as Required<typeof base>
    const worse = { ...known, pao2: Math.max(20, known.pao2 - by), platelets: Math.max(0, known.platelets - by), bilirubin: known.bilirubin + by / 10, meanPressure: known.meanPressure - by / 2, gcs: Math.max(3, known.gcs - by % 5), creatinine: known.creatinine + by / 10 }
    expect(scored(readingsOf(worse))['sofaPartial']).toBeGreaterThanOrEqual(scored(readingsOf(known))['sofaPartial']!)
  }), { numRuns: 100 })
})
