import type { ConceptId } from '../../streams/events/index.ts'
import { meaningOf, type CodeMeaning, type FeedMapping } from '../kit/index.ts'
import type { Segment } from './segment.ts'

const SYSTEMS: Readonly<Record<string, string>> = { LN: 'LN', LNC: 'LN', LOINC: 'LN', MDC: 'MDC', ISO11073: 'MDC' }
const LOINC_SHAPE = /^\d{1,5}-\d$/

/** One triplet of a coded element (CE, CWE). */
export interface Coded { readonly code: string, readonly text: string, readonly system: string }

/** Both triplets that hold a code, as sent. */
export function codesIn (segment: Segment, field: number): readonly Coded[] {
  return [1, 4].map(first => ({ code: segment.said(field, first), text: segment.said(field, first + 1), system: segment.said(field, first + 2) })).filter(one => one.code !== '')
}

/** A feed says the same few hundred codes all day: what each means, as sent, for as long as its mapping holds. */
const MEANINGS = new WeakMap<FeedMapping, Map<string, CodeMeaning | undefined>>()
const MEANINGS_MAX = 4096
const MEANING_CHARACTERS_MAX = 256

/** What a coded element means. Either triplet may hold the standard code, so those with a standard system come first; the feed's own table wins over both. */
export function meaningIn (segment: Segment, field: number, mapping: FeedMapping): CodeMeaning | undefined {
  const sent = segment.asSent(field)
  if (sent.length > MEANING_CHARACTERS_MAX || sent.includes('\\')) return readMeaning(segment, field, mapping) // how an escape reads depends on the sender
  let known = MEANINGS.get(mapping)
  if (known === undefined || known.size >= MEANINGS_MAX) MEANINGS.set(mapping, known = new Map())
  if (known.has(sent)) return known.get(sent)
  const meaning = readMeaning(segment, field, mapping)
  known.set(Buffer.from(sent).toString(), meaning) // a copy: a part of a message would keep the whole
  return meaning
}

function readMeaning (segment: Segment, field: number, mapping: FeedMapping): CodeMeaning | undefined {
  const triplets = codesIn(segment, field).map(one => ({ ...one, standard: systemOf(one) })).sort((a, b) => Number(a.standard === '') - Number(b.standard === ''))
  for (const { code, system } of triplets) {
    const own = ownMeaning(mapping, system, code)
    if (own !== undefined) return own
  }
  for (const { code, standard } of triplets) {
    const found = meaningOf(mapping, standard, code)
    if (found !== undefined) return found
  }
  return undefined
}

/** The feed's table names systems as the feed does. */
function ownMeaning (mapping: FeedMapping, system: string, code: string): CodeMeaning | undefined {
  return mapping.codes.get(`${system.toUpperCase()}|${code.toUpperCase()}`) ?? mapping.codes.get(code.toUpperCase())
}

function systemOf ({ code, system }: Coded): string { return SYSTEMS[system.toUpperCase()] ?? (system === '' && LOINC_SHAPE.test(code) ? 'LN' : '') }

/** True where the first triplet is of IEEE 11073 (MDC): a device said it. */
export function isDeviceCode (segment: Segment, field: number): boolean { return SYSTEMS[segment.said(field, 3).toUpperCase()] === 'MDC' }

const VITALS: ReadonlySet<ConceptId> = new Set<ConceptId>([
  'heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure', 'temperature', 'etco2', 'fio2', 'oxygenFlow', 'oxygenTherapy', 'consciousness', 'gcs', 'spo2Scale', 'urineOutput',
])

/** Measured at the bedside, not in a laboratory. */
export function isVital (concept: ConceptId): boolean { return VITALS.has(concept) }
