import { gunzipSync } from 'node:zlib'
import { LatidoError } from '../../../../errors/index.ts'
import { deflateLz4, inflateLz4, lz4FrameBound } from './lz4-frame.ts'
import { Output } from './output.ts'
import { inflateSnappy } from './snappy.ts'
import { deflateZstd, inflateZstd, prepareZstd } from './zstd.ts'

/** By number, as in the attributes of a batch. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

/** Of one batch. What is larger is refused before it fills the memory. */
export const INFLATED_BYTES_MAX: number = 128 * 1024 * 1024
/** Typical of records. */
const RATIO = 4

/** To be awaited once before the synchronous calls. */
export async function prepareCompression (): Promise<void> { await prepareZstd() }

/** What `[start, end)` of `buffer` was before it was compressed, behind `reserved` bytes that the caller fills. Throws BATCH_CORRUPT. */
export function inflate (codec: Codec, buffer: Buffer, start: number, end: number, sizeMax: number = INFLATED_BYTES_MAX, reserved: number = 0): Buffer {
  try {
    const output = new Output(reserved + RATIO * (end - start), reserved + sizeMax, reserved)
    switch (codec) {
      case 'none': output.append(buffer, start, end); break
      case 'gzip': {
        const content = gunzipSync(buffer.subarray(start, end), { maxOutputLength: sizeMax })
        output.append(content, 0, content.length)
        break
      }
      case 'snappy': inflateSnappy(buffer, start, end, output); break
      case 'lz4': inflateLz4(buffer, start, end, output); break
      case 'zstd': inflateZstd(buffer, start, end, output, sizeMax); break
    }
    return output.bytes
  } catch (e) { throw new LatidoError('BATCH_CORRUPT', `a batch that was compressed by ${codec} cannot be read`, `find the producer that wrote it; what it holds must be at most ${sizeMax} bytes`, e) }
}

/** `[start, end)` compressed, behind `reserved` bytes that the caller fills. */
export function deflate (codec: 'lz4' | 'zstd', buffer: Buffer, start: number, end: number, reserved: number = 0): Buffer {
  if (codec === 'lz4') {
    const to = Buffer.allocUnsafe(reserved + lz4FrameBound(end - start))
    return to.subarray(0, deflateLz4(buffer, start, end, to, reserved))
  }
  const compressed = deflateZstd(buffer, start, end)
  const to = Buffer.allocUnsafe(reserved + compressed.length)
  compressed.copy(to, reserved)
  return to
}
