/** A code and the system that it is of, as FHIR names systems. */
export interface ClinicalCode { readonly system: 'http://snomed.info/sct' | 'http://loinc.org' | '', readonly code: string, readonly text: string }

export const CLINICAL_SCORE_NAMES = ['news2', 'qsofa', 'sirs', 'mews', 'shockIndex', 'modifiedShockIndex'] as const
export type ClinicalScoreName = (typeof CLINICAL_SCORE_NAMES)[number]

/** A score that goes out as a result. Its name is that of the feature in the view. */
export interface ClinicalScoreKind {
  readonly view: string
  /** Features whose sum it is: one that is absent makes it a lower bound. */
  readonly parts: Readonly<Record<string, ClinicalCode>>
  readonly code: ClinicalCode
  /** UCUM. */
  readonly unit: string
  /** Two values that differ by less are the same. */
  readonly step: number
}

const snomed = (code: string, text: string): ClinicalCode => ({ system: 'http://snomed.info/sct', code, text })
const loinc = (code: string, text: string): ClinicalCode => ({ system: 'http://loinc.org', code, text })
/** Neither terminology has a term that says exactly this: the receiver's own, or ours. */
const local = (code: string, text: string): ClinicalCode => ({ system: '', code, text })
const POINTS = { unit: '{score}', step: 1 } as const
const NEWS2 = 'Royal College of Physicians National Early Warning Score 2 -'

/**
 * What each score is called. NEWS2 and its parts: SNOMED CT UK Edition, as the NHS's NEWS2 API and UK Core's value set EarlyWarningSubScore have
 * them; the part of the saturation has a term for each scale, so it stays local. qSOFA, shock index and modified shock index: LOINC 2.72. Units: UCUM,
 * `{score}` as LOINC's examples and the NHS's guidance have it, `{ratio}` as LOINC's.
 */
export const CLINICAL_SCORES: Readonly<Record<ClinicalScoreName, ClinicalScoreKind>> = {
  news2: {
    ...POINTS, view: 'news2', code: snomed('1104051000000101', `${NEWS2} total score`),
    parts: {
      news2Respiration: snomed('1104301000000104', `${NEWS2} respiration rate score`),
      news2Spo2: local('news2Spo2', 'NEWS2 oxygen saturation score'),
      news2Oxygen: snomed('1104331000000105', `${NEWS2} air or oxygen score`),
      news2Systolic: snomed('1104341000000101', `${NEWS2} systolic blood pressure score`),
      news2Pulse: snomed('1104351000000103', `${NEWS2} pulse score`),
      news2Consciousness: snomed('1104361000000100', `${NEWS2} consciousness score`),
      news2Temperature: snomed('1104371000000107', `${NEWS2} temperature score`),
    },
  },
  qsofa: {
    ...POINTS, view: 'deterioration', code: loinc('96791-9', 'Quick SOFA score'),
    parts: { qsofaRespiration: local('qsofaRespiration', 'qSOFA respiration'), qsofaSystolic: local('qsofaSystolic', 'qSOFA systolic pressure'), qsofaMentation: local('qsofaMentation', 'qSOFA mentation') },
  },
  sirs: {
    ...POINTS, view: 'deterioration', code: local('sirs', 'SIRS criteria'),
    parts: { sirsTemperature: local('sirsTemperature', 'SIRS temperature'), sirsHeartRate: local('sirsHeartRate', 'SIRS heart rate'), sirsRespiration: local('sirsRespiration', 'SIRS respiration'), sirsLeukocytes: local('sirsLeukocytes', 'SIRS leukocytes') },
  },
  mews: {
    ...POINTS, view: 'deterioration', code: local('mews', 'Modified Early Warning Score (Subbe 2001)'),
    parts: {
      mewsSystolic: local('mewsSystolic', 'MEWS systolic pressure'), mewsHeartRate: local('mewsHeartRate', 'MEWS heart rate'), mewsRespiration: local('mewsRespiration', 'MEWS respiration'),
      mewsTemperature: local('mewsTemperature', 'MEWS temperature'), mewsConsciousness: local('mewsConsciousness', 'MEWS consciousness'),
    },
  },
  shockIndex: { view: 'deterioration', code: loinc('98909-5', 'Shock index'), parts: {}, unit: '{ratio}', step: 0.1 },
  modifiedShockIndex: { view: 'deterioration', code: loinc('98910-3', 'Modified shock index'), parts: {}, unit: '{ratio}', step: 0.1 },
}
