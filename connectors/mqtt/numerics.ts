import { isPossible, QUALITIES } from '../../streams/events/index.ts'
import type { Quality, RefusalCause } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import { canonicalValue, type CodeMeaning, type FeedMapping, IGNORE, meaningOf, PLAIN_MAPPING, type UnmappedCode } from '../kit/index.ts'
import { isCuff, isPerfusionIndex, sensorOf } from './artefact-rules.ts'
import { decimalsOf, type Reading } from './judge.ts'

/** One part that was not taken, by its place in the message. */
export interface RefusedNumeric { readonly index: number, readonly cause: RefusalCause, readonly detail: string }

export interface MappedNumerics {
  readonly readings: readonly Reading[]
  readonly refused: readonly RefusedNumeric[]
  /** Values that say "no sensor": null, or a 0 where 0 is not physiology. Missing, not wrong. */
  readonly sensorOff: number
  /** Values whose codes are ignored. */
  readonly ignored: number
  /** Of the oximeter, in percent; it is no concept, and says what its other values are worth. */
  readonly perfusionIndex: number | undefined
}

/** What the mapping of a feed says to a code that nothing maps. */
export interface CodeBook { readonly mapping: FeedMapping, unmapped (code: UnmappedCode): void }
const PLAIN_BOOK: CodeBook = { mapping: PLAIN_MAPPING, unmapped: () => {} }

type Mapped = { readonly kind: 'value', readonly reading: Reading } | { readonly kind: 'sensor-off' | 'ignored' } | { readonly kind: 'perfusion', readonly value: number } | Refused
type Refused = { readonly kind: 'refused', readonly cause: RefusalCause, readonly what: string }

/** Maps each numeric by itself to a concept in its canonical unit. Written by hand: it runs for every value of every monitor. */
export function mapNumerics (numerics: readonly unknown[], eventTime: EventTimeMs, book: CodeBook = PLAIN_BOOK): MappedNumerics {
  const readings: Reading[] = []
  const refused: RefusedNumeric[] = []
  let sensorOff = 0
  let ignored = 0
  let perfusionIndex: number | undefined
  for (let index = 0; index < numerics.length; index++) {
    const mapped = mapOne(numerics[index], eventTime, book)
    switch (mapped.kind) {
      case 'value': readings.push(mapped.reading); break
      case 'sensor-off': sensorOff++; break
      case 'ignored': ignored++; break
      case 'perfusion': perfusionIndex = mapped.value; break
      case 'refused': refused.push({ index, cause: mapped.cause, detail: `numerics[${index}]: ${mapped.what}` }); break
    }
  }
  return { readings, refused, sensorOff, ignored, perfusionIndex }
}

function mapOne (numeric: unknown, eventTime: EventTimeMs, book: CodeBook): Mapped {
  if (typeof numeric !== 'object' || numeric === null) return refusal('malformed', 'not an object')
  const { code: said, value, unit: saidUnit, quality } = numeric as { code?: unknown, value?: unknown, unit?: unknown, quality?: unknown }
  const code = typeof said === 'string' || typeof said === 'number' ? String(said) : ''
  const unit = typeof saidUnit === 'string' ? saidUnit : ''
  const meaning = meaningOfCode(code, book.mapping)
  if (meaning === IGNORE) return { kind: 'ignored' }
  if (meaning === undefined) {
    if (isPerfusionIndex(code)) return perfusionOf(value)
    book.unmapped({ system: systemOf(code), code, text: '', unit })
    return refusal('code-unknown', 'code is not one that we know')
  }
  const flag = quality === undefined || quality === null ? 'valid' : qualityOf(quality)
  if (flag === undefined) return refusal('malformed', 'quality is not valid, questionable or artefact')
  if (value === null || flag === 'missing') return { kind: 'sensor-off' }
  if (typeof value !== 'number' || !Number.isFinite(value)) return refusal('value-unparsable', 'value is not a finite number')
  const canonical = unit === '' && meaning.unit === undefined ? undefined : canonicalValue(book.mapping, meaning, value, unit)
  if (canonical === undefined) return refusal('unit-unknown', 'unit is missing, unknown, or not one of this code')
  const { concept } = meaning
  if (!isPossible(concept, canonical)) return value === 0 ? { kind: 'sensor-off' } : refusal('value-impossible', 'value is outside the possible range')
  return {
    kind: 'value',
    reading: { observation: { concept, value: canonical, comparator: '=', eventTime, status: 'final', quality: flag, resultId: '' }, sensor: sensorOf(code, concept), cuff: isCuff(code), decimals: decimalsOf(value) },
  }
}

/** LOINC codes carry a check digit after a hyphen; all other codes of a monitor are MDC numbers, their reference identifiers, or short names. */
export function meaningOfCode (code: string, mapping: FeedMapping): CodeMeaning | undefined { return code === '' ? undefined : meaningOf(mapping, systemOf(code), code) }
export function systemOf (code: string): 'LN' | 'MDC' { return code.includes('-') ? 'LN' : 'MDC' }

/** Ours, and the measurement validities of ISO/IEEE 11073-10207 as gateways of SDC devices pass them on. `missing`: there is no measurement at that moment. */
const QUALITY_OF: ReadonlyMap<unknown, Quality | 'missing'> = new Map<unknown, Quality | 'missing'>([
  ...QUALITIES.map(quality => [quality, quality] as const),
  ['Vld', 'valid'], ['Vldated', 'valid'], ['Ques', 'questionable'], ['Calib', 'artefact'], ['Inv', 'artefact'], ['Oflw', 'artefact'], ['Uflw', 'artefact'], ['Ong', 'missing'], ['NA', 'missing'],
])

/** undefined: nobody defined it. */
export function qualityOf (text: unknown): Quality | 'missing' | undefined { return QUALITY_OF.get(text) }

/** In percent of the pulsating blood: up to about 20; a probe that is off says null. */
function perfusionOf (value: unknown): Mapped {
  if (value === null) return { kind: 'sensor-off' }
  if (typeof value !== 'number' || !Number.isFinite(value)) return refusal('value-unparsable', 'value is not a finite number')
  return value < 0 || value > 100 ? refusal('value-impossible', 'value is outside the possible range') : { kind: 'perfusion', value }
}

function refusal (cause: RefusalCause, what: string): Refused { return { kind: 'refused', cause, what } }
