/**
 * The concepts that Latido computes with: one row each, canonical UCUM unit, codes by system, and hard limits outside which
 * a value is not physiology but an artefact or a typing error (docs/clinical-limits.md has the sources).
 */
export interface Concept {
  readonly name: string
  /** Canonical UCUM unit; values on the log are in it. */
  readonly unit: string
  readonly loinc: readonly string[]
  /** IEEE 11073-10101 numeric codes, as PCD-01 and MQTT feeds send them. */
  readonly mdc: readonly string[]
  /** Reference identifiers of the MDC codes, and short local names that feeds use. */
  readonly aliases: readonly string[]
  /** Closed interval of possible values, canonical unit. */
  readonly possible: readonly [low: number, high: number]
  /** g/mol, where feeds mix mass and molar concentrations. */
  readonly molarMass?: number
}

export const CONCEPT_IDS = [
  'heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure', 'temperature', 'etco2', 'fio2', 'oxygenFlow', 'oxygenTherapy',
  'consciousness', 'gcs', 'spo2Scale', 'lactate', 'creatinine', 'ureaNitrogen', 'wbc', 'platelets', 'hemoglobin', 'hematocrit', 'glucose', 'sodium',
  'potassium', 'chloride', 'bicarbonate', 'baseExcess', 'ph', 'paco2', 'pao2', 'sao2', 'bilirubinTotal', 'bilirubinDirect', 'ast', 'alkalinePhosphatase',
  'calcium', 'magnesium', 'phosphate', 'troponinI', 'ptt', 'fibrinogen', 'urineOutput',
] as const
export type ConceptId = (typeof CONCEPT_IDS)[number]

