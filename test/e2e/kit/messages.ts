import { formatTime } from '../../../connectors/hl7/index.ts'

/** Segments to a message, CR after each. */
export function hl7 (...segments: readonly string[]): Buffer { return Buffer.from(segments.map(s => `${s}\r`).join(''), 'utf8') }

/** A charted set by LOINC: breaths, saturation %, beats, systolic mmHg, degrees Celsius. */
export interface ChartedValues { readonly breaths: number, readonly saturation: number, readonly beats: number, readonly systolic: number, readonly celsius: number }

/** NEWS2 of what is measured: 0. */
export const STABLE: ChartedValues = { breaths: 16, saturation: 97, beats: 72, systolic: 122, celsius: 36.8 }
/** NEWS2 of what is measured: 3 + 3 + 2 + 2 + 1 = 11. */
export const DETERIORATED: ChartedValues = { breaths: 27, saturation: 90, beats: 124, systolic: 96, celsius: 38.6 }

function msh (type: string, controlId: string, at: number): string { return `MSH|^~\\&|HIS|INVENTED|LATIDO|LATIDO|${formatTime(at)}||${type}|${controlId}|P|2.5.1` }
function pid (patient: string): string { return `PID|1||${patient}^^^INVENTED^MR||Invented^Test||19500412|F` }

/** ADT^A01. */
export function admission (controlId: string, patient: string, bed: string, at: number): Buffer {
  return hl7(msh('ADT^A01^ADT_A01', controlId, at), `EVN|A01|${formatTime(at)}`, pid(patient), `PV1|1|I|W1^^${bed}${'|'.repeat(41)}${formatTime(at)}`)
}

/** ORU^R01 with five vital signs, charted at `at`. */
export function chartedSet (controlId: string, patient: string, values: ChartedValues, at: number): Buffer {
  const lines: readonly (readonly [code: string, value: number, unit: string])[] = [
    ['9279-1^Respiratory rate^LN', values.breaths, '/min'], ['59408-5^Oxygen saturation^LN', values.saturation, '%'], ['8867-4^Heart rate^LN', values.beats, '/min'],
    ['8480-6^Systolic blood pressure^LN', values.systolic, 'mm[Hg]'], ['8310-5^Body temperature^LN', values.celsius, 'Cel'],
  ]
  return hl7(msh('ORU^R01^ORU_R01', controlId, at), pid(patient), `OBR|1||${controlId}|VITALS^Vital signs^L|||${formatTime(at)}`,
    ...lines.map(([code, value, unit], i) => `OBX|${i + 1}|NM|${code}||${value}|${unit}|||||F|||${formatTime(at)}`))
}
