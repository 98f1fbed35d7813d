import { describe, expect, it } from 'vitest'
import { featuresMachine, type FeatureOutput } from '../../../features/compute/index.ts'
import { news2View } from '../../../features/views/index.ts'
import { KeyedMachine, type Emitted } from '../../../streams/engine/index.ts'
import type { ConceptId, Observation } from '../../../streams/events/index.ts'

const AT = Date.UTC(2030, 0, 7)

/** A charted set through the machine; answers the features by name. */
function scored (values: Readonly<Partial<Record<ConceptId, number>>>, ageMs = 0): Readonly<Record<string, number>> {
  const machine = new KeyedMachine(featuresMachine([news2View]))
  let answer: Readonly<Record<string, number>> = {}
  const keep = ({ out }: Emitted<FeatureOutput>): void => { if (out.type === 'vector') answer = Object.fromEntries(news2View.names.map((name, i) => [name, out.values[i]!])) }
  const observations = (Object.entries(values) as [ConceptId, number][]).map(([concept, value]): Observation => ({ concept, value, comparator: '=', eventTime: AT - ageMs, status: 'final', quality: 'valid', resultId: '' }))
  machine.record(0, AT, 'p', { type: 'observations', kind: 'charted', source: 'test', observations }, keep)
  return answer
}

// Royal College of Physicians, NEWS2 (2017), chart 1: each band's two edges, and the values beside them.
const CHART: readonly (readonly [part: string, concept: ConceptId, points: readonly (readonly [value: number, points: number])[]])[] = [
  ['news2Respiration', 'respiratoryRate', [[2, 3], [8, 3], [9, 1], [11, 1], [12, 0], [20, 0], [21, 2], [24, 2], [25, 3], [60, 3]]],
  ['news2Spo2', 'spo2', [[40, 3], [91, 3], [92, 2], [93, 2], [94, 1], [95, 1], [96, 0], [100, 0]]],
  ['news2Systolic', 'systolic', [[50, 3], [90, 3], [91, 2], [100, 2], [101, 1], [110, 1], [111, 0], [219, 0], [220, 3], [280, 3]]],
  ['news2Pulse', 'heartRate', [[30, 3], [40, 3], [41, 1], [50, 1], [51, 0], [90, 0], [91, 1], [110, 1], [111, 2], [130, 2], [131, 3], [200, 3]]],
  ['news2Temperature', 'temperature', [[33, 3], [35, 3], [35.1, 1], [36, 1], [36.1, 0], [38, 0], [38.1, 1], [39, 1], [39.1, 2], [42, 2]]],
  ['news2Consciousness', 'consciousness', [[0, 0], [1, 3], [2, 3], [3, 3], [4, 3]]],
  ['news2Oxygen', 'oxygenTherapy', [[0, 0], [1, 2]]],
]

describe('every band edge of the chart', () => {
  for (const [part, concept, rows] of CHART) it.each(rows)(`${concept} %d gives %d`, (value, points) => { expect(scored({ [concept]: value })[part]).toBe(points) })
})

describe('SpO2 on scale 2, prescribed for a target of 88 to 92 %', () => {
  const onAir = [[83, 3], [84, 2], [85, 2], [86, 1], [87, 1], [88, 0], [92, 0], [93, 0], [95, 0], [97, 0], [100, 0]] as const
  const onOxygen = [[83, 3], [84, 2], [85, 2], [86, 1], [87, 1], [88, 0], [92, 0], [93, 1], [94, 1], [95, 2], [96, 2], [97, 3], [100, 3]] as const
  it.each(onAir)('%d on air gives %d', (spo2, points) => { expect(scored({ spo2, spo2Scale: 2, oxygenTherapy: 0 })['news2Spo2']).toBe(points) })
  it.each(onOxygen)('%d on oxygen gives %d', (spo2, points) => { expect(scored({ spo2, spo2Scale: 2, oxygenTherapy: 1 })['news2Spo2']).toBe(points) })
  it('does not need to know of oxygen up to 92 %, and cannot score without above', () => {
    expect(scored({ spo2: 90, spo2Scale: 2 })['news2Spo2']).toBe(0)
    expect(scored({ spo2: 93, spo2Scale: 2 })['news2Spo2']).toBeNaN()
  })
  it('is not used unless it is prescribed', () => { expect(scored({ spo2: 90, spo2Scale: 1 })['news2Spo2']).toBe(3) })
})

it.each([[38.05, 1], [38.04, 0], [35.05, 1], [35.04, 3], [36.05, 0], [39.05, 2]])('rounds a temperature of %d to one decimal before it is scored: %d', (temperature, points) => {
  expect(scored({ temperature })['news2Temperature']).toBe(points)
})
it.each([[8.4, 3], [8.5, 1], [11.5, 0], [20.5, 2], [24.5, 3]])('rounds a respiratory rate of %d before it is scored: %d', (respiratoryRate, points) => {
  expect(scored({ respiratoryRate })['news2Respiration']).toBe(points)
})

it('adds the parts of a whole set', () => {
  const all = scored({ respiratoryRate: 25, spo2: 91, oxygenTherapy: 1, systolic: 90, heartRate: 131, consciousness: 2, temperature: 35 })
  expect([all['news2'], all['news2Max'], all['news2Missing']]).toEqual([20, 3, 0])
  const none = scored({ respiratoryRate: 16, spo2: 97, oxygenTherapy: 0, systolic: 120, heartRate: 70, consciousness: 0, temperature: 37 })
  expect([none['news2'], none['news2Max'], none['news2Missing']]).toEqual([0, 0, 0])
})

it('is a lower bound where parts are missing, and counts them', () => {
  const some = scored({ respiratoryRate: 25, systolic: 95 })
  expect([some['news2'], some['news2Max'], some['news2Missing'], some['news2Pulse']]).toEqual([5, 3, 5, NaN])
})

it('takes oxygen from what is charted, else from a flow, else from an inspired fraction above room air', () => {
  expect([{ oxygenTherapy: 0, oxygenFlow: 2 }, { oxygenFlow: 2 }, { oxygenFlow: 0 }, { fio2: 21 }, { fio2: 28 }, {}].map(v => scored({ ...v, spo2: 97 })['news2Oxygen'])).toEqual([0, 2, 0, 0, 2, NaN])
})

it('reads a Glasgow score of 15 as alert where no ACVPU is charted', () => {
  expect([{ gcs: 15 }, { gcs: 14 }, { gcs: 15, consciousness: 1 }].map(v => scored(v)['news2Consciousness'])).toEqual([0, 3, 3])
})

it('shows what was measured beside each part', () => { expect(scored({ respiratoryRate: 22 })['news2RespirationValue']).toBe(22) })
it('does not score what was measured more than twelve hours ago', () => {
  const HOUR_MS = 3_600_000
  expect(scored({ respiratoryRate: 25 }, 12 * HOUR_MS)['news2']).toBe(3)
  expect(scored({ respiratoryRate: 25 }, 12 * HOUR_MS + 1)['news2']).toBeNaN()
})
