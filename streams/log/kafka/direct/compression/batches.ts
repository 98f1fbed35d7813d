import { crc32c } from '@node-rs/crc32'
import { BATCH_HEADER_BYTES } from '../../../../codec/index.ts'
import { LatidoError } from '../../../../errors/index.ts'
import { CODECS, deflate, inflate, INFLATED_BYTES_MAX, type Codec } from './codecs.ts'

/** Places in the header of a v2 batch (KIP-98); the checksum covers what follows it. */
const LENGTH_AT = 8
const BEFORE_LENGTH_BYTES = 12
const CHECKSUM_AT = 17
const ATTRIBUTES_AT = 21
const CODEC = 7

/** How the records of the batch that begins at `start` are compressed. */
export function codecOf (buffer: Buffer, start: number): Codec {
  const codec = CODECS[buffer.readInt16BE(start + ATTRIBUTES_AT) & CODEC]
  if (codec === undefined) throw new LatidoError('BATCH_CORRUPT', 'a batch is compressed in a way that is not known', 'find the producer that wrote it')
  return codec
}

/**
 * The batch at `[start, end)` with its records as they were before they were compressed: a buffer of its own, or a slice where they never were.
 * The checksum is that of the compressed batch, so check it first.
 */
export function inflateBatch (buffer: Buffer, start: number, end: number, sizeMax: number = INFLATED_BYTES_MAX): Buffer {
  const codec = codecOf(buffer, start)
  if (codec === 'none') return buffer.subarray(start, end)
  const batch = inflate(codec, buffer, start + BATCH_HEADER_BYTES, end, sizeMax, BATCH_HEADER_BYTES)
  buffer.copy(batch, 0, start, start + BATCH_HEADER_BYTES)
  batch.writeInt32BE(batch.length - BEFORE_LENGTH_BYTES, LENGTH_AT)
  batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) & ~CODEC, ATTRIBUTES_AT)
  return batch
}

/** One uncompressed batch, compressed, with length and checksum made anew; the batch itself where it would not become smaller. */
export function deflateBatch (batch: Buffer, codec: 'none' | 'lz4' | 'zstd'): Buffer {
  if (codec === 'none') return batch
  const smaller = deflate(codec, batch, BATCH_HEADER_BYTES, batch.length, BATCH_HEADER_BYTES)
  if (smaller.length >= batch.length) return batch
  batch.copy(smaller, 0, 0, BATCH_HEADER_BYTES)
  smaller.writeInt32BE(smaller.length - BEFORE_LENGTH_BYTES, LENGTH_AT)
  smaller.writeInt16BE(smaller.readInt16BE(ATTRIBUTES_AT) & ~CODEC | CODECS.indexOf(codec), ATTRIBUTES_AT)
  smaller.writeUInt32BE(crc32c(smaller.subarray(ATTRIBUTES_AT)), CHECKSUM_AT)
  return smaller
}
