import * as zlib from 'node:zlib'
import type { Output } from './output.ts'

interface Zstd {
  inflate (from: Buffer, sizeMax: number): Uint8Array
  deflate (from: Buffer): Uint8Array
}

/** Node has it from 22.15 on; its types here are older. */
interface NodeZstd {
  zstdDecompressSync? (from: Buffer, options: { readonly maxOutputLength: number }): Buffer
  zstdCompressSync? (from: Buffer): Buffer
}

/** Kafka's own default. */
const LEVEL = 3
const FRAME_MAGIC = 0xfd2fb528
const BLOCK_BYTES_MAX = 128 * 1024
const RLE_BLOCK = 1

let zstd: Zstd | undefined

/** To be awaited once before the calls below: WebAssembly is compiled, where Node has no zstd of its own. */
export async function prepareZstd (): Promise<void> { zstd ??= ofNode() ?? await ofWasm() }

export function inflateZstd (from: Buffer, start: number, end: number, output: Output, sizeMax: number): void {
  const content = prepared().inflate(from.subarray(start, end), sizeMax) as Buffer
  output.append(asBuffer(content), 0, content.length)
}

export function deflateZstd (from: Buffer, start: number, end: number): Buffer { return asBuffer(prepared().deflate(from.subarray(start, end))) }

function prepared (): Zstd {
  if (zstd === undefined) throw new Error('assertion failed: zstd is used before prepareCompression')
  return zstd
}

function asBuffer (bytes: Uint8Array): Buffer { return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) }

export function ofNode (): Zstd | undefined {
  const { zstdDecompressSync, zstdCompressSync } = zlib as NodeZstd
  if (zstdDecompressSync === undefined || zstdCompressSync === undefined) return undefined
  return { inflate: (from, sizeMax) => zstdDecompressSync(from, { maxOutputLength: sizeMax }), deflate: from => zstdCompressSync(from) }
}

export async function ofWasm (): Promise<Zstd> {
  const wasm = await import('@bokuweb/zstd-wasm')
  await wasm.init()
  return {
    inflate: (from, sizeMax) => wasm.decompress(from, { defaultHeapSize: zstdBound(from, sizeMax) }),
    deflate: from => wasm.compress(from, LEVEL),
  }
}

/**
 * How large the content of a frame can be (RFC 8878, 3.1.1): it says so, or its blocks do; the decoder allocates as much before it begins.
 * Java's writer does not say. Throws RangeError for damage, and for more than `sizeMax`.
 */
export function zstdBound (frame: Buffer, sizeMax: number): number {
  if (frame.length < 6 || frame.readUInt32LE(0) !== FRAME_MAGIC) throw new RangeError('zstd: no frame begins here')
  const descriptor = frame[4]!
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6]!
  const at = 5 + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
  if (at + sizeBytes > frame.length) throw new RangeError('zstd: a frame is cut off')
  const size = sizeBytes === 0 ? sizeOfBlocks(frame, at) : contentSize(frame, at, sizeBytes)
  if (size > sizeMax) throw new RangeError(`more than ${sizeMax} bytes come out`)
  return Math.max(1, size)
}

function contentSize (frame: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return Number(frame.readBigUInt64LE(at))
  return frame.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}

function sizeOfBlocks (frame: Buffer, from: number): number {
  let size = 0
  for (let at = from; ;) {
    if (at + 3 > frame.length) throw new RangeError('zstd: a frame is cut off')
    const header = frame.readUIntLE(at, 3)
    const kind = header >>> 1 & 3
    const blockSize = header >>> 3
    // raw and repeated blocks give their size; what comes out of a compressed one is at most a block
    size += kind === 2 ? BLOCK_BYTES_MAX : blockSize
    at += 3 + (kind === RLE_BLOCK ? 1 : blockSize)
    if ((header & 1) === 1) return size
  }
}
