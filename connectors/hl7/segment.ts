import { decodeEscapes } from './delimiters.ts'
import { partOf, type Delimiters } from './header.ts'

/**
 * One segment in standard delimiters, for reading: positions from 1 as HL7 counts them, escapes decoded after the split, '' where nothing stands.
 * Fields are split at the first look, the rest of the structure when it is asked for: of most fields nobody asks.
 */
export class Segment {
  readonly name: string
  /** Position in the message, from 1. */
  readonly number: number
  readonly #line: string
  readonly #sender: Delimiters
  #fields: readonly string[] | undefined

  constructor (name: string, number: number, line: string, sender: Delimiters) {
    this.name = name
    this.number = number
    this.#line = line
    this.#sender = sender
  }

  /** Subcomponent (from 1) of component `component` (from 1) of repetition `repetition` (from 0) of field `n`. */
  text (n: number, component = 1, repetition = 0, subcomponent = 1): string {
    if (this.name === 'MSH' && n <= 2) return component === 1 && repetition === 0 && subcomponent === 1 && n === 2 ? '^~\\&' : '' // MSH-1 and MSH-2 are delimiters, not values
    return decodeEscapes(partOf(partOf(partOf(this.asSent(n), '~', repetition), '^', component - 1), '&', subcomponent - 1), this.#sender)
  }

  /** As `text`, trimmed, with the HL7 null `""` as nothing. */
  said (n: number, component = 1, repetition = 0, subcomponent = 1): string {
    const value = this.text(n, component, repetition, subcomponent).trim()
    return value === '""' ? '' : value
  }

  /** How many repetitions field `n` has; 0 if it is empty. */
  repetitions (n: number): number {
    const field = this.asSent(n)
    if (field === '') return 0
    let count = 1
    if (this.name !== 'MSH' || n > 2) for (let at = field.indexOf('~'); at >= 0; at = field.indexOf('~', at + 1)) count++
    return count
  }

  /** The whole field as sent, escapes decoded: for TX, FT and ST, where `^`, `&` and `~` are text. */
  raw (n: number): string { return decodeEscapes(this.asSent(n), this.#sender) }

  /** The field as sent, nothing decoded, in standard delimiters. */
  asSent (n: number): string {
    this.#fields ??= this.#line.split('|')
    return this.#fields[this.name === 'MSH' ? n - 1 : n] ?? ''
  }
}
