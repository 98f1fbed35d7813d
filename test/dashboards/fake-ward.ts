import type { FeatureValue } from '../../features/vector.ts'
import type { PatientAlert, PatientIdentity, PatientSummary } from '../../dashboards/server/index.ts'
import type { Reason } from '../../inference/alerts/index.ts'
import type { ConceptId, PatientKey } from '../../streams/events/index.ts'

/** Invented people in an invented ward, in motion: every value is a function of the bed and of time. */
export interface FakeBed {
  readonly key: PatientKey
  readonly identity: PatientIdentity
  readonly ward: string
  readonly bed: string
  readonly ageYears: number
  readonly sex: PatientSummary['sex']
  /** What the patient's values swing about. */
  readonly base: Partial<Record<ConceptId, number>>
  readonly news2: { readonly score: number, readonly missing: readonly ConceptId[] }
  readonly risk: number
}

export const UNITS: Partial<Record<ConceptId, string>> = { heartRate: '/min', respiratoryRate: '/min', spo2: '%', systolic: 'mm[Hg]', diastolic: 'mm[Hg]', meanPressure: 'mm[Hg]', temperature: 'Cel', lactate: 'mmol/L', creatinine: 'mg/dL', consciousness: '1', oxygenTherapy: '1' }
const SWING: Partial<Record<ConceptId, number>> = { heartRate: 4, respiratoryRate: 1.5, spo2: 0.8, systolic: 5, diastolic: 3, meanPressure: 3, temperature: 0.1, lactate: 0.1, creatinine: 0.02 }
/** How old the latest value of each concept is: charted and laboratory values come late. */
export const READING_AGE_MS: Partial<Record<ConceptId, number>> = { heartRate: 1_000, respiratoryRate: 1_000, spo2: 2_000, systolic: 240_000, diastolic: 240_000, meanPressure: 240_000, temperature: 6_600_000, lactate: 5_400_000, creatinine: 21_600_000, consciousness: 5_400_000, oxygenTherapy: 5_400_000 }
const STALE_AFTER_MS: Partial<Record<ConceptId, number>> = { heartRate: 60_000, respiratoryRate: 60_000, spo2: 60_000, systolic: 3_600_000, diastolic: 3_600_000, meanPressure: 3_600_000, temperature: 7_200_000, lactate: 28_800_000, creatinine: 86_400_000, consciousness: 14_400_000, oxygenTherapy: 14_400_000 }

const WELL = { heartRate: 76, respiratoryRate: 15, spo2: 97, systolic: 124, diastolic: 74, meanPressure: 90, temperature: 36.8, lactate: 1.1, creatinine: 0.9, consciousness: 0, oxygenTherapy: 0 } as const

function bed (n: number, ward: string, label: string, familyName: string, givenName: string, ageYears: number, sex: PatientSummary['sex'], base: FakeBed['base'], news2: FakeBed['news2'], risk: number): FakeBed {
  const birthDate = `${2026 - ageYears}-0${1 + n % 9}-1${n % 9}`
  return { key: `p${String(n).padStart(2, '0')}${'c0ffee'.repeat(3)}` as PatientKey, identity: { id: `TEST-${1000 + n}`, familyName, givenName, birthDate }, ward, bed: label, ageYears, sex, base: { ...WELL, ...base }, news2, risk }
}

export const FAKE_BEDS: readonly FakeBed[] = [
  bed(1, 'ICU', '1', 'Testova', 'Alba', 67, 'female', { heartRate: 128, respiratoryRate: 27, spo2: 90, systolic: 88, diastolic: 47, meanPressure: 61, temperature: 39.2, lactate: 4.6, creatinine: 2.1, oxygenTherapy: 1 }, { score: 13, missing: ['consciousness'] }, 0.71),
  bed(2, 'ICU', '2', 'Muestra', 'Bruno', 54, 'male', {}, { score: 0, missing: [] }, 0.04),
  bed(3, 'ICU', '3', 'Probe', 'Carla', 78, 'female', { heartRate: 104, respiratoryRate: 22, spo2: 94, temperature: 38.4, lactate: 2.3 }, { score: 6, missing: [] }, 0.28),
  bed(4, 'ICU', '4', 'Exemple', 'Denis', 45, 'male', { heartRate: 58, systolic: 138 }, { score: 1, missing: [] }, 0.03),
  bed(5, 'ICU', '10', 'Ficticia', 'Elena', 82, 'female', { heartRate: 93, spo2: 95 }, { score: 3, missing: ['temperature', 'consciousness'] }, 0.11),
  bed(6, 'MED', '1', 'Sample', 'Frances', 39, 'female', { heartRate: 88 }, { score: 1, missing: [] }, 0.05),
  bed(7, 'MED', '2', 'Prueba', 'Gil', 71, 'male', { heartRate: 112, respiratoryRate: 24, systolic: 104, temperature: 38.2 }, { score: 7, missing: ['oxygenTherapy'] }, 0.42),
  bed(8, 'MED', '3', 'Esempio', 'Hilde', 60, 'female', { spo2: 96 }, { score: 0, missing: [] }, 0.02),
]

