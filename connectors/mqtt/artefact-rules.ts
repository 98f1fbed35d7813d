/**
 * When a value that is possible is none of the patient's. Each rule only lowers the quality of an observation; the value is published.
 * Sources: docs/clinical-limits.md, "Artefacts of monitors".
 */
export interface ArtefactRules {
  /** Heart rate changes by more than `perSecondMax` /min a second: artefact. */
  readonly heartRateJump: { readonly on: boolean, readonly perSecondMax: number }
  /** SpO2 changes by more than `perSecondMax` % a second: artefact. */
  readonly spo2Jump: { readonly on: boolean, readonly perSecondMax: number }
  /** Everything that a pressure line or an oximeter says is the same to the last digit for `forMsMin` or longer: questionable. */
  readonly flatline: { readonly on: boolean, readonly forMsMin: number }
  /** SpO2 and pulse of an oximeter, both whole numbers, are the same for `forMsMin` or longer: questionable. */
  readonly flatOximeter: { readonly on: boolean, readonly forMsMin: number }
  /** Temperature to a hundredth of a degree is the same for longer than `overMs`: questionable. */
  readonly flatTemperature: { readonly on: boolean, readonly overMs: number }
  /** Mean pressure outside diastolic to systolic: artefact. */
  readonly meanOutside: { readonly on: boolean }
  /** Systolic less diastolic under `mmHgMin` (damped line, flush): questionable. */
  readonly pulsePressure: { readonly on: boolean, readonly mmHgMin: number }
  /** SpO2 while the perfusion index is under `percentMin`: questionable. */
  readonly perfusion: { readonly on: boolean, readonly percentMin: number }
  /**
   * Two of the rates by ECG, oximeter and arterial line differ by more than `perMinuteMax`: the one that a third contradicts is questionable, of two alone
   * not the ECG's. With the oximeter's pulse goes its SpO2.
   */
  readonly pulseMismatch: { readonly on: boolean, readonly perMinuteMax: number }
  /** A waveform whose least and greatest value of an interval are the same: artefact; of the plethysmogram: what the oximeter says is questionable. */
  readonly flatWave: { readonly on: boolean }
  /** An arterial pressure wave that leaves what blood pressures can be, in its interval (flush, zeroing, a sample drawn): its mean is questionable. */
  readonly waveOutside: { readonly on: boolean }
}

export const ARTEFACT_RULES: ArtefactRules = {
  heartRateJump: { on: true, perSecondMax: 60 },
  spo2Jump: { on: true, perSecondMax: 10 },
  flatline: { on: true, forMsMin: 60_000 },
  flatOximeter: { on: true, forMsMin: 1_800_000 },
  flatTemperature: { on: true, overMs: 600_000 },
  meanOutside: { on: true },
  pulsePressure: { on: true, mmHgMin: 8 },
  perfusion: { on: true, percentMin: 0.3 },
  pulseMismatch: { on: true, perMinuteMax: 15 },
  flatWave: { on: true },
  waveOutside: { on: true },
}

/** The sensor that a value comes from, as far as its code says so. `other`: a cuff, or nobody knows; a cuff's value stands for minutes and is not flat. */
export type Sensor = 'ecg' | 'oximeter' | 'line' | 'thermometer' | 'other'

const SENSORS: ReadonlyMap<string, Sensor> = new Map<string, Sensor>([
  ...['147842', 'MDC_ECG_HEART_RATE', 'HR', '8867-4', '76282-3'].map(code => [code, 'ecg'] as const),
  ...['149530', 'MDC_PULS_OXIM_PULS_RATE', '8889-8', '150456', 'MDC_PULS_OXIM_SAT_O2', 'SPO2', 'O2SAT', '59408-5', '2708-6'].map(code => [code, 'oximeter'] as const),
  ...['149522', 'MDC_BLD_PULS_RATE_INV', '150033', '150034', '150035', 'MDC_PRESS_BLD_ART_SYS', 'MDC_PRESS_BLD_ART_DIA', 'MDC_PRESS_BLD_ART_MEAN', '76215-3', '76213-8', '76214-6'].map(code => [code, 'line'] as const),
])
/** Cuff readings stand apart from those of a line in one message. */
const CUFF: ReadonlySet<string> = new Set(['150021', '150022', '150023', 'MDC_PRESS_BLD_NONINV_SYS', 'MDC_PRESS_BLD_NONINV_DIA', 'MDC_PRESS_BLD_NONINV_MEAN'])
/** No concept of ours: it is read for the rule, and counted. LOINC 61006-3 is the perfusion index by pulse oximetry. */
const PERFUSION: ReadonlySet<string> = new Set(['150488', 'MDC_PULS_OXIM_PERF_REL', 'PI', '61006-3'])

export function sensorOf (code: string, concept: string): Sensor { return concept === 'temperature' ? 'thermometer' : SENSORS.get(code.toUpperCase()) ?? 'other' }
export function isCuff (code: string): boolean { return CUFF.has(code.toUpperCase()) }
export function isPerfusionIndex (code: string): boolean { return PERFUSION.has(code.toUpperCase()) }
