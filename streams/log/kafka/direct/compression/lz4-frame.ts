import { lz4Bound, readLz4Block, writeLz4Block } from './lz4-block.ts'
import type { Output } from './output.ts'

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
const MAGIC = 0x184d2204
const BLOCK_BYTES = 64 * 1024
/** As Kafka's producer begins: version 1, independent blocks of at most 64 KB, no sizes, no checksums (the batch has one); then the descriptor's own. */
const HEADER = Buffer.from('04224d18604082', 'hex')
const UNCOMPRESSED = 0x8000_0000
const BLOCK_CHECKSUM = 1 << 4
const INDEPENDENT = 1 << 5
const CONTENT_SIZE = 1 << 3
const CONTENT_CHECKSUM = 1 << 2
const DICTIONARY = 1

/** Checksums inside are passed over: the batch's CRC-32C has been checked. */
export function inflateLz4 (from: Buffer, start: number, end: number, output: Output): void {
  if (end - start < HEADER.length || from.readUInt32LE(start) !== MAGIC) throw new RangeError('LZ4: no frame begins here')
  const flags = from[start + 4]!
  if (flags >>> 6 !== 1 || (flags & DICTIONARY) !== 0 || (flags & INDEPENDENT) === 0) throw new RangeError('LZ4: a frame of an unknown kind')
  const blockBytes = 1 << 8 + 2 * (from[start + 5]! >>> 4 & 7)
  let at = start + HEADER.length + ((flags & CONTENT_SIZE) === 0 ? 0 : 8)
  for (;;) {
    if (at + 4 > end) throw new RangeError('LZ4: a frame is cut off')
    const word = from.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const length = word & ~UNCOMPRESSED
    if (length < 0 || length > blockBytes || at + length > end) throw new RangeError('LZ4: a block is cut off')
    if (word >= UNCOMPRESSED) output.append(from, at, at + length)
    else {
      const to = output.room(blockBytes)
      output.length = readLz4Block(from, at, at + length, to, output.length)
    }
    at += length + ((flags & BLOCK_CHECKSUM) === 0 ? 0 : 4)
  }
  if (at + ((flags & CONTENT_CHECKSUM) === 0 ? 0 : 4) > end) throw new RangeError('LZ4: a frame is cut off')
}

/** A frame of `[start, end)`, written to `to` at `at`; answers where it ends. */
export function deflateLz4 (from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  let write = at + HEADER.copy(to, at)
  for (let read = start; read < end; read += BLOCK_BYTES) {
    const blockEnd = Math.min(end, read + BLOCK_BYTES)
    const size = writeLz4Block(from, read, blockEnd, to, write + 4) - write - 4
    const shrunk = size < blockEnd - read
    if (!shrunk) from.copy(to, write + 4, read, blockEnd)
    to.writeUInt32LE(shrunk ? size : (blockEnd - read | UNCOMPRESSED) >>> 0, write)
    write += 4 + (shrunk ? size : blockEnd - read)
  }
  return to.writeUInt32LE(0, write)
}

/** What `deflateLz4` may need: every block has its size before it. */
export function lz4FrameBound (bytes: number): number { return HEADER.length + lz4Bound(bytes) + 4 * (Math.ceil(bytes / BLOCK_BYTES) + 1) + 16 * Math.ceil(bytes / BLOCK_BYTES) }
