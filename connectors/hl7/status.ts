import type { Quality, ResultStatus } from '../../streams/events/index.ts'

/** `none`: no result (ordered, pending, not asked). `void`: X, which withdraws a result of a known code. */
export type RowStatus = ResultStatus | 'none' | 'void'

/** OBX-11, HL7 table 0085. */
const STATUS: Readonly<Record<string, RowStatus>> = {
  F: 'final', U: 'final', V: 'final', B: 'final',
  C: 'corrected', A: 'corrected',
  P: 'preliminary', S: 'preliminary', R: 'preliminary',
  D: 'withdrawn', W: 'withdrawn', X: 'void',
  I: 'none', N: 'none', O: 'none',
}

/** OBR-25, HL7 table 0123: the status of the report, which holds for rows that have none of their own. X: the order was cancelled. */
const REPORT_STATUS: Readonly<Record<string, RowStatus>> = {
  F: 'final', M: 'final', C: 'corrected', K: 'corrected', A: 'preliminary', P: 'preliminary', R: 'preliminary', S: 'preliminary', X: 'void',
  I: 'none', N: 'none', O: 'none', Y: 'none', Z: 'none',
}

/** The row's own word, else the report's, else final. undefined: not of the table. */
export function statusOf (row: string, report: string): RowStatus | undefined {
  const [table, code] = row === '' && report !== '' ? [REPORT_STATUS, report] : [STATUS, row === '' ? 'F' : row]
  return Object.hasOwn(table, code) ? table[code] : undefined
}

/** OBX-8 as device gateways extend it (IHE PCD TF-2, B.8): questionable, invalid, unavailable, test and calibration values are no bedside values. */
const FLAGS: Readonly<Record<string, Quality>> = { QUES: 'questionable', INV: 'artefact', NAV: 'artefact', ART: 'artefact', TEST: 'artefact', DEMO: 'artefact', CAL: 'artefact' }

export function qualityOf (flags: readonly string[]): Quality {
  const found = flags.map(flag => FLAGS[flag.toUpperCase()])
  return found.includes('artefact') ? 'artefact' : found.includes('questionable') ? 'questionable' : 'valid'
}
