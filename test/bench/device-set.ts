import type { ConceptId, Observation, ObservationSet } from '../../streams/events/index.ts'
import type { SeededRandom } from '../kit/random.ts'

export const START_MS: number = Date.UTC(2026, 0, 5)
export const PATIENTS: number = 100
export const NUMERICS: readonly (readonly [concept: ConceptId, mean: number, spread: number])[] = [['heartRate', 80, 20], ['respiratoryRate', 16, 6], ['spo2', 95, 4], ['systolic', 120, 20], ['diastolic', 70, 12], ['meanPressure', 85, 14]]

/** One valid reading. */
export function observation (concept: ConceptId, value: number, eventTime: number, resultId = ''): Observation { return { concept, value, comparator: '=', eventTime, status: 'final', quality: 'valid', resultId } }

/** Six numerics of a monitor. */
export function deviceSet (random: SeededRandom, at: number): ObservationSet {
  return { type: 'observations', kind: 'device', source: 'mqtt:bench', observations: NUMERICS.map(([concept, mean, spread]) => observation(concept, Math.round(mean + (random.next() - 0.5) * spread), at)) }
}

const LABS: readonly (readonly [concept: ConceptId, mean: number, spread: number])[] = [['lactate', 1.5, 1], ['creatinine', 1, 0.4], ['ureaNitrogen', 18, 8], ['wbc', 9, 4], ['platelets', 220, 60], ['hemoglobin', 12, 2], ['bilirubinTotal', 0.8, 0.5], ['glucose', 120, 40], ['sodium', 140, 5], ['potassium', 4, 0.6], ['bicarbonate', 24, 3], ['ph', 7.4, 0.06]]

/** Twelve results of a laboratory, each with its identity. */
export function labSet (random: SeededRandom, at: number): ObservationSet {
  return { type: 'observations', kind: 'laboratory', source: 'hl7:bench', observations: LABS.map(([concept, mean, spread]) => observation(concept, mean + (random.next() - 0.5) * spread, at, `${at}|${concept}`)) }
}
