import type { ConceptId } from '../../../streams/events/index.ts'

/**
 * The 34 measured columns of the PhysioNet/CinC Challenge 2019 and their concepts. Units as the challenge states them
 * (Reyna et al., Crit Care Med 2020;48:210, supplement), which are the canonical ones; FiO2 is a fraction.
 */
export const MEASURED = {
  HR: 'heartRate', O2Sat: 'spo2', Temp: 'temperature', SBP: 'systolic', MAP: 'meanPressure', DBP: 'diastolic', Resp: 'respiratoryRate',
  EtCO2: 'etco2', BaseExcess: 'baseExcess', HCO3: 'bicarbonate', FiO2: 'fio2', pH: 'ph', PaCO2: 'paco2', SaO2: 'sao2', AST: 'ast',
  BUN: 'ureaNitrogen', Alkalinephos: 'alkalinePhosphatase', Calcium: 'calcium', Chloride: 'chloride', Creatinine: 'creatinine',
  Bilirubin_direct: 'bilirubinDirect', Glucose: 'glucose', Lactate: 'lactate', Magnesium: 'magnesium', Phosphate: 'phosphate', Potassium: 'potassium',
  Bilirubin_total: 'bilirubinTotal', TroponinI: 'troponinI', Hct: 'hematocrit', Hgb: 'hemoglobin', PTT: 'ptt', WBC: 'wbc', Fibrinogen: 'fibrinogen',
  Platelets: 'platelets',
} as const

export type MeasuredColumn = keyof typeof MEASURED

/** The measured columns in a fixed order; values are kept with their position in it. */
export const MEASURED_COLUMNS: readonly MeasuredColumn[] = Object.keys(MEASURED) as MeasuredColumn[]

export const MEASURED_CONCEPTS: readonly ConceptId[] = MEASURED_COLUMNS.map(column => MEASURED[column])

/** About the stay; `SepsisLabel` is no observation of anybody and is not read. */
export const REQUIRED_STAY_COLUMNS = ['Age', 'Gender', 'ICULOS'] as const
export const OPTIONAL_STAY_COLUMNS = ['Unit1', 'Unit2', 'HospAdmTime'] as const

export type Column = 'pid' | MeasuredColumn | (typeof REQUIRED_STAY_COLUMNS)[number] | (typeof OPTIONAL_STAY_COLUMNS)[number]
