import { featuresMachine } from '../../features/compute/index.ts'
import { STANDARD_VIEWS } from '../../features/views/index.ts'
import { KeyedMachine } from '../../streams/engine/index.ts'
import type { ConceptId, Observation, ObservationSet } from '../../streams/events/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { SeededRandom } from '../kit/random.ts'
import type { Benchmark } from './measure.ts'

export const START_MS: number = Date.UTC(2026, 0, 5)
export const PATIENTS = 100
const STATE_PATIENTS = 3
const STATE_HOURS = 24
const NUMERICS: readonly (readonly [concept: ConceptId, mean: number, spread: number])[] = [['heartRate', 80, 20], ['respiratoryRate', 16, 6], ['spo2', 95, 4], ['systolic', 120, 20], ['diastolic', 70, 12], ['meanPressure', 85, 14]]
const LABS: readonly (readonly [concept: ConceptId, mean: number, spread: number])[] = [['lactate', 1.5, 1], ['creatinine', 1, 0.4], ['ureaNitrogen', 18, 8], ['wbc', 9, 4], ['platelets', 220, 60], ['hemoglobin', 12, 2], ['bilirubinTotal', 0.8, 0.5], ['glucose', 120, 40], ['sodium', 140, 5], ['potassium', 4, 0.6], ['bicarbonate', 24, 3], ['ph', 7.4, 0.06]]

function observation (concept: ConceptId, value: number, eventTime: number, resultId = ''): Observation { return { concept, value, comparator: '=', eventTime, status: 'final', quality: 'valid', resultId } }

export function deviceSet (random: SeededRandom, at: number): ObservationSet {
  return { type: 'observations', kind: 'device', source: 'mqtt:bench', observations: NUMERICS.map(([concept, mean, spread]) => observation(concept, Math.round(mean + (random.next() - 0.5) * spread), at)) }
}

function labSet (random: SeededRandom, at: number): ObservationSet {
  return { type: 'observations', kind: 'laboratory', source: 'hl7:bench', observations: LABS.map(([concept, mean, spread]) => observation(concept, mean + (random.next() - 0.5) * spread, at, `${at}|${concept}`)) }
}

/** The pure part of the engine with the standard views: six numerics a record, one record a patient a second; and the state that a day of it leaves. */
export const engine: Benchmark = {
  summary: 'features machine: records a second, and bytes of state a patient',
  run: async ({ seconds = 5, runs = 3, say }) => {
    const rates: number[] = []
    for (let run = 0; run < runs; run++) rates.push(rate(seconds))
    const hours = seconds < 1 ? 0.1 : STATE_HOURS
    say(`${STATE_PATIENTS} patients for ${hours} hours of records`)
    return [
      { name: 'engine, standard views, six numerics a record', unit: 'records/s', values: rates },
      { name: 'engine, the same', unit: 'observations/s', values: rates.map(r => r * NUMERICS.length) },
      { name: `state a patient after ${hours} h at 1 Hz`, unit: 'bytes', values: stateBytes(hours), target: '65536' },
    ]
  },
}

function rate (seconds: number): number {
  const machine = new KeyedMachine(featuresMachine(STANDARD_VIEWS))
  const random = new SeededRandom(1)
  const keys = Array.from({ length: PATIENTS }, (_, i) => `patient-${i}`)
  const startedMs = systemClock.monotonicMs()
  let records = 0
  let outputs = 0
  for (let second = 0; systemClock.monotonicMs() - startedMs < seconds * 1_000; second++) {
    for (const key of keys) machine.record(records++, START_MS + second * 1_000, key, deviceSet(random, START_MS + second * 1_000), () => { outputs++ })
  }
  if (outputs === 0) throw new Error('no vector came out')
  return records / (systemClock.monotonicMs() - startedMs) * 1_000
}

/** Six numerics at 1 Hz, a laboratory panel each two hours, for so many hours. */
function stateBytes (hours: number): readonly number[] {
  const definition = featuresMachine(STANDARD_VIEWS)
  const machine = new KeyedMachine(definition)
  const random = new SeededRandom(2)
  const keys = Array.from({ length: STATE_PATIENTS }, (_, i) => `patient-${i}`)
  let offset = 0
  for (let second = 0; second < hours * 3_600; second++) {
    const at = START_MS + second * 1_000
    for (const key of keys) {
      machine.record(offset++, at, key, deviceSet(random, at), () => undefined)
      if (second % 7_200 === 0) machine.record(offset++, at, key, labSet(random, at), () => undefined)
    }
  }
  return keys.map(key => definition.codec.encode(machine.state(key)!).length)
}