export const CONCEPTS: Readonly<Record<ConceptId, Concept>> = {
  heartRate: { name: 'Heart rate', unit: '/min', loinc: ['8867-4', '8889-8', '76282-3'], mdc: ['147842', '149530', '149522'], aliases: ['MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_PULS_RATE', 'MDC_PULS_RATE', 'HR', 'PULSE'], possible: [20, 300] },
  respiratoryRate: { name: 'Respiratory rate', unit: '/min', loinc: ['9279-1', '76270-8'], mdc: ['151562', '151586'], aliases: ['MDC_RESP_RATE', 'RR', 'RESP'], possible: [2, 80] },
  spo2: { name: 'Oxygen saturation', unit: '%', loinc: ['2708-6', '59408-5'], mdc: ['150456'], aliases: ['MDC_PULS_OXIM_SAT_O2', 'SPO2', 'O2SAT'], possible: [40, 100] },
  systolic: { name: 'Systolic pressure', unit: 'mm[Hg]', loinc: ['8480-6', '76215-3'], mdc: ['150017', '150021', '150033'], aliases: ['MDC_PRESS_BLD_SYS', 'MDC_PRESS_BLD_NONINV_SYS', 'MDC_PRESS_BLD_ART_SYS', 'SBP'], possible: [30, 300] },
  diastolic: { name: 'Diastolic pressure', unit: 'mm[Hg]', loinc: ['8462-4', '76213-8'], mdc: ['150018', '150022', '150034'], aliases: ['MDC_PRESS_BLD_DIA', 'MDC_PRESS_BLD_NONINV_DIA', 'MDC_PRESS_BLD_ART_DIA', 'DBP'], possible: [10, 250] },
  meanPressure: { name: 'Mean arterial pressure', unit: 'mm[Hg]', loinc: ['8478-0', '76214-6'], mdc: ['150019', '150023', '150035'], aliases: ['MDC_PRESS_BLD_MEAN', 'MDC_PRESS_BLD_NONINV_MEAN', 'MDC_PRESS_BLD_ART_MEAN', 'MAP'], possible: [15, 250] },
  temperature: { name: 'Body temperature', unit: 'Cel', loinc: ['8310-5', '8331-1', '76011-6'], mdc: ['150344', '150364', '150368'], aliases: ['MDC_TEMP', 'MDC_TEMP_BODY', 'TEMP'], possible: [25, 43.5] },
  etco2: { name: 'End-tidal CO2', unit: 'mm[Hg]', loinc: ['19889-5'], mdc: ['151708'], aliases: ['MDC_CONC_AWAY_CO2_ET', 'ETCO2'], possible: [0, 120] },
  fio2: { name: 'Inspired oxygen fraction', unit: '%', loinc: ['3150-6', '19994-3', '3151-0'], mdc: ['152196'], aliases: ['MDC_CONC_AWAY_O2_INSP', 'FIO2'], possible: [15, 100] },
  oxygenFlow: { name: 'Oxygen flow', unit: 'L/min', loinc: ['3151-8'], mdc: [], aliases: ['O2FLOW'], possible: [0, 80] },
  oxygenTherapy: { name: 'Supplemental oxygen (0 air, 1 oxygen)', unit: '1', loinc: [], mdc: [], aliases: ['OXYGEN_THERAPY', 'SUPPLEMENTAL_O2'], possible: [0, 1] },
  consciousness: { name: 'Consciousness, ACVPU (0 alert, 1 new confusion, 2 voice, 3 pain, 4 unresponsive)', unit: '1', loinc: ['67775-7', '80288-4'], mdc: [], aliases: ['ACVPU', 'AVPU'], possible: [0, 4] },
  gcs: { name: 'Glasgow coma score', unit: '1', loinc: ['9269-2'], mdc: ['153728'], aliases: ['GCS'], possible: [3, 15] },
  spo2Scale: { name: 'SpO2 scale prescribed for NEWS2 (1 or 2)', unit: '1', loinc: [], mdc: [], aliases: ['SPO2_SCALE'], possible: [1, 2] },
  lactate: { name: 'Lactate', unit: 'mmol/L', loinc: ['2524-7', '32693-4', '2518-9'], mdc: [], aliases: ['LACTATE', 'LACT'], possible: [0.05, 40], molarMass: 90.08 },
  creatinine: { name: 'Creatinine', unit: 'mg/dL', loinc: ['2160-0', '14682-9', '38483-4'], mdc: [], aliases: ['CREATININE', 'CREA', 'CREAT'], possible: [0.05, 50], molarMass: 113.12 },
  ureaNitrogen: { name: 'Urea nitrogen', unit: 'mg/dL', loinc: ['3094-0', '6299-2'], mdc: [], aliases: ['BUN'], possible: [0.5, 300], molarMass: 28.014 },
  wbc: { name: 'Leukocytes', unit: '10*3/uL', loinc: ['6690-2', '26464-8', '804-5'], mdc: [], aliases: ['WBC'], possible: [0, 600] },
  platelets: { name: 'Platelets', unit: '10*3/uL', loinc: ['777-3', '26515-7', '778-1'], mdc: [], aliases: ['PLATELETS', 'PLT'], possible: [0, 3000] },
  hemoglobin: { name: 'Haemoglobin', unit: 'g/dL', loinc: ['718-7', '20509-6', '59260-0'], mdc: [], aliases: ['HGB', 'HB'], possible: [1, 26] },
  hematocrit: { name: 'Haematocrit', unit: '%', loinc: ['4544-3', '20570-8'], mdc: [], aliases: ['HCT'], possible: [3, 80] },
  glucose: { name: 'Glucose', unit: 'mg/dL', loinc: ['2345-7', '2339-0', '14749-6', '41653-7', '2341-6'], mdc: [], aliases: ['GLUCOSE', 'GLU'], possible: [5, 2000], molarMass: 180.156 },
  sodium: { name: 'Sodium', unit: 'mmol/L', loinc: ['2951-2', '2947-0'], mdc: [], aliases: ['SODIUM', 'NA'], possible: [80, 220] },
  potassium: { name: 'Potassium', unit: 'mmol/L', loinc: ['2823-3', '6298-4'], mdc: [], aliases: ['POTASSIUM', 'K'], possible: [1, 14] },
  chloride: { name: 'Chloride', unit: 'mmol/L', loinc: ['2075-0', '2069-3'], mdc: [], aliases: ['CHLORIDE', 'CL'], possible: [50, 180] },
  bicarbonate: { name: 'Bicarbonate', unit: 'mmol/L', loinc: ['1963-8', '1959-6', '2028-9'], mdc: [], aliases: ['HCO3', 'BICARBONATE'], possible: [1, 70] },
  baseExcess: { name: 'Base excess', unit: 'mmol/L', loinc: ['1925-7', '11555-0'], mdc: [], aliases: ['BE', 'BASEEXCESS'], possible: [-50, 100] },
  ph: { name: 'Arterial pH', unit: '[pH]', loinc: ['2744-1', '11558-4'], mdc: [], aliases: ['PH'], possible: [6.3, 8] },
  paco2: { name: 'Arterial CO2 pressure', unit: 'mm[Hg]', loinc: ['2019-8', '11557-6'], mdc: [], aliases: ['PACO2', 'PCO2'], possible: [5, 200] },
  pao2: { name: 'Arterial oxygen pressure', unit: 'mm[Hg]', loinc: ['2703-7', '11556-8'], mdc: [], aliases: ['PAO2', 'PO2'], possible: [10, 700] },
  sao2: { name: 'Arterial oxygen saturation', unit: '%', loinc: ['2713-6', '20564-1'], mdc: [], aliases: ['SAO2'], possible: [10, 100] },
  bilirubinTotal: { name: 'Bilirubin, total', unit: 'mg/dL', loinc: ['1975-2', '14631-6'], mdc: [], aliases: ['TBILI', 'BILIRUBIN_TOTAL'], possible: [0, 90], molarMass: 584.66 },
  bilirubinDirect: { name: 'Bilirubin, direct', unit: 'mg/dL', loinc: ['1968-7', '14629-0'], mdc: [], aliases: ['DBILI', 'BILIRUBIN_DIRECT'], possible: [0, 60], molarMass: 584.66 },
  ast: { name: 'Aspartate aminotransferase', unit: 'U/L', loinc: ['1920-8', '30239-8'], mdc: [], aliases: ['AST'], possible: [1, 60000] },
  alkalinePhosphatase: { name: 'Alkaline phosphatase', unit: 'U/L', loinc: ['6768-6'], mdc: [], aliases: ['ALP', 'ALKALINEPHOS'], possible: [1, 10000] },
  calcium: { name: 'Calcium', unit: 'mg/dL', loinc: ['17861-6', '2000-8'], mdc: [], aliases: ['CALCIUM', 'CA'], possible: [0.5, 30], molarMass: 40.078 },
  magnesium: { name: 'Magnesium', unit: 'mg/dL', loinc: ['19123-9', '2601-3'], mdc: [], aliases: ['MAGNESIUM', 'MG'], possible: [0.1, 20], molarMass: 24.305 },
  phosphate: { name: 'Phosphate', unit: 'mg/dL', loinc: ['2777-1', '14879-1'], mdc: [], aliases: ['PHOSPHATE', 'PHOS'], possible: [0.1, 30], molarMass: 30.974 },
  troponinI: { name: 'Troponin I', unit: 'ng/mL', loinc: ['10839-9', '89579-7'], mdc: [], aliases: ['TROPONIN_I', 'TROPONINI'], possible: [0, 1000] },
  ptt: { name: 'Partial thromboplastin time', unit: 's', loinc: ['14979-9', '3173-2'], mdc: [], aliases: ['PTT', 'APTT'], possible: [5, 300] },
  fibrinogen: { name: 'Fibrinogen', unit: 'mg/dL', loinc: ['3255-7'], mdc: [], aliases: ['FIBRINOGEN'], possible: [10, 3000] },
  urineOutput: { name: 'Urine output', unit: 'mL', loinc: ['9187-6', '3107-0'], mdc: [], aliases: ['URINE', 'UO'], possible: [0, 10000] },
}

export function isConceptId (text: string): text is ConceptId { return Object.hasOwn(CONCEPTS, text) }

const byCode: ReadonlyMap<string, ConceptId> = new Map(CONCEPT_IDS.flatMap(id => {
  const concept = CONCEPTS[id]
  return [...concept.loinc.map(code => [`LN|${code}`, id] as const), ...concept.mdc.map(code => [`MDC|${code}`, id] as const), ...concept.aliases.map(alias => [`|${alias.toUpperCase()}`, id] as const)]
}))

/** Looks a code up. `system` is `LN` (LOINC), `MDC`, or empty for MDC reference identifiers and local names; a feed's own table comes first in `local`. */
export function conceptOf (system: string, code: string, local?: ReadonlyMap<string, ConceptId>): ConceptId | undefined {
  return local?.get(code) ?? byCode.get(`${system}|${code}`) ?? byCode.get(`|${code.toUpperCase()}`)
}

/** True where the value can be physiology at all. */
export function isPossible (concept: ConceptId, value: number): boolean {
  const [low, high] = CONCEPTS[concept].possible
  return value >= low && value <= high
}
