/**
 * Scripted deteriorations. An episode has an intensity between 0 and 1: it rises over hours, stays, and falls with treatment.
 * At intensity 1 a course changes vitals by `add` and multiplies laboratory values by `times`; sizes follow common textbook and
 * cohort figures (septic shock: lactate above 4 mmol/L; KDIGO stage 3: creatinine at least three times baseline; haemorrhage class III).
 */
export const COURSES = {
  sepsis: {
    add: { heartRate: 46, respiratoryRate: 12, spo2: -7, systolic: -36, diastolic: -22, temperature: 2.1 },
    times: { lactate: 4.2, creatinine: 2.1, ureaNitrogen: 1.6, wbc: 2.3, platelets: 0.5, bilirubin: 2.6, glucose: 1.5, bicarbonate: 0.75, hemoglobin: 0.95, potassium: 1.08, sodium: 0.98 },
    oxygenAt: 0.4, confusionAt: 0.7,
  },
  aki: {
    add: { heartRate: 8, respiratoryRate: 4, spo2: -1, systolic: 8, diastolic: 4, temperature: 0 },
    times: { lactate: 1.2, creatinine: 3.4, ureaNitrogen: 3, wbc: 1.1, platelets: 0.95, bilirubin: 1, glucose: 1.05, bicarbonate: 0.7, hemoglobin: 0.95, potassium: 1.4, sodium: 0.97 },
    oxygenAt: 2, confusionAt: 0.95,
  },
  respiratoryFailure: {
    add: { heartRate: 26, respiratoryRate: 15, spo2: -12, systolic: 10, diastolic: 5, temperature: 0.7 },
    times: { lactate: 1.6, creatinine: 1.05, ureaNitrogen: 1.1, wbc: 1.4, platelets: 1, bilirubin: 1, glucose: 1.15, bicarbonate: 1.08, hemoglobin: 1, potassium: 1.03, sodium: 1 },
    oxygenAt: 0.3, confusionAt: 0.85,
  },
  bleeding: {
    add: { heartRate: 48, respiratoryRate: 9, spo2: -2, systolic: -44, diastolic: -24, temperature: -0.6 },
    times: { lactate: 4, creatinine: 1.3, ureaNitrogen: 1.7, wbc: 1.3, platelets: 0.65, bilirubin: 1, glucose: 1.2, bicarbonate: 0.8, hemoglobin: 0.55, potassium: 1.02, sodium: 1 },
    oxygenAt: 0.6, confusionAt: 0.85,
  },
} as const

export type CourseName = keyof typeof COURSES
export const COURSE_NAMES: readonly CourseName[] = Object.keys(COURSES) as CourseName[]
export type Vital = keyof (typeof COURSES)['sepsis']['add']
export type Laboratory = keyof (typeof COURSES)['sepsis']['times']

/** Times are simulated milliseconds; a rise lasts 2 to 8 h. */
export interface Episode {
  readonly course: CourseName
  readonly onsetMs: number
  readonly riseMs: number
  readonly stayMs: number
  readonly fallMs: number
  /** Intensity at the height, 0 to 1. */
  readonly height: number
}

export function intensityAt (episode: Episode, atMs: number): number {
  const since = atMs - episode.onsetMs
  const fallen = since - episode.riseMs - episode.stayMs
  if (since <= 0) return 0
  if (since < episode.riseMs) return episode.height * smooth(since / episode.riseMs)
  if (fallen <= 0) return episode.height
  return fallen < episode.fallMs ? episode.height * (1 - smooth(fallen / episode.fallMs)) : 0
}

export function endOf (episode: Episode): number { return episode.onsetMs + episode.riseMs + episode.stayMs + episode.fallMs }

function smooth (x: number): number { return x * x * (3 - 2 * x) }
