import type { ConceptId } from '../../streams/events/index.ts'
import {
  age, constant, countSinceAdmission, delta, deviation, fact, featureView, last, max, maxOfPresent, mean, min, minus, plus, ratio, slope, sumOfPresent, times, when, type Feature, type FeatureView,
} from '../define/index.ts'
import { news2 } from './scores.ts'

const VITALS: readonly ConceptId[] = ['heartRate', 'spo2', 'temperature', 'systolic', 'meanPressure', 'diastolic', 'respiratoryRate']
const LABS: readonly ConceptId[] = [
  'baseExcess', 'bicarbonate', 'fio2', 'ph', 'paco2', 'sao2', 'ast', 'ureaNitrogen', 'alkalinePhosphatase', 'calcium', 'chloride', 'creatinine', 'bilirubinDirect', 'glucose', 'lactate', 'magnesium', 'phosphate',
  'potassium', 'bilirubinTotal', 'troponinI', 'hematocrit', 'hemoglobin', 'ptt', 'wbc', 'fibrinogen', 'platelets',
]

function ofVital (v: ConceptId): Readonly<Record<string, Feature>> {
  const overHours = (hours: 6 | 24): Readonly<Record<string, Feature>> => ({
    [`${v}Mean${hours}h`]: mean(v).overSamples(`${hours} h`),
    [`${v}Min${hours}h`]: min(v).overSamples(`${hours} h`),
    [`${v}Max${hours}h`]: max(v).overSamples(`${hours} h`),
    [`${v}Std${hours}h`]: deviation(v).overSamples(`${hours} h`),
    [`${v}Slope${hours}h`]: slope(v).overSamples(`${hours} h`),
  })
  return { [`${v}Last`]: last(v), [`${v}Age`]: age(v), [`${v}Delta`]: delta(v), ...overHours(6), ...overHours(24), [`${v}Dev24h`]: minus(last(v), mean(v).overSamples('24 h')) }
}

function ofLab (l: ConceptId): Readonly<Record<string, Feature>> {
  return { [`${l}Last`]: last(l), [`${l}Age`]: age(l), [`${l}Delta`]: delta(l), [`${l}Min24h`]: min(l).overReadings('24 h'), [`${l}Max24h`]: max(l).overReadings('24 h') }
}

const all = (concepts: readonly ConceptId[], of: (c: ConceptId) => Readonly<Record<string, Feature>>): Readonly<Record<string, Feature>> => Object.assign({}, ...concepts.map(of)) as Readonly<Record<string, Feature>>

const one = constant(1, '{points}')
const zero = constant(0, '{points}')
const point = (f: Feature, is: '<' | '<=' | '>' | '>=', than: number): Feature => when(f, is, than, one, zero)
const spo2Fio2 = ratio(last('spo2'), last('fio2'))
const shockIndex = ratio(last('heartRate'), last('systolic'))

const news2Parts = {
  news2Respiration: news2.respiration(last('respiratoryRate')),
  news2Spo2: news2.spo2Scale1(last('spo2')),
  news2Oxygen: when(last('fio2'), '>', 21, constant(2, '{points}'), zero),
  news2Systolic: news2.systolic(last('systolic')),
  news2Pulse: news2.pulse(last('heartRate')),
  news2Temperature: news2.temperature(last('temperature')),
}

/**
 * What the early-sepsis model reads. Vitals are read through hourly samples, so that hourly charting (what it was trained on) and 1 Hz monitors
 * mean the same. Nothing here says how long a stay has lasted: see `sepsisTime`.
 */
export const sepsisView: FeatureView = featureView({
  name: 'sepsis', version: 1, owner: 'ml', ttl: '2 h',
  description: 'Inputs of the early-sepsis model: last values, ages, changes, hourly trends over 6 and 24 hours, partial scores',
  emit: { every: '5 m', on: ['charted', 'laboratory'] },
  features: {
    ...all(VITALS, ofVital),
    ...all(LABS, ofLab),
    shockIndex,
    shockIndexAge: times(shockIndex, fact('ageYears')),
    modifiedShockIndex: ratio(last('heartRate'), last('meanPressure')),
    pulsePressure: minus(last('systolic'), last('diastolic')),
    spo2Fio2,
    sao2Fio2: ratio(last('sao2'), last('fio2')),
    rox: ratio(spo2Fio2, last('respiratoryRate')),
    ureaCreatinine: ratio(last('ureaNitrogen'), last('creatinine')),
    plateletsWbc: ratio(last('platelets'), last('wbc')),
    chlorideBicarbonate: plus(last('chloride'), last('bicarbonate')),
    heartRateTemperature: ratio(last('heartRate'), last('temperature')),
    respirationHeartRate: times(last('respiratoryRate'), last('heartRate')),
    lactatePh: ratio(last('lactate'), last('ph')),
    ...news2Parts,
    news2Partial: sumOfPresent(...Object.values(news2Parts)),
    /** qSOFA without mentation (Seymour et al. 2016). */
    qsofaPartial: sumOfPresent(point(last('respiratoryRate'), '>=', 22), point(last('systolic'), '<=', 100)),
    /** SIRS (Bone et al. 1992), without bands. */
    sirs: sumOfPresent(
      maxOfPresent(point(last('temperature'), '>', 38), point(last('temperature'), '<', 36)),
      point(last('heartRate'), '>', 90),
      maxOfPresent(point(last('respiratoryRate'), '>', 20), point(last('paco2'), '<', 32)),
      maxOfPresent(point(last('wbc'), '>', 12), point(last('wbc'), '<', 4))),
    ageYears: fact('ageYears'),
    male: fact('male'),
  },
})

/** The artefact of the training data, set apart: time in the unit and running counts. For comparison in training only; no model that alerts reads it. */
export const sepsisTimeView: FeatureView = featureView({
  name: 'sepsisTime', version: 1, owner: 'ml', ttl: '2 h',
  description: 'Time in unit and running counts of measurements: how much of a model is the calendar',
  emit: { every: '5 m', on: ['charted', 'laboratory'] },
  features: {
    hoursInUnit: fact('hoursInUnit'),
    hoursFromHospitalToUnit: fact('hoursFromHospitalToUnit'),
    ...all([...VITALS, ...LABS], c => ({ [`${c}Total`]: countSinceAdmission(c) })),
  },
})
