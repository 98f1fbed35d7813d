/**
 * LZ4 blocks (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md): runs of literals, each followed by a copy of what came
 * up to 64 KB before. In TypeScript: blocks of 64 KB are too small for a native call to win by much, and nothing needs to be installed.
 */
const MATCH_MIN = 4
/** The last bytes of a block are always literals, so that decoders may copy in words. */
const LAST_LITERALS = 5
const MATCH_FIND_LIMIT = 12
const HASH_BITS = 13
const LITERALS_LONG = 16
/** After as many failed looks the step grows by one: incompressible bytes are passed over quickly. */
const SKIP_SHIFT = 6

/** Reads the block at `[start, end)` of `from` into `to` at `at`; answers where it ends there. Throws RangeError for damage, and for a `to` that is too small. */
export function readLz4Block (from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  let read = start
  let write = at
  while (read < end) {
    const token = from[read++]!
    let literals = token >>> 4
    if (literals === 15) {
      let more: number
      do { more = from[read++] ?? 0; literals += more } while (more === 255 && read < end)
    }
    if (read + literals > end || write + literals > to.length) throw new RangeError('LZ4: literals beyond the end')
    if (literals > LITERALS_LONG) from.copy(to, write, read, read + literals)
    else for (let i = 0; i < literals; i++) to[write + i] = from[read + i]!
    read += literals
    write += literals
    if (read === end) return write // the last sequence has no copy

    if (read + 2 > end) throw new RangeError('LZ4: a sequence is cut off')
    const distance = from[read]! | from[read + 1]! << 8
    read += 2
    let length = (token & 15) + MATCH_MIN
    if ((token & 15) === 15) {
      let more: number
      do { more = from[read++] ?? 0; length += more } while (more === 255 && read < end)
    }
    const source = write - distance
    if (distance === 0 || source < at || write + length > to.length) throw new RangeError('LZ4: a copy from outside')
    if (distance >= length && length > LITERALS_LONG * 2) to.copyWithin(write, source, source + length)
    else for (let i = 0; i < length; i++) to[write + i] = to[source + i]! // may overlap: repeats
    write += length
  }
  return write
}

/** How large a block can become. */
export function lz4Bound (bytes: number): number { return bytes + Math.ceil(bytes / 255) + 16 }

const table = new Uint16Array(1 << HASH_BITS)

/** Writes `[start, end)` of `from`, at most 64 KB, as a block into `to` at `at`, which has room for `lz4Bound`; answers where it ends. Greedy, as the reference's fast mode. */
export function writeLz4Block (from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  table.fill(0)
  let write = at
  let anchor = start
  let read = start + 1
  let misses = 1 << SKIP_SHIFT
  const findEnd = end - MATCH_FIND_LIMIT
  while (read < findEnd) {
    const four = from[read]! | from[read + 1]! << 8 | from[read + 2]! << 16 | from[read + 3]! << 24
    const slot = Math.imul(four, 0x9e3779b1) >>> 32 - HASH_BITS
    const match = start + table[slot]!
    table[slot] = read - start
    const found = match < read && from[match] === (four & 255) && from[match + 1] === (four >>> 8 & 255) && from[match + 2] === (four >>> 16 & 255) && from[match + 3] === four >>> 24
    if (!found) { read += misses++ >>> SKIP_SHIFT; continue }
    misses = 1 << SKIP_SHIFT
    let matchEnd = match + MATCH_MIN
    let readEnd = read + MATCH_MIN
    while (readEnd < end - LAST_LITERALS && from[matchEnd] === from[readEnd]) { matchEnd++; readEnd++ }
    write = sequence(from, anchor, read, to, write, readEnd - read - MATCH_MIN)
    const distance = read - match
    to[write++] = distance & 255
    to[write++] = distance >>> 8
    write = rest(to, write, readEnd - read - MATCH_MIN)
    anchor = read = readEnd
  }
  return sequence(from, anchor, end, to, write, 0)
}

/** A token, and the literals `[start, end)`. */
function sequence (from: Buffer, start: number, end: number, to: Buffer, at: number, matchLength: number): number {
  const literals = end - start
  to[at] = Math.min(literals, 15) << 4 | Math.min(matchLength, 15)
  const write = rest(to, at + 1, literals)
  if (literals > LITERALS_LONG) from.copy(to, write, start, end)
  else for (let i = 0; i < literals; i++) to[write + i] = from[start + i]!
  return write + literals
}

/** What of a length is above the token's 15. */
function rest (to: Buffer, at: number, length: number): number {
  if (length < 15) return at
  let left = length - 15
  let write = at
  for (; left >= 255; left -= 255) to[write++] = 255
  to[write++] = left
  return write
}
