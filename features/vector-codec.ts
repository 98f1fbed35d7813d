import { LatidoError } from '../streams/errors/index.ts'
import { SchemaBook, type Codec, type RecordSchema } from '../streams/events/index.ts'
import { TRIGGERS, type FeatureVector } from './vector.ts'

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

interface RawVector { view: string, version: number, asOf: number, trigger: number, packed: Buffer }

export interface VectorCodec {
  encode (vector: FeatureVector): Buffer
  decode (buffer: Buffer, start: number, end: number): FeatureVector
}

export async function openVectorCodec (book: SchemaBook, topic: string): Promise<VectorCodec> {
  const codec: Codec<RawVector> = await book.codec<RawVector>(topic, FEATURE_VECTOR_SCHEMA)
  return {
    encode: v => codec.encode({ view: v.view, version: v.version, asOf: v.asOf, trigger: TRIGGERS.indexOf(v.trigger), packed: packVector(v) }),
    decode: (buffer, start, end) => {
      const raw = book.decode(buffer, start, end) as RawVector
      const trigger = TRIGGERS[raw.trigger]
      if (trigger === undefined) throw new LatidoError('PAYLOAD_INVALID', 'a vector has an unknown trigger', 'upgrade this instance')
      return { type: 'vector', view: raw.view, version: raw.version, asOf: raw.asOf, trigger, ...unpackVector(raw.packed) }
    },
  }
}

export function packVector ({ values, times }: Pick<FeatureVector, 'values' | 'times'>): Buffer {
  const n = values.length
  const places = new Map<number, number>()
  let present = 0
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(values[i])) continue
    present++
    const time = times[i]!
    if (!places.has(time)) places.set(time, places.size)
  }
  const bits = (n + 7) >> 3
  const placeBytes = places.size > 255 ? 2 : 1
  const packed = Buffer.alloc(2 + bits + 8 * present + 2 + 8 * places.size + placeBytes * present)
  packed.writeUInt16LE(n, 0)
  let valueAt = 2 + bits
  let timeAt = valueAt + 8 * present
  packed.writeUInt16LE(places.size, timeAt)
  timeAt += 2
  for (const time of places.keys()) timeAt = packed.writeDoubleLE(time, timeAt)
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(values[i])) continue
    packed[2 + (i >> 3)]! |= 1 << (i & 7)
    valueAt = packed.writeDoubleLE(values[i]!, valueAt)
    timeAt = packed.writeUIntLE(places.get(times[i]!)!, timeAt, placeBytes)
  }
  return packed
}

/** Throws PAYLOAD_INVALID on bytes that `packVector` did not write. */
export function unpackVector (packed: Buffer): { readonly values: Float64Array, readonly times: Float64Array } {
  try {
    const n = packed.readUInt16LE(0)
    const values = new Float64Array(n).fill(NaN)
    const times = new Float64Array(n).fill(NaN)
    const bits = (n + 7) >> 3
    const isPresent = (i: number): boolean => (packed[2 + (i >> 3)]! >> (i & 7) & 1) === 1
    let at = 2 + bits
    for (let i = 0; i < n; i++) if (isPresent(i)) { values[i] = packed.readDoubleLE(at); at += 8 }
    const count = packed.readUInt16LE(at)
    const timesAt = at + 2
    at = timesAt + 8 * count
    const placeBytes = count > 255 ? 2 : 1
    for (let i = 0; i < n; i++) if (isPresent(i)) { times[i] = packed.readDoubleLE(timesAt + 8 * packed.readUIntLE(at, placeBytes)); at += placeBytes }
    return { values, times }
  } catch (cause) {
    throw new LatidoError('PAYLOAD_INVALID', 'a vector is cut short', 'find the producer that writes it', cause)
  }
}
