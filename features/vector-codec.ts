import { LatidoError } from '../streams/errors/index.ts'
import { SchemaBook, type Codec, type RecordSchema } from '../streams/events/index.ts'
import { emptyVector, TRIGGERS, type FeatureVector } from './vector.ts'

/** How vectors travel: presence as bits, present values as doubles, event times as places in a short table (features share readings). */
export const FEATURE_VECTOR_SCHEMA: RecordSchema = {
  type: 'record', name: 'FeatureVector', namespace: 'latido', doc: 'One view of one entity as of an arrival time.',
  fields: [
    { name: 'view', type: 'string' },
    { name: 'version', type: 'int' },
    { name: 'asOf', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'trigger', type: 'int' },
    { name: 'packed', type: 'bytes', doc: 'u16 features, presence bits, f64 of each present, u16 times, f64 of each time, u8 place (u16 above 255 times) of each present' },
  ],
}

const HEADER_BYTES = 5

interface RawVector { view: string, version: number, asOf: number, trigger: number, packed: Buffer }

export interface VectorCodec {
  encode (vector: FeatureVector): Buffer
  decode (buffer: Buffer, start: number, end: number): FeatureVector
  /** The view of a framed vector, without decoding the rest: who needs a few views passes over the others cheaply. */
  viewOf (buffer: Buffer, start: number): string
}

/** Confluent's header, then Avro: the first field is the view's name, its length as a zigzag varint (below 64: one byte). */
function viewOf (buffer: Buffer, start: number): string {
  const length = buffer[start + HEADER_BYTES]! >> 1
  return buffer.toString('latin1', start + HEADER_BYTES + 1, start + HEADER_BYTES + 1 + length)
}

export async function openVectorCodec (book: SchemaBook, topic: string): Promise<VectorCodec> {
  const codec: Codec<RawVector> = await book.codec<RawVector>(topic, FEATURE_VECTOR_SCHEMA)
  return {
    viewOf,
    encode: v => codec.encode({ view: v.view, version: v.version, asOf: v.asOf, trigger: TRIGGERS.indexOf(v.trigger), packed: packVector(v) }),
    decode: (buffer, start, end) => {
      const raw = book.decode(buffer, start, end) as RawVector
      const trigger = TRIGGERS[raw.trigger]
      if (trigger === undefined) throw new LatidoError('PAYLOAD_INVALID', 'a vector has an unknown trigger', 'upgrade this instance')
      return { type: 'vector', view: raw.view, version: raw.version, asOf: raw.asOf, trigger, ...unpackVector(raw.packed) }
    },
  }
}

// Scratch for one vector at a time: doubles are moved as blocks of bytes (little-endian, as every platform of ours is), not one by one.
const FEATURES_MAX = 65_535
let scratch = new Float64Array(1_024)
let scratchBytes = Buffer.from(scratch.buffer)
const table = new Float64Array(256)
const tableBytes = Buffer.from(table.buffer)
let places = new Uint16Array(1_024)

function reserve (features: number): void {
  if (features > FEATURES_MAX) throw new LatidoError('VIEW_INVALID', `a view has ${features} features`, `a view has at most ${FEATURES_MAX}`)
  if (features <= scratch.length) return
  scratch = new Float64Array(features)
  scratchBytes = Buffer.from(scratch.buffer)
  places = new Uint16Array(features)
}

export function packVector ({ values, times }: Pick<FeatureVector, 'values' | 'times'>): Buffer {
  const n = values.length
  reserve(n)
  const distinct: number[] = []
  let present = 0
  for (let i = 0; i < n; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) continue
    const time = times[i]!
    let place = distinct.indexOf(time)
    if (place < 0) place = distinct.push(time) - 1
    scratch[present] = value
    places[present++] = place
  }
  const bits = (n + 7) >> 3
  const placeBytes = distinct.length > 255 ? 2 : 1
  const packed = Buffer.allocUnsafe(2 + bits + 8 * present + 2 + 8 * distinct.length + placeBytes * present).fill(0, 0, 2 + bits)
  packed.writeUInt16LE(n, 0)
  for (let i = 0; i < n; i++) if (!Number.isNaN(values[i])) packed[2 + (i >> 3)]! |= 1 << (i & 7)
  let at = 2 + bits
  scratchBytes.copy(packed, at, 0, 8 * present)
  at = packed.writeUInt16LE(distinct.length, at + 8 * present)
  for (const time of distinct) at = packed.writeDoubleLE(time, at)
  for (let i = 0; i < present; i++) {
    packed[at++] = places[i]! & 255
    if (placeBytes === 2) packed[at++] = places[i]! >> 8
  }
  return packed
}

/** Throws PAYLOAD_INVALID on bytes that `packVector` did not write. */
export function unpackVector (packed: Buffer): { readonly values: Float64Array, readonly times: Float64Array } {
  const cut = (): LatidoError => new LatidoError('PAYLOAD_INVALID', 'a vector is cut short', 'find the producer that writes it')
  if (packed.length < 2) throw cut()
  const n = packed[0]! | packed[1]! << 8
  const valuesAt = 2 + ((n + 7) >> 3)
  reserve(n)
  let present = 0
  for (let i = 2; i < valuesAt; i++) for (let byte = packed[i] ?? 0; byte !== 0; byte &= byte - 1) present++
  const tableAt = valuesAt + 8 * present + 2
  if (packed.length < tableAt) throw cut()
  const count = packed.readUInt16LE(tableAt - 2)
  const placesAt = tableAt + 8 * count
  const placeBytes = count > 255 ? 2 : 1
  if (packed.length !== placesAt + placeBytes * present) throw cut()
  packed.copy(scratchBytes, 0, valuesAt, tableAt - 2)
  const distinct = count <= table.length ? table : new Float64Array(count)
  packed.copy(distinct === table ? tableBytes : Buffer.from(distinct.buffer), 0, tableAt, placesAt)
  const { values, times } = emptyVector(n)
  let next = 0
  for (let i = 0; i < n; i++) {
    if ((packed[2 + (i >> 3)]! >> (i & 7) & 1) === 0) continue
    const place = placeBytes === 1 ? packed[placesAt + next]! : packed[placesAt + 2 * next]! | packed[placesAt + 2 * next + 1]! << 8
    values[i] = scratch[next++]!
    times[i] = distinct[place] ?? NaN
  }
  return { values, times }
}
