import { formatTime } from '../../../connectors/hl7/index.ts'
import { systemClock } from '../../../streams/time/index.ts'

const OBX = ['2524-7^Lactate^LN||1.2|mmol/L', '2160-0^Creatinine^LN||0.9|mg/dL', '3094-0^Urea nitrogen^LN||14|mg/dL', '6690-2^Leukocytes^LN||7.1|10*3/uL', '777-3^Platelets^LN||210|10*3/uL', '2345-7^Glucose^LN||101|mg/dL', '2951-2^Sodium^LN||139|mmol/L', '718-7^Hemoglobin^LN||12.9|g/dL']

/** A laboratory panel of eight results. `number` stands in the control id and in the filler order, so also in the identity of each result. */
export function panel (number: string, patient: string): string {
  const at = formatTime(systemClock.now())
  return [
    `MSH|^~\\&|LIS|BENCH|LATIDO|LATIDO|${at}||ORU^R01^ORU_R01|M-${number}|P|2.5.1`, `PID|1||${patient}^^^BENCH^MR||Invented^Test||19500412|F`, `OBR|1||${number}|PANEL^Panel^L|||${at}`,
    ...OBX.map((x, i) => `OBX|${i + 1}|NM|${x}|||||F`),
  ].map(line => `${line}\r`).join('')
}
