import { readInt64 } from '../../../../codec/index.ts'

/** Reads Kafka's primitive types from an answer; the counterpart of `WireWriter`. A read past the end throws RangeError. */
export class WireReader {
  readonly buffer: Buffer
  at: number

  constructor (buffer: Buffer, at: number = 0) {
    this.buffer = buffer
    this.at = at
  }

  boolean (): boolean { return this.int8() !== 0 }
  int8 (): number { const value = this.buffer.readInt8(this.at); this.at += 1; return value }
  int16 (): number { const value = this.buffer.readInt16BE(this.at); this.at += 2; return value }
  int32 (): number { const value = this.buffer.readInt32BE(this.at); this.at += 4; return value }
  int64 (): number { this.#within(8); const value = readInt64(this.buffer, this.at); this.at += 8; return value }

  uvarint (): number {
    let byte = this.buffer.readUInt8(this.at++)
    let value = byte & 127
    for (let shift = 7; byte > 127; shift += 7) { byte = this.buffer.readUInt8(this.at++); value |= (byte & 127) << shift }
    return value >>> 0
  }

  string (): string | null { return this.#text(this.int16()) }
  compactString (): string | null { return this.#text(this.uvarint() - 1) }
  bytesField (): Buffer | null { return this.#slice(this.int32()) }
  compactBytes (): Buffer | null { return this.#slice(this.uvarint() - 1) }
  uuid (): string { this.#within(16); const hex = this.buffer.toString('hex', this.at, this.at + 16); this.at += 16; return hex }

  /** A null array reads as empty. */
  array<T> (each: () => T): T[] { return this.#list(this.int32(), each) }
  compactArray<T> (each: () => T): T[] { return this.#list(this.uvarint() - 1, each) }

  /** Passes over tagged fields; `known` is called at the start of each. */
  tags (known?: (tag: number) => void): void {
    for (let n = this.uvarint(); n > 0; n--) {
      const tag = this.uvarint()
      const length = this.uvarint()
      const end = this.at + length
      known?.(tag)
      this.at = end
    }
  }

  #list<T> (length: number, each: () => T): T[] {
    const items: T[] = []
    for (let i = 0; i < length; i++) items.push(each())
    return items
  }

  #text (length: number): string | null {
    if (length < 0) return null
    this.#within(length)
    const text = this.buffer.toString('utf8', this.at, this.at + length)
    this.at += length
    return text
  }

  #slice (length: number): Buffer | null {
    if (length < 0) return null
    this.#within(length)
    const slice = this.buffer.subarray(this.at, this.at + length)
    this.at += length
    return slice
  }

  #within (bytes: number): void { if (this.at + bytes > this.buffer.length) throw new RangeError('the answer ends early') }
}
