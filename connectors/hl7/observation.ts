import { createHash } from 'node:crypto'
import { isPossible, toCanonical, type Comparator, type ConceptId, type Observation, type ResultStatus } from '../../streams/events/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import { conceptIn, isVital } from './code.ts'
import { isCoded, parseAnswer } from './coded.ts'
import { parseNumeric, parseStructured, type Numeric } from './numeric.ts'
import { faultAt, note, type Fault, type Notices } from './outcome.ts'
import type { Segment } from './segment.ts'
import { qualityOf, statusOf } from './status.ts'
import { parseTime, type TimeDefaults } from './time.ts'

export interface ObservationContext {
  readonly times: TimeDefaults
  readonly now: ArrivalTimeMs
  readonly futureToleranceMs: number
  readonly localCodes?: ReadonlyMap<string, ConceptId> | undefined
  readonly notices: Notices
}

/** An OBX with what it belongs to. */
export interface ResultRow { readonly obx: Segment, readonly obr?: Segment | undefined, readonly orc?: Segment | undefined }

/** `no-value`: a header, an order or a pending result, counted only. */
export type RowOutcome =
  | { readonly kind: 'observation', readonly observation: Observation }
  | { readonly kind: 'no-value' }
  | { readonly kind: 'refused', readonly fault: Fault }

/** One OBX to one observation in the concept's canonical unit. */
export function mapRow (row: ResultRow, context: ObservationContext): RowOutcome {
  const { obx } = row
  const code = statusOf(obx.said(11).toUpperCase())
  if (code === undefined) return refused(faultAt('payload-invalid', obx, 11, 'is not of table 0085'))
  if (code === 'none') return { kind: 'no-value' }
  const concept = conceptIn(obx, 3, context.localCodes)
  const status = code === 'void' || obx.raw(5).trim() === '""' ? 'withdrawn' : code
  if (status !== 'withdrawn' && isEmpty(obx)) return { kind: 'no-value' }
  if (concept === undefined) return code === 'void' && isEmpty(obx) ? { kind: 'no-value' } : refused(faultAt('code-unknown', obx, 3))
  const value = valueOf(obx, concept, status)
  if ('cause' in value) return refused(value)
  const time = timeOf(row, concept, context)
  if ('cause' in time) return refused(time)
  const flags = Array.from({ length: obx.repetitions(8) }, (_, i) => obx.said(8, 1, i))
  const quality = qualityOf(flags)
  const resultId = identityOf(row, time.stated)
  return { kind: 'observation', observation: { concept, value: value.value, comparator: value.comparator, eventTime: time.eventTime, status, quality, resultId } }
}

function refused (fault: Fault): RowOutcome { return { kind: 'refused', fault } }

function isEmpty (obx: Segment): boolean { return /^[\s^~&]*$/.test(obx.raw(5)) }

/** A withdrawn result needs no value: 0 stands where none can be read, and nothing may be computed from it. */
function valueOf (obx: Segment, concept: ConceptId, status: ResultStatus): { readonly value: number, readonly comparator: Comparator } | Fault {
  const number = readValue(obx, concept)
  const value = number === undefined ? undefined : isCoded(concept) ? number.value : inCanonicalUnit(obx, concept, number.value)
  const usable = number !== undefined && value !== undefined && isPossible(concept, value)
  if (usable) return { value, comparator: number.comparator }
  if (status === 'withdrawn') return { value: 0, comparator: '=' }
  if (number === undefined) return faultAt('value-unparsable', obx, 5)
  return value === undefined ? faultAt('unit-unknown', obx, 6) : faultAt('value-impossible', obx, 5)
}

function readValue (obx: Segment, concept: ConceptId): Numeric | undefined {
  const type = obx.said(2).toUpperCase()
  const coded = isCoded(concept)
  switch (type) {
    case 'NM': case 'ST': case 'TX': case 'FT': case 'IS': case 'ID': case '':
      return (coded ? answer(concept, [obx.raw(5)]) : undefined) ?? parseNumeric(obx.raw(5))
    case 'SN': return obx.repetitions(5) > 1 ? undefined : parseStructured(obx.said(5, 1), obx.said(5, 2), obx.said(5, 3), obx.said(5, 4))
    case 'CE': case 'CWE': case 'CNE': case 'CF':
      return coded && obx.repetitions(5) === 1 ? answer(concept, [1, 4, 2, 5, 9].map(c => obx.said(5, c))) : undefined
    default: return undefined
  }
}

function answer (concept: ConceptId, spellings: readonly string[]): Numeric | undefined {
  const value = parseAnswer(concept, spellings)
  return value === undefined ? undefined : { value, comparator: '=' }
}

/** OBX-6 may hold the unit as code, as text, or in the other triplet. None: canonical already. */
function inCanonicalUnit (obx: Segment, concept: ConceptId, value: number): number | undefined {
  const [first, second] = [obx.said(6, 1), obx.said(6, 2)]
  // An unescaped power of ten, `10^3/uL`: its rest alone, `3/uL`, is a valid unit of another size.
  const spellings = /^[x×]?10$/i.test(first) ? [`${first}^${second}`] : [first, second, obx.said(6, 4), obx.said(6, 5)].filter(unit => unit !== '')
  if (spellings.length === 0) return value
  for (const unit of spellings) {
    const converted = toCanonical(concept, value, unit)
    if (converted !== undefined) return converted
  }
  return undefined
}

interface RowTime { readonly eventTime: number, readonly stated: number }

/**
 * OBX-14, else OBR-7, never MSH-7. A time ahead of the log by no more than the tolerance is clock skew and becomes the log's.
 * A vital sign without any time is of now (counted); a laboratory result without one may be hours old and is refused.
 */
function timeOf ({ obx, obr }: ResultRow, concept: ConceptId, context: ObservationContext): RowTime | Fault {
  const { now, times, notices } = context
  const own = obx.said(14) !== ''
  const [segment, field] = own || obr === undefined ? [obx, 14] as const : [obr, 7] as const
  const parsed = parseTime(segment.said(field), times)
  if (parsed.kind === 'empty' && isVital(concept)) {
    note(notices, 'time-missing')
    return { eventTime: now, stated: now }
  }
  if (parsed.kind === 'empty') return faultAt('time-unparsable', obx, 14, 'and OBR-7 are empty')
  if (parsed.kind === 'unparsable' || parsed.precision === 'year' || parsed.precision === 'month') return faultAt('time-unparsable', segment, field)
  if (parsed.precision === 'day' || parsed.precision === 'hour') note(notices, 'time-imprecise')
  if (parsed.start > now + context.futureToleranceMs) return faultAt('time-in-future', segment, field)
  if (parsed.start > now) note(notices, 'time-clamped')
  return { eventTime: Math.min(parsed.start, now), stated: parsed.start }
}

const RESULT_ID_CHARS_MAX = 128

/** Filler order (else placer), code, sub-id and stated time: a correction of the same result has the same. */
function identityOf ({ obx, obr, orc }: ResultRow, stated: number): string {
  const order = [obr?.said(3), orc?.said(3), obr?.said(2), orc?.said(2)].find(id => id !== undefined && id !== '') ?? ''
  const id = `${order}|${obx.said(3, 1) || obx.said(3, 4)}|${obx.said(4)}|${stated}`
  return id.length <= RESULT_ID_CHARS_MAX ? id : createHash('sha256').update(id).digest('hex')
}
