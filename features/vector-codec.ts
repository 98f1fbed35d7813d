import { compileEncoder, compileFlyweight, StringInterner, type Layout } from '../streams/codec/index.ts'
import { LatidoError } from '../streams/errors/index.ts'
import { SchemaBook, type RecordSchema } from '../streams/events/index.ts'
import type { ArrivalTimeMs } from '../streams/time/index.ts'
import { PackedVector, VectorPacker } from './packed-vector.ts'
import { TRIGGERS, type FeatureVector, type Trigger } from './vector.ts'

export { PackedVector, VectorPacker } from './packed-vector.ts'

const FIELDS = {
  type: 'record', name: 'FeatureVector', fields: [
    { name: 'view', type: 'string' }, { name: 'version', type: 'int' }, { name: 'asOf', type: 'long' }, { name: 'trigger', type: 'int' }, { name: 'packed', type: 'bytes' }, { name: 'through', type: 'long', default: -1 },
  ],
} as const
const Encoder = compileEncoder(FIELDS)
const Flyweight = compileFlyweight(FIELDS)

/** How vectors travel: presence as bits, present values as doubles, event times as places in a short table (features share readings). */
export const FEATURE_VECTOR_SCHEMA: RecordSchema = {
  type: 'record', name: 'FeatureVector', namespace: 'latido', doc: 'One view of one entity as of an arrival time.',
  fields: [
    { name: 'view', type: 'string' },
    { name: 'version', type: 'int' },
    { name: 'asOf', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'trigger', type: 'int' },
    { name: 'packed', type: 'bytes', doc: 'u16 features, presence bits, f64 of each present, u16 times, f64 of each time, u8 place (u16 above 255 times) of each present' },
    { name: 'through', type: 'long', default: -1, doc: 'the first offset of its partition that is not in it; -1: not told' },
  ],
}

const HEADER_BYTES = 5

/** Bytes that hold until the next of their kind. */
export interface Written { readonly buffer: Buffer, readonly start: number, readonly end: number }

export interface VectorCodec {
  encode (vector: FeatureVector): Buffer
  /** The same into scratch, from what a packer has made of the vector. */
  write (vector: FeatureVector, packed: Written, through?: number): Written
  decode (buffer: Buffer, start: number, end: number): FeatureVector
  /** A vector whose values are read from the bytes when they are asked for: as long as the bytes are there. */
  lay (buffer: Buffer, start: number, end: number): LaidVector
  /** The view of a framed vector, without decoding the rest: who needs a few views passes over the others cheaply. */
  viewOf (buffer: Buffer, start: number): string
}

/** A vector over bytes. */
export class LaidVector implements FeatureVector {
  readonly type = 'vector'
  readonly view: string
  readonly version: number
  readonly asOf: ArrivalTimeMs
  readonly trigger: Trigger
  readonly through: number
  readonly packed: PackedVector
  #unpacked: Pick<FeatureVector, 'values' | 'times'> | undefined

  constructor (view: string, version: number, asOf: ArrivalTimeMs, trigger: Trigger, packed: PackedVector, through: number) {
    this.view = view
    this.version = version
    this.asOf = asOf
    this.trigger = trigger
    this.packed = packed
    this.through = through
  }

  get values (): Float64Array { return (this.#unpacked ??= this.packed.unpack()).values }
  get times (): Float64Array { return (this.#unpacked ??= this.packed.unpack()).times }
}

export async function openVectorCodec (book: SchemaBook, topic: string): Promise<VectorCodec> {
  const { id } = await book.codec(topic, FEATURE_VECTOR_SCHEMA)
  return new PositionalVectors(book, id)
}

class PositionalVectors implements VectorCodec {
  readonly #book: SchemaBook
  readonly #id: number
  readonly #encoder = new Encoder()
  readonly #flyweight = new Flyweight()
  readonly #packer = new VectorPacker()
  readonly #views = new StringInterner('utf8', 1_024)
  readonly #layouts = new Map<number, Layout>()

  constructor (book: SchemaBook, id: number) {
    this.#book = book
    this.#id = id
  }

  encode (vector: FeatureVector): Buffer {
    const { buffer, start, end } = this.write(vector, { start: 0, end: this.#packer.pack(vector), buffer: this.#packer.buffer })
    return Buffer.from(buffer.subarray(start, end))
  }

  write (v: FeatureVector, packed: Written, through: number = v.through ?? -1): Written {
    const encoder = this.#encoder
    encoder.begin(this.#id).view(v.view).version(v.version).asOf(v.asOf).trigger(TRIGGERS.indexOf(v.trigger)).packedBytes(packed.buffer, packed.start, packed.end).through(through)
    const end = encoder.finish()
    return { buffer: encoder.buffer, start: 0, end }
  }

  decode (buffer: Buffer, start: number, end: number): FeatureVector {
    const { view, version, asOf, trigger, through, packed } = this.lay(buffer, start, end)
    return { type: 'vector', view, version, asOf, trigger, through, ...packed.unpack() }
  }

  lay (buffer: Buffer, start: number, end: number): LaidVector {
    const laid = this.#flyweight
    laid.over(buffer, start + HEADER_BYTES, end, this.#layoutOf(buffer, start, end))
    const trigger = TRIGGERS[laid.trigger]
    if (trigger === undefined) throw new LatidoError('PAYLOAD_INVALID', 'a vector has an unknown trigger', 'upgrade this instance')
    return new LaidVector(this.#views.of(laid.buffer, laid.viewStart, laid.viewEnd), laid.version, laid.asOf, trigger, new PackedVector(laid.buffer, laid.packedStart, laid.packedEnd), laid.through)
  }

  /** Confluent's header, then Avro: the first field is the view's name, its length as a zigzag varint (below 64: one byte). */
  viewOf (buffer: Buffer, start: number): string {
    const from = start + HEADER_BYTES + 1
    return this.#views.of(buffer, from, from + (buffer[from - 1]! >> 1))
  }

  #layoutOf (buffer: Buffer, start: number, end: number): Layout {
    const name = this.#book.nameOf(buffer, start, end)
    if (name === undefined) throw new LatidoError('SCHEMA_UNKNOWN', 'the schema of a vector is unknown', 'register the schema, or find the producer that writes it')
    if (name !== 'latido.FeatureVector') throw new LatidoError('PAYLOAD_INVALID', 'a value is not a vector', 'find the producer that writes other records to this topic')
    const id = buffer.readUInt32BE(start + 1)
    let layout = this.#layouts.get(id)
    if (layout === undefined) this.#layouts.set(id, layout = Flyweight.layoutOf(this.#book.schemaOf(id)))
    return layout
  }
}

const packer = new VectorPacker()
export function packVector (vector: Pick<FeatureVector, 'values' | 'times'>): Buffer { return packer.packed(vector) }

/** Throws PAYLOAD_INVALID on bytes that `packVector` did not write. */
export function unpackVector (packed: Buffer): { readonly values: Float64Array, readonly times: Float64Array } { return new PackedVector(packed, 0, packed.length).unpack() }
