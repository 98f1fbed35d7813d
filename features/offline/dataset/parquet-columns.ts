import type { FileHandle } from 'node:fs/promises'
import { LatidoError } from '../../../streams/errors/index.ts'

/** A column of a Parquet file. `local`: a time without a zone. */
export interface ParquetColumn { readonly name: string, readonly type: 'integer' | 'number' | 'text' | 'flag' | 'date' | 'time' | 'local' | 'other' }

const MAGIC = 'PAR1'
const FOOTER_BYTES_MAX = 64 * 1024 * 1024

/**
 * The columns of a Parquet file, from its footer: Thrift's compact protocol, of which the schema alone is read.
 * https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 * Throws FILE_INVALID.
 */
export async function parquetColumns (file: FileHandle, name: string): Promise<readonly ParquetColumn[]> {
  const fail = (): never => { throw new LatidoError('FILE_INVALID', `${name} is not a whole Parquet file`, 'write it again') }
  const { size } = await file.stat()
  if (size < 12) fail()
  const tail = Buffer.alloc(8)
  await file.read(tail, 0, 8, size - 8)
  const length = tail.readUInt32LE(0)
  if (tail.toString('latin1', 4) !== MAGIC || length > Math.min(size - 12, FOOTER_BYTES_MAX)) fail()
  const footer = Buffer.alloc(length)
  await file.read(footer, 0, length, size - 8 - length)
  let read: Value
  try { read = new Thrift(footer).struct() } catch { return fail() }
  const schema = (read as Struct).get(2)
  if (!Array.isArray(schema) || schema.length < 2) return fail()
  return leaves(schema as readonly Struct[])
}

/** The root and nested groups are no columns; a nested group is one column of a kind that nobody reads here. */
function leaves (schema: readonly Struct[]): readonly ParquetColumn[] {
  const columns: ParquetColumn[] = []
  const skip = (at: number): number => {
    let next = at + 1
    for (let children = Number(schema[at]?.get(5) ?? 0); children > 0; children--) next = skip(next)
    return next
  }
  for (let at = 1; at < schema.length; at = skip(at)) {
    const element = schema[at]!
    columns.push({ name: String(element.get(4)), type: Number(element.get(5) ?? 0) > 0 || element.get(3) === 2 ? 'other' : typeOf(element) })
  }
  return columns
}

const PHYSICAL: Readonly<Record<number, ParquetColumn['type']>> = { 0: 'flag', 1: 'integer', 2: 'integer', 3: 'local', 4: 'number', 5: 'number', 6: 'text' }
const TIMESTAMP_MILLIS = 9
const TIMESTAMP_MICROS = 10
const DATE = 6
const DECIMAL = 5

/** Logical types by their field in the union: 5 decimal, 6 date, 8 timestamp; before them the converted types of old writers. */
function typeOf (element: Struct): ParquetColumn['type'] {
  const logical = element.get(10)
  const converted = element.get(6)
  if (logical instanceof Map) {
    const timestamp = logical.get(8)
    if (timestamp instanceof Map) return timestamp.get(1) === true ? 'time' : 'local'
    if (logical.has(6)) return 'date'
    if (logical.has(5)) return 'other'
  }
  if (converted === TIMESTAMP_MILLIS || converted === TIMESTAMP_MICROS) return 'time'
  if (converted === DATE) return 'date'
  if (converted === DECIMAL) return 'other'
  return PHYSICAL[Number(element.get(1))] ?? 'other'
}

type Struct = ReadonlyMap<number, Value>
type Value = number | boolean | string | Struct | readonly Value[]

/** https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
class Thrift {
  readonly #bytes: Buffer
  #at = 0
  constructor (bytes: Buffer) { this.#bytes = bytes }

  struct (): Struct {
    const fields = new Map<number, Value>()
    for (let id = 0; ;) {
      const head = this.#byte()
      const type = head & 15
      if (type === 0) return fields
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4)
      fields.set(id, type === 1 ? true : type === 2 ? false : this.#value(type))
    }
  }

  #value (type: number): Value {
    switch (type) {
      case 1: case 2: return this.#byte() === 1 // in a list
      case 3: return this.#byte()
      case 4: case 5: case 6: return this.#zigzag()
      case 7: this.#at += 8; return 0
      case 8: return this.#text()
      case 9: case 10: return this.#list()
      case 12: return this.struct()
      default: throw new RangeError(`type ${type}`)
    }
  }

  #list (): readonly Value[] {
    const head = this.#byte()
    const length = head >> 4 === 15 ? this.#varint() : head >> 4
    if (length > this.#bytes.length) throw new RangeError('length')
    return Array.from({ length }, () => this.#value(head & 15))
  }

  #text (): string {
    const length = this.#varint()
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  #byte (): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError('end')
    return byte
  }

  /** Exact to 2^53, which is more than what is read of it needs. */
  #varint (): number {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  #zigzag (): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
