import type { Output } from './output.ts'

/** https://github.com/google/snappy/blob/main/format_description.txt */
const LITERAL = 0
const COPY_SHORT = 1
const COPY_2 = 2
const SHORT_COPY = 32

/** How Java's snappy library (Xerial) frames a stream: this, two versions of 4 bytes, then raw blocks, each after its size. librdkafka and others write one raw block. */
const XERIAL = Buffer.from('82534e4150505900', 'hex')
const XERIAL_HEADER_BYTES = 16

export function inflateSnappy (from: Buffer, start: number, end: number, output: Output): void {
  if (end - start < XERIAL_HEADER_BYTES || XERIAL.compare(from, start, start + XERIAL.length) !== 0) { inflateBlock(from, start, end, output); return }
  let at = start + XERIAL_HEADER_BYTES
  while (at < end) {
    if (at + 4 > end) throw new RangeError('Snappy: a stream is cut off')
    const size = from.readInt32BE(at)
    at += 4
    if (size < 0 || at + size > end) throw new RangeError('Snappy: a block is cut off')
    inflateBlock(from, at, at + size, output)
    at += size
  }
}

function inflateBlock (from: Buffer, start: number, end: number, output: Output): void {
  let read = start
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = from[read++]
    if (byte === undefined || read > end || shift > 28) throw new RangeError('Snappy: no size')
    size += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  const base = output.length
  const to = output.room(size)
  if (base + size > to.length) throw new RangeError(`more than ${to.length} bytes come out`)
  const stop = base + size
  let write = base
  while (read < end) {
    const tag = from[read++]!
    if ((tag & 3) === LITERAL) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        const bytes = length - 60
        if (read + bytes > end) throw new RangeError('Snappy: a literal is cut off')
        length = from.readUIntLE(read, bytes) + 1
        read += bytes
      }
      if (read + length > end || write + length > stop) throw new RangeError('Snappy: literals beyond the end')
      if (length > SHORT_COPY) from.copy(to, write, read, read + length)
      else for (let i = 0; i < length; i++) to[write + i] = from[read + i]!
      read += length
      write += length
      continue
    }
    const kind = tag & 3
    const extra = kind === COPY_SHORT ? 1 : kind === COPY_2 ? 2 : 4
    if (read + extra > end) throw new RangeError('Snappy: a copy is cut off')
    const length = kind === COPY_SHORT ? (tag >>> 2 & 7) + 4 : (tag >>> 2) + 1
    const distance = kind === COPY_SHORT ? (tag & 0xe0) << 3 | from[read]! : from.readUIntLE(read, extra)
    read += extra
    const source = write - distance
    if (distance === 0 || source < base || write + length > stop) throw new RangeError('Snappy: a copy from outside')
    if (distance >= length && length > SHORT_COPY) to.copyWithin(write, source, source + length)
    else for (let i = 0; i < length; i++) to[write + i] = to[source + i]! // may overlap: repeats
    write += length
  }
  if (write !== stop) throw new RangeError('Snappy: a block does not fit its size')
  output.length = stop
}
