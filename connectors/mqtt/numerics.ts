import { isPossible, QUALITIES } from '../../streams/events/index.ts'
import type { Quality, RefusalCause } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import { canonicalValue, type CodeMapping, type FeedMapping, meaningOf, PLAIN_MAPPING, type UnmappedCode } from '../kit/index.ts'
import { isCuff, isPerfusionIndex, sensorOf } from './artefact-rules.ts'
import { decimalsOf, type Reading } from './judge.ts'

/** One part that was not taken, by its place in the message. */
export interface RefusedNumeric { readonly index: number, readonly cause: RefusalCause, readonly detail: string }

export interface MappedNumerics {
  readonly readings: readonly Reading[]
  readonly refused: readonly RefusedNumeric[]
  /** Values that say "no sensor": null, or a 0 where 0 is not physiology. Missing, not wrong. */
  readonly sensorOff: number
  /** Of the oximeter, in percent; it is no concept, and says what its other values are worth. */
  readonly perfusionIndex: number | undefined
}

/** What the mapping of a feed says to a code that nothing maps. */
export interface CodeBook { readonly mapping: FeedMapping, unmapped (code: UnmappedCode): void }
const PLAIN_BOOK: CodeBook = { mapping: PLAIN_MAPPING, unmapped: () => {} }

type Mapped = { readonly kind: 'value', readonly reading: Reading } | { readonly kind: 'sensor-off' } | { readonly kind: 'perfusion', readonly value: number } | Refused
type Refused = { readonly kind: 'refused', readonly cause: RefusalCause, readonly what: string }

/** Maps each numeric by itself to a concept in its canonical unit. Written by hand: it runs for every value of every monitor. */
export function mapNumerics (numerics: readonly unknown[], eventTime: EventTimeMs, book: CodeBook = PLAIN_BOOK): MappedNumerics {
  const readings: Reading[] = []
  const refused: RefusedNumeric[] = []
  let sensorOff = 0
  let perfusionIndex: number | undefined
  for (let index = 0; index < numerics.length; index++) {
    const mapped = mapOne(numerics[index], eventTime, book)
    switch (mapped.kind) {
      case 'value': readings.push(mapped.reading); break
      case 'sensor-off': sensorOff++; break
      case 'perfusion': perfusionIndex = mapped.value; break
      case 'refused': refused.push({ index, cause: mapped.cause, detail: `numerics[${index}]: ${mapped.what}` }); break
    }
  }
  return { readings, refused, sensorOff, perfusionIndex }
}

function mapOne (numeric: unknown, eventTime: EventTimeMs, book: CodeBook): Mapped {
  if (typeof numeric !== 'object' || numeric === null) return refusal('malformed', 'not an object')
  const { code: said, value, unit: saidUnit, quality } = numeric as { code?: unknown, value?: unknown, unit?: unknown, quality?: unknown }
  const code = typeof said === 'string' || typeof said === 'number' ? String(said) : ''
  const unit = typeof saidUnit === 'string' ? saidUnit : ''
  const meaning = meaningOfCode(code, book.mapping)
  if (meaning === undefined) {
    if (isPerfusionIndex(code)) return typeof value === 'number' && value >= 0 ? { kind: 'perfusion', value } : { kind: 'sensor-off' }
    book.unmapped({ system: systemOf(code), code, text: '', unit })
    return refusal('code-unknown', 'code is not one that we know')
  }
  if (value === null) return { kind: 'sensor-off' }
  if (typeof value !== 'number' || !Number.isFinite(value)) return refusal('value-unparsable', 'value is not a finite number')
  const canonical = unit === '' && meaning.unit === undefined ? undefined : canonicalValue(book.mapping, meaning, value, unit)
  if (canonical === undefined) return refusal('unit-unknown', 'unit is missing, unknown, or not one of this code')
  const { concept } = meaning
  if (!isPossible(concept, canonical)) return value === 0 ? { kind: 'sensor-off' } : refusal('value-impossible', 'value is outside the possible range')
  const flag = quality ?? 'valid'
  if (!isQuality(flag)) return refusal('malformed', 'quality is not valid, questionable or artefact')
  return {
    kind: 'value',
    reading: { observation: { concept, value: canonical, comparator: '=', eventTime, status: 'final', quality: flag, resultId: '' }, sensor: sensorOf(code, concept), cuff: isCuff(code), decimals: decimalsOf(value) },
  }
}

/** LOINC codes carry a check digit after a hyphen; all other codes of a monitor are MDC numbers, their reference identifiers, or short names. */
export function meaningOfCode (code: string, mapping: FeedMapping): CodeMapping | undefined { return code === '' ? undefined : meaningOf(mapping, systemOf(code), code) }
export function systemOf (code: string): 'LN' | 'MDC' { return code.includes('-') ? 'LN' : 'MDC' }
export function isQuality (text: unknown): text is Quality { return (QUALITIES as readonly unknown[]).includes(text) }

function refusal (cause: RefusalCause, what: string): Refused { return { kind: 'refused', cause, what } }
