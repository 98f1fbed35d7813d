import { isPossible, type Comparator, type ConceptId, type Observation, type ResultStatus } from '../../streams/events/index.ts'
import { boundedId, canonicalValue, IGNORE, type CodeMapping } from '../kit/index.ts'
import { codesIn, isVital, meaningIn } from './code.ts'
import { isCoded, parseAnswer } from './coded.ts'
import { isFault, momentOf, type Hl7Context } from './context.ts'
import { parseNumeric, parseStructured, type Numeric } from './numeric.ts'
import { faultAt, note, type Hl7Fault } from './outcome.ts'
import type { Segment } from './segment.ts'
import { qualityOf, statusOf } from './status.ts'

/** An OBX with what it belongs to. */
export interface ResultRow {
  readonly obx: Segment
  readonly obr?: Segment | undefined
  readonly orc?: Segment | undefined
  readonly spm?: Segment | undefined
  /** A row of a device message: the heads above it, nearest first. */
  readonly heads?: readonly Segment[] | undefined
}

/** `no-value`: a header, an order or a pending result, counted only. `ignored`: by its code. `document`: a file or a reference to one, which is no value. */
export type RowOutcome =
  | { readonly kind: 'observation', readonly observation: Observation }
  | { readonly kind: 'no-value' | 'ignored' | 'document' }
  | { readonly kind: 'refused', readonly fault: Hl7Fault }

/** Encapsulated data and pointers to it: their values are never looked at, since base64 of megabytes would be copied for nothing. */
const DOCUMENTS: ReadonlySet<string> = new Set(['ED', 'RP'])

/** One OBX to one observation in the concept's canonical unit. */
export function mapRow (row: ResultRow, context: Hl7Context): RowOutcome {
  const { obx, obr } = row
  if (DOCUMENTS.has(obx.said(2).toUpperCase())) return { kind: 'document' }
  const meaning = meaningIn(obx, 3, context.mapping)
  if (meaning === IGNORE) return { kind: 'ignored' } // whatever else is wrong with it
  const code = statusOf(obx.said(11).toUpperCase(), obr?.said(25).toUpperCase() ?? '')
  if (code === undefined) return refused(obx.said(11) === '' && obr !== undefined ? faultAt('payload-invalid', obr, 25, 'is not of table 0123') : faultAt('payload-invalid', obx, 11, 'is not of table 0085'))
  if (code === 'none') return { kind: 'no-value' }
  const empty = isEmpty(obx)
  if (row.heads !== undefined && empty) return { kind: 'no-value' } // the head of a channel carries X and no value: nothing was cancelled
  const status = code === 'void' || isNull(obx) ? 'withdrawn' : code
  if (status !== 'withdrawn' && empty) return { kind: 'no-value' }
  if (meaning === undefined) return code === 'void' && empty ? { kind: 'no-value' } : unknown(obx, context)
  const value = valueOf(obx, meaning, status, context)
  if (isFault(value) && row.heads !== undefined && isSensorOff(obx, value)) { note(context.notices, 'sensor-off'); return { kind: 'no-value' } }
  if (isFault(value)) return refused(value)
  const time = timeOf(row, meaning.concept, context)
  if (isFault(time)) return refused(time)
  const quality = qualityOf(Array.from({ length: obx.repetitions(8) }, (_, i) => obx.said(8, 1, i)))
  const resultId = row.heads === undefined ? resultIdOf(row, time.stated) : ''
  if (resultId === '' && (status === 'withdrawn' || status === 'corrected')) note(context.notices, 'correction-without-identity')
  return { kind: 'observation', observation: { concept: meaning.concept, value: value.value, comparator: value.comparator, eventTime: time.at, status, quality, resultId } }
}

function refused (fault: Hl7Fault): RowOutcome { return { kind: 'refused', fault } }

const TEXT_CHARS_MAX = 80

function unknown (obx: Segment, { unmapped }: Hl7Context): RowOutcome {
  const [first] = codesIn(obx, 3)
  unmapped({ system: first?.system ?? '', code: first?.code ?? '', text: (first?.text ?? '').slice(0, TEXT_CHARS_MAX), unit: obx.said(6, 1) })
  return refused(faultAt('code-unknown', obx, 3))
}

/** A monitor says 0 where its sensor is off and 0 cannot be: nothing was measured. */
function isSensorOff (obx: Segment, fault: Hl7Fault): boolean { return fault.cause === 'value-impossible' && parseNumeric(obx.raw(5))?.value === 0 }

function isEmpty (obx: Segment): boolean { return /^[\s^~&]*$/.test(obx.raw(5)) }

/** HL7's null, which takes a value away; empty says nothing of it. */
function isNull (obx: Segment): boolean { return obx.raw(5).trim() === '""' }

