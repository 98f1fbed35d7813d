import { writeInt64 } from '../../../../codec/index.ts'

const INITIAL_BYTES = 512

/** Writes Kafka's primitive types (big endian; compact forms are those of flexible versions) into one growing buffer. */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  #at = 0

  /** What was written; shares the buffer, which a later write may replace. */
  get bytes (): Buffer { return this.#buffer.subarray(0, this.#at) }
  get length (): number { return this.#at }

  boolean (value: boolean): this { return this.int8(value ? 1 : 0) }
  int8 (value: number): this { this.#need(1); this.#at = this.#buffer.writeInt8(value, this.#at); return this }
  int16 (value: number): this { this.#need(2); this.#at = this.#buffer.writeInt16BE(value, this.#at); return this }
  int32 (value: number): this { this.#need(4); this.#at = this.#buffer.writeInt32BE(value, this.#at); return this }
  /** Exact for safe integers. */
  int64 (value: number): this { this.#need(8); writeInt64(this.#buffer, this.#at, value); this.#at += 8; return this }

  /** Unsigned varint, up to 2^31 - 1. */
  uvarint (value: number): this {
    this.#need(5)
    let rest = value
    while (rest > 127) { this.#buffer[this.#at++] = rest & 127 | 128; rest >>>= 7 }
    this.#buffer[this.#at++] = rest
    return this
  }

  /** Before flexible versions: int16 length, -1 null. */
  string (value: string | null): this {
    if (value === null) return this.int16(-1)
    const length = Buffer.byteLength(value)
    this.int16(length).#need(length)
    this.#at += this.#buffer.write(value, this.#at)
    return this
  }

  compactString (value: string | null): this {
    if (value === null) return this.uvarint(0)
    const length = Buffer.byteLength(value)
    this.uvarint(length + 1).#need(length)
    this.#at += this.#buffer.write(value, this.#at)
    return this
  }

  /** int32 length, -1 null. */
  bytesField (value: Buffer | null): this { return value === null ? this.int32(-1) : this.int32(value.length).raw(value) }
  compactBytes (value: Buffer | null): this { return value === null ? this.uvarint(0) : this.uvarint(value.length + 1).raw(value) }
  /** 16 bytes given as 32 hexadecimal digits. */
  uuid (hex: string): this { return this.raw(Buffer.from(hex, 'hex')) }

  array<T> (items: readonly T[], each: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) each(item)
    return this
  }

  /** null is a null array. */
  compactArray<T> (items: readonly T[] | null, each: (item: T) => void): this {
    this.uvarint(items === null ? 0 : items.length + 1)
    for (const item of items ?? []) each(item)
    return this
  }

  /** An empty section of tagged fields: what ends each structure of a flexible version. */
  tags (): this { return this.uvarint(0) }

  raw (bytes: Buffer): this {
    this.#need(bytes.length)
    this.#at += bytes.copy(this.#buffer, this.#at)
    return this
  }

  #need (bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}
