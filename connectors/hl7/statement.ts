import type { StatementEvent, StatementKind, StatementStatus } from '../../streams/events/index.ts'
import { boundedId } from '../kit/index.ts'
import { codesIn } from './code.ts'
import type { Hl7Context } from './context.ts'
import { parseNumeric } from './numeric.ts'
import type { Segment } from './segment.ts'

/** HL7 table 0396 to the URIs that FHIR has for the same systems (terminology.hl7.org). */
const SYSTEM_URIS: Readonly<Record<string, string>> = {
  LN: 'http://loinc.org', LNC: 'http://loinc.org', SCT: 'http://snomed.info/sct', SNM: 'http://snomed.info/sct', RXNORM: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  NDC: 'http://hl7.org/fhir/sid/ndc', CVX: 'http://hl7.org/fhir/sid/cvx', ATC: 'http://www.whocc.no/atc', WC: 'http://www.whocc.no/atc', C4: 'http://www.ama-assn.org/go/cpt', CPT: 'http://www.ama-assn.org/go/cpt',
  I10: 'http://hl7.org/fhir/sid/icd-10', I10C: 'http://hl7.org/fhir/sid/icd-10-cm', I9C: 'http://hl7.org/fhir/sid/icd-9-cm', MDC: 'urn:iso:std:iso:11073:10101',
}
const CODE = /^\S{1,64}$/

export interface StatementCode { readonly system: string, readonly code: string }

/** The code of a coded element, that of a standard system before a local one. undefined: there is text only, which may identify a person. */
export function statementCode (segment: Segment, field: number): StatementCode | undefined {
  const codes = codesIn(segment, field).filter(one => CODE.test(one.code)).map(({ code, system }) => ({ code, uri: SYSTEM_URIS[system.toUpperCase()], system }))
  const found = codes.find(one => one.uri !== undefined) ?? codes[0]
  return found === undefined ? undefined : { system: found.uri ?? found.system, code: found.code }
}

/** Parts that a later word about the same thing has too. */
export function statementId (...parts: readonly string[]): string {
  const id = parts.join('|')
  return boundedId(id)
}

/** An amount with its unit. Without a unit that is UCUM, or that the mapping knows, the number says nothing, and both stay empty. */
export function amountOf (segment: Segment, valueField: number, unitField: number, { mapping }: Hl7Context): { readonly value: number, readonly unit: string } {
  const number = parseNumeric(segment.said(valueField))
  const [sent, system] = [segment.said(unitField, 1), segment.said(unitField, 3).toUpperCase()]
  const unit = mapping.units.get(sent) ?? (system === 'UCUM' ? sent : '')
  return number === undefined || number.comparator !== '=' || unit === '' ? { value: NaN, unit: '' } : { value: number.value, unit }
}

export interface StatementParts {
  readonly kind: StatementKind
  readonly statementId: string
  readonly status: StatementStatus
  readonly code: StatementCode
  readonly eventTime: number
  readonly endTime?: number
  readonly value?: number
  readonly unit?: string
}

export function statement ({ code, endTime = -1, value = NaN, unit = '', ...parts }: StatementParts, { source }: Hl7Context): StatementEvent {
  return { type: 'statement', source, ...parts, ...code, endTime, value, unit }
}
