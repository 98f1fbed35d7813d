import { conceptOf, type ConceptId } from '../../streams/events/index.ts'
import type { Segment } from './segment.ts'

/** A feed's own codes: by sending application (MSH-3.1), then by code. */
export type LocalCodes = ReadonlyMap<string, ReadonlyMap<string, ConceptId>>

const SYSTEMS: Readonly<Record<string, string>> = { LN: 'LN', LNC: 'LN', LOINC: 'LN', MDC: 'MDC', ISO11073: 'MDC' }
const LOINC_SHAPE = /^\d{1,5}-\d$/

/** The concept of a coded element: either triplet may hold the standard code, so those with a standard system come first. */
export function conceptIn (segment: Segment, field: number, local?: ReadonlyMap<string, ConceptId>): ConceptId | undefined {
  const triplets = [1, 4].map(first => ({ code: segment.said(field, first), system: systemOf(segment.said(field, first), segment.said(field, first + 2)) })).filter(t => t.code !== '')
  triplets.sort((a, b) => Number(a.system === '') - Number(b.system === ''))
  for (const { code, system } of triplets) {
    const concept = conceptOf(system, code, local)
    if (concept !== undefined) return concept
  }
  return undefined
}

function systemOf (code: string, system: string): string {
  return SYSTEMS[system.toUpperCase()] ?? (system === '' && LOINC_SHAPE.test(code) ? 'LN' : '')
}

const VITALS: ReadonlySet<ConceptId> = new Set<ConceptId>([
  'heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure', 'temperature', 'etco2', 'fio2', 'oxygenFlow', 'oxygenTherapy', 'consciousness', 'gcs', 'spo2Scale', 'urineOutput',
])

/** Measured at the bedside, not in a laboratory. */
export function isVital (concept: ConceptId): boolean { return VITALS.has(concept) }
