import { KeyInterner } from './key-interner.ts'

const ENTRIES_MAX = 65_536
/** A longer text is not one that repeats. */
const BYTES_MAX = 128

/**
 * Byte ranges to strings: the same bytes give the same string without decoding it again. For what repeats: names, units, keys in use. It forgets
 * everything when it is full, and learns again.
 */
export class StringInterner {
  readonly #encoding: 'utf8' | 'latin1'
  readonly #entriesMax: number
  #keys = new KeyInterner()
  #strings: string[] = []

  constructor (encoding: 'utf8' | 'latin1' = 'utf8', entriesMax: number = ENTRIES_MAX) {
    this.#encoding = encoding
    this.#entriesMax = entriesMax
  }

  /** Strings that are known. */
  get size (): number { return this.#strings.length }

  of (buffer: Buffer, start: number, end: number): string {
    if (end === start) return ''
    if (end - start > BYTES_MAX) return buffer.toString(this.#encoding, start, end)
    if (this.#strings.length >= this.#entriesMax && this.#keys.slotOf(buffer, start, end) < 0) this.#forget()
    const slot = this.#keys.intern(buffer, start, end)
    return this.#strings[slot] ?? this.#learn(slot, buffer.toString(this.#encoding, start, end))
  }

  #learn (slot: number, text: string): string {
    this.#strings[slot] = text
    return text
  }

  #forget (): void {
    this.#keys = new KeyInterner()
    this.#strings = []
  }
}