/** A value that wanders: two sines of incommensurable periods. */
export function valueAt (b: FakeBed, concept: ConceptId, time: number): number | undefined {
  const base = b.base[concept]
  if (base === undefined) return undefined
  const phase = b.bed.length + b.ageYears
  const wave = Math.sin(time / 47_000 + phase) * 0.6 + Math.sin(time / 311_000 + phase * 2) * 0.4
  const digits = concept === 'temperature' || concept === 'lactate' || concept === 'creatinine' ? 1 : 0
  return Number((base + wave * (SWING[concept] ?? 0)).toFixed(digits))
}

/** Bed 10's sensors are off since `sensorsOffSince`. */
export function summaryOf (b: FakeBed, now: number, alerts: readonly PatientAlert[], sensorsOffMs = 0): PatientSummary {
  const concepts = Object.keys(b.base) as ConceptId[]
  return {
    patient: b.key, ward: b.ward, bed: b.bed, admitted: true, ageYears: b.ageYears, sex: b.sex,
    readings: concepts.map(concept => {
      const eventTime = now - (READING_AGE_MS[concept] ?? 0) - sensorsOffMs
      return { concept, value: valueAt(b, concept, eventTime) ?? NaN, unit: UNITS[concept] ?? '1', eventTime, stale: now - eventTime > (STALE_AFTER_MS[concept] ?? 60_000) }
    }),
    news2: { score: b.news2.score, missing: missingParts(b), asOf: now },
    score: {
      model: 'sepsis', modelVersion: '1', view: 'vitals', viewVersion: 1, asOf: now, probability: b.risk, presentShare: 0.92,
      reasons: [{ feature: 'lactateLast', value: b.base.lactate ?? null, contribution: 0.84, eventTime: now - 5_400_000 }, { feature: 'heartRateMean5m', value: b.base.heartRate ?? null, contribution: 0.51, eventTime: now - 1_000 }, { feature: 'systolicLast', value: b.base.systolic ?? null, contribution: -0.2, eventTime: now - 240_000 }],
    },
    alerts,
  }
}

const NEWS2_PARTS: readonly (readonly [string, ConceptId])[] = [['news2Respiration', 'respiratoryRate'], ['news2Spo2', 'spo2'], ['news2Oxygen', 'oxygenTherapy'], ['news2Systolic', 'systolic'], ['news2Pulse', 'heartRate'], ['news2Consciousness', 'consciousness'], ['news2Temperature', 'temperature']]

/** The missing parts under the names of their features, as alerts and scores give them. */
export function missingParts (b: FakeBed): readonly string[] { return NEWS2_PARTS.filter(([, concept]) => b.news2.missing.includes(concept)).map(([name]) => name) }

/** Features of the NEWS2 view: points and measured values; a missing part is absent, with NaN inside for the server to mend. */
export function news2Features (b: FakeBed, now: number): readonly FeatureValue[] {
  return NEWS2_PARTS.flatMap(([name, concept]) => {
    const present = !b.news2.missing.includes(concept)
    const eventTime = now - (READING_AGE_MS[concept] ?? 0)
    const feature = (as: string, unit: string, value: number): FeatureValue => present ? { name: as, unit, present, value, eventTime, ageMs: now - eventTime } : { name: as, unit, present, value: NaN, eventTime: null, ageMs: NaN }
    return [feature(name, '{points}', points(name, b.base[concept] ?? 0)), feature(`${name}Value`, UNITS[concept] ?? '1', b.base[concept] ?? 0)]
  })
}

/** The parts that score, with what was measured. */
export function news2Reasons (b: FakeBed, now: number): readonly Reason[] {
  const features = news2Features(b, now)
  return features.filter(f => f.present && !f.name.endsWith('Value') && (f.value ?? 0) > 0)
    .map(f => ({ feature: f.name, value: features.find(one => one.name === `${f.name}Value`)?.value ?? null, contribution: f.value ?? 0, eventTime: f.eventTime }))
}

function points (part: string, value: number): number {
  switch (part) {
    case 'news2Respiration': return value >= 25 ? 3 : value >= 21 ? 2 : 0
    case 'news2Spo2': return value <= 91 ? 3 : value <= 93 ? 2 : value <= 95 ? 1 : 0
    case 'news2Oxygen': return value === 1 ? 2 : 0
    case 'news2Systolic': return value <= 90 ? 3 : value <= 100 ? 2 : value <= 110 ? 1 : 0
    case 'news2Pulse': return value >= 131 ? 3 : value >= 111 ? 2 : value >= 91 ? 1 : 0
    case 'news2Temperature': return value >= 39.1 ? 2 : value >= 38.1 ? 1 : 0
    default: return 0
  }
}
