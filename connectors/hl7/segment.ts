import type { FieldData, ParsedSegment } from 'hl7-standard'
import { decodeEscapes } from './delimiters.ts'
import type { Delimiters } from './header.ts'

/** One segment, for reading: positions from 1 as HL7 counts them, escapes decoded after the split, '' where nothing stands. */
export class Segment {
  readonly name: string
  /** Position in the message, from 1. */
  readonly number: number
  readonly #parsed: ParsedSegment
  readonly #line: string
  readonly #sender: Delimiters

  constructor (name: string, number: number, parsed: ParsedSegment, line: string, sender: Delimiters) {
    this.name = name
    this.number = number
    this.#parsed = parsed
    this.#line = line
    this.#sender = sender
  }

  /** Subcomponent (from 1) of component `component` (from 1) of repetition `repetition` (from 0) of field `n`. */
  text (n: number, component = 1, repetition = 0, subcomponent = 1): string {
    const value = this.#component(n, component, repetition)
    return decodeEscapes((typeof value === 'string' ? [value] : value)[subcomponent - 1] ?? '', this.#sender)
  }

  /** As `text`, trimmed, with the HL7 null `""` as nothing. */
  said (n: number, component = 1, repetition = 0, subcomponent = 1): string {
    const value = this.text(n, component, repetition, subcomponent).trim()
    return value === '""' ? '' : value
  }

  /** How many repetitions field `n` has; 0 if it is empty. */
  repetitions (n: number): number {
    const data = this.#data(n)
    if (data === '') return 0
    return isRepeated(data) ? data.length : 1
  }

  /** The whole field as sent, escapes decoded: for TX, FT and ST, where `^`, `&` and `~` are text. */
  raw (n: number): string {
    return decodeEscapes(this.#line.split('|')[this.name === 'MSH' ? n - 1 : n] ?? '', this.#sender)
  }

  #data (n: number): FieldData { return this.#parsed.data[`${this.name}.${n}`] ?? '' }

  #component (n: number, component: number, repetition: number): string | readonly string[] {
    const data = this.#data(n)
    if (isRepeated(data)) return data[repetition]?.[`${this.name}.${n}.${component}`] ?? ''
    if (repetition > 0) return ''
    if (typeof data === 'string' || isSubcomponents(data)) return component === 1 ? data : ''
    return data[`${this.name}.${n}.${component}`] ?? ''
  }
}

function isSubcomponents (data: FieldData): data is readonly string[] { return Array.isArray(data) && typeof data[0] === 'string' }

type Repeated = Extract<FieldData, readonly Readonly<Record<string, unknown>>[]>
function isRepeated (data: FieldData): data is Repeated { return Array.isArray(data) && typeof data[0] === 'object' }
