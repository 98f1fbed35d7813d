import { LatidoError } from '../streams/errors/index.ts'
import { emptyVector, type FeatureVector } from './vector.ts'

// How values and times stand in bytes: u16 features, presence bits, f64 of each present, u16 times, f64 of each time, u8 place (u16 above 255
// times) of each present. Doubles are moved as blocks of bytes (little-endian, as every platform of ours is), not one by one.

const FEATURES_MAX = 65_535
/** One vector at a time. */
let scratch = new Float64Array(1_024)
let scratchBytes = Buffer.from(scratch.buffer)
let table = new Float64Array(1_024)
let tableBytes = Buffer.from(table.buffer)
let places = new Uint16Array(1_024)

function reserve (features: number): void {
  if (features > FEATURES_MAX) throw new LatidoError('VIEW_INVALID', `a view has ${features} features`, `a view has at most ${FEATURES_MAX}`)
  if (features <= scratch.length) return
  scratch = new Float64Array(features)
  scratchBytes = Buffer.from(scratch.buffer)
  table = new Float64Array(features)
  tableBytes = Buffer.from(table.buffer)
  places = new Uint16Array(features)
}

/** Packs vectors into one buffer that grows, each over the one before. */
export class VectorPacker {
  #buffer = Buffer.allocUnsafeSlow(4_096)
  get buffer (): Buffer { return this.#buffer }

  /** Packs from place `at` on and answers the end. */
  pack ({ values, times }: Pick<FeatureVector, 'values' | 'times'>, at: number = 0): number {
    const n = values.length
    reserve(n)
    let present = 0
    let distinct = 0
    for (let i = 0; i < n; i++) {
      const value = values[i]!
      if (value !== value) continue // NaN
      const time = times[i]!
      let place = 0
      while (place < distinct && table[place] !== time) place++
      if (place === distinct) table[distinct++] = time
      scratch[present] = value
      places[present++] = place
    }
    const bits = (n + 7) >> 3
    const placeBytes = distinct > 255 ? 2 : 1
    return this.#write(values, at, this.#reserved(at, 2 + bits + 8 * present + 2 + 8 * distinct + placeBytes * present), present, distinct)
  }

  /** A copy of what `pack` has written. */
  packed (vector: Pick<FeatureVector, 'values' | 'times'>): Buffer {
    const end = this.pack(vector) // may grow the buffer
    return Buffer.from(this.#buffer.subarray(0, end))
  }

  #reserved (at: number, bytes: number): Buffer {
    if (at + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow((at + bytes) * 2)
      this.#buffer.copy(larger, 0, 0, at)
      this.#buffer = larger
    }
    return this.#buffer
  }

  #write (values: Float64Array, from: number, to: Buffer, present: number, distinct: number): number {
    const n = values.length
    to[from] = n & 255
    to[from + 1] = n >> 8
    let at = from + 2
    for (let i = 0; i < n; at++) {
      let byte = 0
      for (let bit = 1; bit < 256 && i < n; bit <<= 1, i++) if (values[i] === values[i]) byte |= bit
      to[at] = byte
    }
    at += scratchBytes.copy(to, at, 0, 8 * present)
    to[at++] = distinct & 255
    to[at++] = distinct >> 8
    at += tableBytes.copy(to, at, 0, 8 * distinct)
    for (let i = 0; i < present; i++) {
      to[at++] = places[i]! & 255
      if (distinct > 255) to[at++] = places[i]! >> 8
    }
    return at
  }
}

const cut = (): LatidoError => new LatidoError('PAYLOAD_INVALID', 'a vector is cut short', 'find the producer that writes it')

/** A packed vector where it stands: values are read when they are asked for. */
export class PackedVector {
  readonly #buffer: Buffer
  readonly #start: number
  readonly #valuesAt: number
  readonly #placesAt: number
  readonly #distinct: number
  /** Features of its view. */
  readonly length: number
  /** Those that have a value. */
  readonly present: number

  /** Throws PAYLOAD_INVALID on bytes that `VectorPacker` did not write. */
  constructor (buffer: Buffer, start: number, end: number) {
    if (end - start < 2) throw cut()
    this.#buffer = buffer
    this.#start = start + 2
    this.length = buffer[start]! | buffer[start + 1]! << 8
    this.#valuesAt = this.#start + ((this.length + 7) >> 3)
    let present = 0
    for (let i = this.#start; i < this.#valuesAt && i < end; i++) for (let byte = buffer[i]!; byte !== 0; byte &= byte - 1) present++
    this.present = present
    const tableAt = this.#valuesAt + 8 * present + 2
    if (tableAt > end) throw cut()
    this.#distinct = buffer[tableAt - 2]! | buffer[tableAt - 1]! << 8
    this.#placesAt = tableAt + 8 * this.#distinct
    if (end !== this.#placesAt + (this.#distinct > 255 ? 2 : 1) * present) throw cut()
    reserve(Math.max(this.length, present, this.#distinct))
  }

  /** Writes all values from place `at` on, NaN where absent. */
  readValues (into: Float64Array, at: number): void {
    const buffer = this.#buffer
    buffer.copy(scratchBytes, 0, this.#valuesAt, this.#valuesAt + 8 * this.present)
    let next = 0
    for (let i = 0, byte = 0; i < this.length; i++, byte >>= 1) {
      if ((i & 7) === 0) byte = buffer[this.#start + (i >> 3)]!
      into[at + i] = (byte & 1) === 0 ? NaN : scratch[next++]!
    }
  }

  /** The event time of each value, NaN where absent. */
  readTimes (into: Float64Array, at: number): void {
    const buffer = this.#buffer
    this.#readTable()
    const wide = this.#distinct > 255
    let placeAt = this.#placesAt
    for (let i = 0, byte = 0; i < this.length; i++, byte >>= 1) {
      if ((i & 7) === 0) byte = buffer[this.#start + (i >> 3)]!
      if ((byte & 1) === 0) { into[at + i] = NaN; continue }
      const place = wide ? buffer[placeAt++]! | buffer[placeAt++]! << 8 : buffer[placeAt++]!
      into[at + i] = place < this.#distinct ? table[place]! : NaN
    }
  }

  #readTable (): void { this.#buffer.copy(tableBytes, 0, this.#placesAt - 8 * this.#distinct, this.#placesAt) }

  unpack (): { readonly values: Float64Array, readonly times: Float64Array } {
    const vector = emptyVector(this.length)
    this.readValues(vector.values, 0)
    this.readTimes(vector.times, 0)
    return vector
  }
}
