import { readInt64, writeInt64 } from '../../codec/index.ts'

export interface WrittenBlock { readonly topic: number, readonly partition: number, readonly base: number, readonly bytes: Buffer }
export interface WrittenOffset { readonly key: string, readonly offset: number }
/** Blocks and offsets that are written together or not at all. */
export interface WriteSet { readonly blocks: readonly WrittenBlock[], readonly offsets: readonly WrittenOffset[] }

const COUNTS_BYTES = 8
/** Topic u32, partition u16, base i64, length u32. */
const BLOCK_HEAD_BYTES = 18
/** Offset i64, length of the key u16. */
const OFFSET_HEAD_BYTES = 10

export function sizeOfWriteSet ({ blocks, offsets }: WriteSet): number {
  let size = COUNTS_BYTES
  for (const block of blocks) size += BLOCK_HEAD_BYTES + block.bytes.length
  for (const { key } of offsets) size += OFFSET_HEAD_BYTES + Buffer.byteLength(key)
  return size
}

/** Writes it into `to` from `at` on; there is room for `sizeOfWriteSet`. */
export function writeWriteSet ({ blocks, offsets }: WriteSet, to: Buffer, at: number): void {
  to.writeUInt32BE(blocks.length, at)
  to.writeUInt32BE(offsets.length, at + 4)
  let next = at + COUNTS_BYTES
  for (const { topic, partition, base, bytes } of blocks) {
    to.writeUInt32BE(topic, next)
    to.writeUInt16BE(partition, next + 4)
    writeInt64(to, next + 6, base)
    to.writeUInt32BE(bytes.length, next + 14)
    next += BLOCK_HEAD_BYTES + bytes.copy(to, next + BLOCK_HEAD_BYTES)
  }
  for (const { key, offset } of offsets) {
    writeInt64(to, next, offset)
    const length = to.write(key, next + OFFSET_HEAD_BYTES, 'utf8')
    to.writeUInt16BE(length, next + 8)
    next += OFFSET_HEAD_BYTES + length
  }
}

/** Of bytes whose checksum fits. Blocks are ranges of them. */
export function readWriteSet (from: Buffer): WriteSet {
  const blocks: WrittenBlock[] = []
  const offsets: WrittenOffset[] = []
  let next = COUNTS_BYTES
  for (let i = from.readUInt32BE(0); i > 0; i--) {
    const start = next + BLOCK_HEAD_BYTES
    const end = start + from.readUInt32BE(next + 14)
    blocks.push({ topic: from.readUInt32BE(next), partition: from.readUInt16BE(next + 4), base: readInt64(from, next + 6), bytes: from.subarray(start, end) })
    next = end
  }
  for (let i = from.readUInt32BE(4); i > 0; i--) {
    const start = next + OFFSET_HEAD_BYTES
    const end = start + from.readUInt16BE(next + 8)
    offsets.push({ key: from.toString('utf8', start, end), offset: readInt64(from, next) })
    next = end
  }
  return { blocks, offsets }
}