/** A withdrawn result needs no value: 0 stands where none can be read, and nothing may be computed from it. */
function valueOf (obx: Segment, meaning: CodeMapping, status: ResultStatus, context: Hl7Context): { readonly value: number, readonly comparator: Comparator } | Hl7Fault {
  const { concept } = meaning
  const number = readValue(obx, concept)
  const value = typeof number === 'string' ? undefined : isCoded(concept) ? number.value : inCanonicalUnit(obx, meaning, number.value, context)
  if (typeof number !== 'string' && value !== undefined && isPossible(concept, value)) return { value, comparator: number.comparator }
  if (status === 'withdrawn') return { value: 0, comparator: '=' }
  if (typeof number === 'string') return faultAt('value-unparsable', obx, 5, number)
  return value === undefined ? faultAt('unit-unknown', obx, 6) : faultAt('value-impossible', obx, 5)
}

/** A string: why it is no single value; empty where nothing more can be said. */
function readValue (obx: Segment, concept: ConceptId): Numeric | string {
  const type = obx.said(2).toUpperCase()
  const coded = isCoded(concept)
  switch (type) {
    case 'NM': case 'ST': case 'TX': case 'FT': case 'IS': case 'ID': case '':
      return (coded ? answer(concept, [obx.raw(5)]) : undefined) ?? parseNumeric(obx.raw(5)) ?? (type === 'NM' && obx.repetitions(5) > 1 ? 'has several values' : '')
    case 'SN':
      if (obx.repetitions(5) > 1) return 'has several values'
      return parseStructured(obx.said(5, 1), obx.said(5, 2), obx.said(5, 3), obx.said(5, 4)) ?? shapeOf(obx.said(5, 3), obx.said(5, 4))
    case 'CE': case 'CWE': case 'CNE': case 'CF':
      if (obx.repetitions(5) > 1) return 'has several values'
      return (coded ? answer(concept, [1, 4, 2, 5, 9].map(c => obx.said(5, c))) : undefined) ?? ''
    default: return ''
  }
}

/** SN-3 with SN-4: a range and a ratio are no single number, and neither end of them may stand for it. */
function shapeOf (separator: string, second: string): string {
  if (second === '') return ''
  return separator === '-' ? 'is a range' : separator === ':' || separator === '/' ? 'is a ratio' : ''
}

function answer (concept: ConceptId, spellings: readonly string[]): Numeric | undefined {
  const value = parseAnswer(concept, spellings)
  return value === undefined ? undefined : { value, comparator: '=' }
}

/** OBX-6 may hold the unit as code, as text, or in the other triplet. None: what the mapping says of the code, else canonical already. */
function inCanonicalUnit (obx: Segment, meaning: CodeMapping, value: number, { mapping }: Hl7Context): number | undefined {
  const first = obx.said(6, 1)
  // An unescaped power of ten, `10^3/uL`: its rest alone, `3/uL`, is a valid unit of another size.
  if (/^[x×]?10$/i.test(first)) return canonicalValue(mapping, meaning, value, `${first}^${obx.said(6, 2)}`)
  let isSaid = false
  for (const component of [1, 2, 4, 5]) {
    const unit = obx.said(6, component)
    if (unit === '') continue
    isSaid = true
    const converted = canonicalValue(mapping, meaning, value, unit)
    if (converted !== undefined) return converted
  }
  return isSaid ? undefined : canonicalValue(mapping, meaning, value, '')
}

interface RowTime { readonly at: number, readonly stated: number | undefined }

/**
 * OBX-14, else (of a device) its heads' OBX-14, else OBR-7, else the specimen's SPM-17; never MSH-7. A vital sign without any time is of now
 * (counted); a laboratory result without one may be hours old and is refused.
 */
function timeOf ({ obx, obr, spm, heads = [] }: ResultRow, concept: ConceptId, context: Hl7Context): RowTime | Hl7Fault {
  const moment = momentOf([...[obx, ...heads].map(segment => ({ segment, field: 14 })), { segment: obr, field: 7 }, { segment: spm, field: 17 }], context)
  if (moment !== undefined) return moment
  if (!isVital(concept)) return faultAt('time-unparsable', obx, 14, 'and OBR-7 are empty')
  note(context.notices, 'time-missing')
  return { at: context.now, stated: undefined }
}

/**
 * Filler order (else placer), code, sub-id and stated time: a correction of the same result has the same. Without a stated time nothing says which
 * of an order's readings a word is about: such a reading has no identity and always counts.
 */
export function resultIdOf ({ obx, obr, orc }: ResultRow, stated: number | undefined): string {
  if (stated === undefined) return ''
  const order = [obr?.said(3), orc?.said(3), obr?.said(2), orc?.said(2)].find(id => id !== undefined && id !== '') ?? ''
  const id = `${order}|${obx.said(3, 1) || obx.said(3, 4)}|${obx.said(4)}|${stated}`
  return boundedId(id)
}
