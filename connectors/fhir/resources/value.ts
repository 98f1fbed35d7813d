import type { Comparator, ConceptId } from '../../../streams/events/index.ts'
import { isPossible } from '../../../streams/events/index.ts'
import { isCoded, parseAnswer, parseNumeric } from '../../hl7/index.ts'
import { canonicalValue, type CodeMapping, type Fault, type FeedMapping } from '../../kit/index.ts'
import { list, text, type CodeableConcept, type Quantity } from './types.ts'

/** The value[x] of an Observation or of a component. */
export interface Valued {
  readonly valueQuantity?: Quantity | undefined
  readonly valueCodeableConcept?: CodeableConcept | undefined
  readonly valueString?: string | undefined
  readonly valueInteger?: number | undefined
  readonly valueBoolean?: boolean | undefined
}

export interface Value { readonly value: number, readonly comparator: Comparator }

const COMPARATORS: ReadonlySet<string> = new Set(['<', '<=', '>=', '>'])
const OTHERS = ['valueRange', 'valueRatio', 'valueTime', 'valueDateTime', 'valuePeriod', 'valueSampledData'] as const

/** Whether there is a value at all. */
export function hasValue (from: Valued): boolean {
  return from.valueQuantity?.value !== undefined || from.valueCodeableConcept !== undefined || text(from.valueString) !== '' || from.valueInteger !== undefined || from.valueBoolean !== undefined || OTHERS.some(name => (from as Readonly<Record<string, unknown>>)[name] !== undefined)
}

/** The value in the concept's canonical unit. */
export function valueOf (from: Valued, meaning: CodeMapping, mapping: FeedMapping, where: string): Value | Fault {
  const read = isCoded(meaning.concept) ? answerOf(from, meaning.concept) ?? numberOf(from) : numberOf(from)
  if (read === undefined) return { cause: 'value-unparsable', detail: `${where}: the value is neither a number nor an answer that the concept has` }
  const value = isCoded(meaning.concept) ? read.value : inCanonicalUnit(from.valueQuantity, meaning, mapping, read.value)
  if (value === undefined) return { cause: 'unit-unknown', detail: `${where}: the unit is unknown, or cannot be this concept's` }
  return isPossible(meaning.concept, value) ? { value, comparator: read.comparator } : { cause: 'value-impossible', detail: `${where}: the value cannot be physiology` }
}

function numberOf (from: Valued): Value | undefined {
  const { valueQuantity: quantity } = from
  if (quantity?.value !== undefined) {
    const comparator = text(quantity.comparator)
    if (comparator !== '' && !COMPARATORS.has(comparator)) return undefined
    return typeof quantity.value === 'number' && Number.isFinite(quantity.value) ? { value: quantity.value, comparator: comparator === '' ? '=' : comparator as Comparator } : undefined
  }
  if (typeof from.valueInteger === 'number' && Number.isFinite(from.valueInteger)) return { value: from.valueInteger, comparator: '=' }
  return from.valueString === undefined ? undefined : parseNumeric(text(from.valueString))
}

function answerOf (from: Valued, concept: ConceptId): Value | undefined {
  const codings = list(from.valueCodeableConcept?.coding)
  const spellings = [...codings.map(one => text(one.code)), ...codings.map(one => text(one.display)), text(from.valueCodeableConcept?.text), text(from.valueString), from.valueBoolean === true ? 'yes' : from.valueBoolean === false ? 'no' : '']
  const value = parseAnswer(concept, spellings.filter(one => one !== ''))
  return value === undefined ? undefined : { value, comparator: '=' }
}

/** The UCUM code first, then the unit as it is shown: some servers put the local spelling in both. */
function inCanonicalUnit (quantity: Quantity | undefined, meaning: CodeMapping, mapping: FeedMapping, value: number): number | undefined {
  const spellings = [...new Set([text(quantity?.code), text(quantity?.unit)])].filter(one => one !== '')
  if (spellings.length === 0) return canonicalValue(mapping, meaning, value, '')
  for (const unit of spellings) {
    const converted = canonicalValue(mapping, meaning, value, unit)
    if (converted !== undefined) return converted
  }
  return undefined
}
