import { conceptOf } from '../../../streams/events/index.ts'
import { meaningOf, type CodeMapping, type CodeMeaning, type FeedMapping } from '../../kit/index.ts'
import { list, text, type CodeableConcept, type Coding } from './types.ts'

/** Names of code systems as the rest of Latido has them, by FHIR's URI (R4, terminologies 4.3). */
const STANDARD: Readonly<Record<string, string>> = {
  'http://loinc.org': 'LN', 'urn:oid:2.16.840.1.113883.6.1': 'LN',
  'urn:iso:std:iso:11073:10101': 'MDC', 'urn:oid:2.16.840.1.113883.6.24': 'MDC',
}

/** `LN` and `MDC` for LOINC and IEEE 11073; any other system is itself. */
export function systemOf (uri: string): string { return Object.hasOwn(STANDARD, uri) ? STANDARD[uri]! : uri }

/**
 * The concept that a coded element means: the feed's own table first over all codings (by the system's URI or short name), with the method of the
 * measurement where the table has `code/method`, then LOINC and MDC. Short local names (`HR`) count only without a system: `NA` of another code
 * system is not sodium.
 */
export function conceptIn (mapping: FeedMapping, code: CodeableConcept | undefined, method?: CodeableConcept): CodeMeaning | undefined {
  const codings = list(code?.coding).map(one => ({ uri: text(one.system), code: text(one.code) })).filter(one => one.code !== '')
  const methods = list(method?.coding).map(one => text(one.code)).filter(one => one !== '')
  for (const one of codings) {
    for (const spelling of [...methods.map(m => `${one.code}/${m}`), one.code]) {
      for (const system of new Set([one.uri, systemOf(one.uri)])) {
        const own = mapping.codes.get(`${system.toUpperCase()}|${spelling.toUpperCase()}`) ?? mapping.codes.get(spelling.toUpperCase())
        if (own !== undefined) return own
      }
    }
  }
  for (const one of codings) {
    const system = systemOf(one.uri)
    if (system !== 'LN' && system !== 'MDC' && system !== '') continue
    const meaning = system === '' ? meaningOf(mapping, '', one.code) : standard(system, one.code)
    if (meaning !== undefined) return meaning
  }
  return undefined
}

function standard (system: string, code: string): CodeMapping | undefined {
  const concept = conceptOf(system, code)
  return concept === undefined ? undefined : { concept }
}

/** Systems that a statement's code is taken from first, where it comes in several. */
const PREFERRED: readonly string[] = [
  'http://snomed.info/sct', 'http://loinc.org', 'http://www.nlm.nih.gov/research/umls/rxnorm', 'http://hl7.org/fhir/sid/icd-10-cm', 'http://hl7.org/fhir/sid/icd-10',
  'http://www.whocc.no/atc', 'http://hl7.org/fhir/sid/ndc', 'http://dicom.nema.org/resources/ontology/DCM',
]

export interface Code { readonly system: string, readonly code: string }

/** One coding for a statement: `userSelected`, else of the system that stands first in the list, else the first with a code. undefined: text alone. */
export function codeIn (concepts: readonly (CodeableConcept | undefined)[]): Code | undefined {
  for (const concept of concepts) {
    const codings = list(concept?.coding).filter(one => text(one.code) !== '')
    const best = codings.find(one => one.userSelected === true) ?? [...codings].sort((a, b) => rank(a) - rank(b))[0]
    if (best !== undefined) return { system: text(best.system), code: text(best.code) }
  }
  return undefined
}

function rank (coding: Coding): number {
  const at = PREFERRED.indexOf(text(coding.system))
  return at < 0 ? PREFERRED.length : at
}

/** The code of a value set that has one system (`clinicalStatus`, `verificationStatus`). */
export function simpleCode (concept: CodeableConcept | undefined): string { return text(list(concept?.coding)[0]?.code) }
