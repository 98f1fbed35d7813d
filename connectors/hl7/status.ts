import type { Quality, ResultStatus } from '../../streams/events/index.ts'

/**
 * OBX-11, HL7 table 0085. `none`: the row carries no result (ordered, pending, not asked). `void`: X, which withdraws a result
 * of a known code and otherwise is the header row of a device message (PCD-01).
 */
const STATUS: Readonly<Record<string, ResultStatus | 'none' | 'void'>> = {
  '': 'final', F: 'final', U: 'final', V: 'final', B: 'final',
  C: 'corrected', A: 'corrected',
  P: 'preliminary', S: 'preliminary', R: 'preliminary',
  D: 'withdrawn', W: 'withdrawn', X: 'void',
  I: 'none', N: 'none', O: 'none',
}

export function statusOf (code: string): ResultStatus | 'none' | 'void' | undefined {
  return Object.hasOwn(STATUS, code) ? STATUS[code] : undefined
}

/** OBX-8 as device gateways extend it (IHE PCD TF-2, B.8): questionable, invalid, test and calibration values are no bedside values. */
const FLAGS: Readonly<Record<string, Quality>> = { QUES: 'questionable', INV: 'artefact', ART: 'artefact', TEST: 'artefact', DEMO: 'artefact', CAL: 'artefact' }

export function qualityOf (flags: readonly string[]): Quality {
  const found = flags.map(flag => FLAGS[flag.toUpperCase()])
  return found.includes('artefact') ? 'artefact' : found.includes('questionable') ? 'questionable' : 'valid'
}
