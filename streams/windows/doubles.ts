/** A copy of the bytes of some doubles: a row of a snapshot. */
export function bytesOfDoubles (doubles: Float64Array): Buffer { return Buffer.from(Buffer.from(doubles.buffer, doubles.byteOffset, doubles.byteLength)) }

/** The doubles in a row's bytes, wherever those begin. */
export function doublesOfBytes (bytes: Buffer): Float64Array {
  const doubles = new Float64Array(bytes.length >> 3)
  Buffer.from(doubles.buffer).set(bytes.subarray(0, doubles.byteLength))
  return doubles
}

/** The same doubles in an array with room for `length`. */
export function grown (doubles: Float64Array, length: number, fill: number): Float64Array {
  const larger = new Float64Array(length).fill(fill, doubles.length)
  larger.set(doubles)
  return larger
}
