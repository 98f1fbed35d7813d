import { LatidoError } from '../streams/errors/index.ts'

// The layout is that of `packed-vector.ts`; a test compares the two readers. This one makes no object and copies nothing: it is what serving reads by.

const cut = (): LatidoError => new LatidoError('PAYLOAD_INVALID', 'a vector is cut short', 'find the producer that writes it')

let viewed: DataView = new DataView(new ArrayBuffer(0))
/** Rows of one answer of a store share memory: a view over it is made once. */
function dataViewOf (buffer: Buffer): DataView { return viewed.buffer === buffer.buffer ? viewed : (viewed = new DataView(buffer.buffer)) }

let values = new Float64Array(1_024)
let times = new Float64Array(1_024)
let table = new Float64Array(1_024)

function reserve (features: number): void {
  if (features <= values.length) return
  values = new Float64Array(features)
  times = new Float64Array(features)
  table = new Float64Array(features)
}

/** A double at any place, little-endian. */
export function doubleAt (buffer: Buffer, at: number): number { return dataViewOf(buffer).getFloat64(buffer.byteOffset + at, true) }

/**
 * Writes the values of a packed vector (which begins at `start` and ends with the buffer) from place `valuesAt` of `into` on, and their event
 * times from `timesAt` on; NaN where absent. `places` picks features, undefined takes all, of which there must be `count`.
 * Answers how many it has written that are present. Throws PAYLOAD_INVALID on bytes that `VectorPacker` did not write for a view of so many features.
 */
export function readColumns (buffer: Buffer, start: number, count: number, places: Uint16Array | undefined, into: Float64Array, valuesAt: number, timesAt: number): number {
  if (places === undefined) return unpack(buffer, start, count, into, valuesAt, into, timesAt)
  reserve(count)
  unpack(buffer, start, count, values, 0, times, 0)
  let present = 0
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!
    const value = values[place]!
    into[valuesAt + i] = value
    into[timesAt + i] = times[place]!
    if (value === value) present++ // not NaN
  }
  return present
}

function unpack (buffer: Buffer, start: number, count: number, toValues: Float64Array, valuesAt: number, toTimes: Float64Array, timesAt: number): number {
  const length = buffer.length
  if (length - start < 2) throw cut()
  const features = buffer[start]! | buffer[start + 1]! << 8
  if (features !== count) throw new LatidoError('PAYLOAD_INVALID', `a stored vector has ${features} features where its view has ${count}`, 'a changed view needs a new version: raise it, or run the code that wrote the row')
  reserve(count)
  const data = dataViewOf(buffer)
  const base = buffer.byteOffset
  const bitsAt = start + 2
  const doublesAt = bitsAt + ((count + 7) >> 3)
  let present = 0
  for (let i = bitsAt; i < doublesAt && i < length; i++) for (let byte = buffer[i]!; byte !== 0; byte &= byte - 1) present++
  const tableAt = doublesAt + 8 * present + 2
  if (tableAt > length || present > count) throw cut()
  const distinct = buffer[tableAt - 2]! | buffer[tableAt - 1]! << 8
  const placeBytes = distinct > 255 ? 2 : 1
  let placeAt = tableAt + 8 * distinct
  if (distinct > present || length !== placeAt + placeBytes * present) throw cut()
  for (let i = 0; i < distinct; i++) table[i] = data.getFloat64(base + tableAt + 8 * i, true)
  let at = base + doublesAt
  for (let i = 0, byte = 0; i < count; i++, byte >>= 1) {
    if ((i & 7) === 0) byte = buffer[bitsAt + (i >> 3)]!
    if ((byte & 1) === 0) {
      toValues[valuesAt + i] = NaN
      toTimes[timesAt + i] = NaN
      continue
    }
    toValues[valuesAt + i] = data.getFloat64(at, true)
    at += 8
    const place = placeBytes === 1 ? buffer[placeAt]! : buffer[placeAt]! | buffer[placeAt + 1]! << 8
    placeAt += placeBytes
    toTimes[timesAt + i] = place < distinct ? table[place]! : NaN
  }
  return present
}
