import { crc32c } from '@node-rs/crc32'
import { LatidoError } from '../errors/index.ts'
import type { RecordCursor, RecordHeader } from '../log/port.ts'
import { readInt64 } from './int64.ts'

export const BATCH_HEADER_BYTES = 61
const MAGIC = 2
const CONTROL = 1 << 5
const LOG_APPEND_TIME = 1 << 3
const COMPRESSION = 7
const NO_SPAN: BatchSpan = { buffer: Buffer.alloc(0), start: 0, end: 0 }

/** Throws BATCH_CORRUPT unless `batch` is one whole v2 batch with the right CRC32C. */
export function checkBatch (batch: Buffer, where: string): void {
  const whole = batch.length >= BATCH_HEADER_BYTES && batch[16] === MAGIC && batch.readInt32BE(8) + 12 === batch.length
  if (!whole || crc32c(batch.subarray(21)) !== batch.readUInt32BE(17)) {
    throw new LatidoError('BATCH_CORRUPT', `a block of ${where} is damaged`, 'restore the data directory from a backup, or move it away to start empty')
  }
}

/** Whole batches, one behind the other: a range of a buffer. */
export interface BatchSpan { readonly buffer: Buffer, readonly start: number, readonly end: number }

/**
 * Walks the records of whole v2 batches in place (KIP-98 layout). Control batches are skipped; compressed ones are refused here
 * (the embedded log writes none; a wire driver inflates first). Cost: about 20 ns a record, no allocation.
 */
export class BatchCursor implements RecordCursor {
  offset = -1
  timestamp = 0
  keyBuffer: Buffer
  keyStart = -1
  keyEnd = -1
  valueBuffer: Buffer
  valueStart = -1
  valueEnd = -1

  readonly #spans: readonly BatchSpan[]
  readonly #from: number
  #index = 0
  #buffer: Buffer
  #at = 0
  #batchEnd = 0
  #spanEnd = 0
  #left = 0
  #baseOffset = 0
  #baseTimestamp = 0
  #appendTimestamp = -1
  #headersAt = 0

  /** `spans` (or whole buffers): in offset order. Records below `fromOffset` are passed over. */
  constructor (spans: readonly (BatchSpan | Buffer)[], fromOffset: number) {
    this.#spans = spans.map(s => Buffer.isBuffer(s) ? { buffer: s, start: 0, end: s.length } : s)
    this.#from = fromOffset
    const first = this.#spans[0] ?? NO_SPAN
    this.#buffer = this.keyBuffer = this.valueBuffer = first.buffer
    this.#batchEnd = first.start
    this.#spanEnd = first.end
  }

  next (): boolean {
    for (;;) {
      while (this.#left > 0) {
        this.#left--
        this.#record()
        if (this.offset >= this.#from) return true
      }
      if (!this.#openBatch()) return false
    }
  }

  headers (): readonly RecordHeader[] {
    const resume = this.#at
    this.#at = this.#headersAt
    const headers = Array.from({ length: this.#varint() }, () => ({ key: this.#copied()!.toString('utf8'), value: this.#copied() }))
    this.#at = resume
    return headers
  }

  #copied (): Buffer | null {
    const length = this.#varint()
    if (length < 0) return null
    this.#at += length
    return Buffer.from(this.#buffer.subarray(this.#at - length, this.#at))
  }

  #openBatch (): boolean {
    for (;;) {
      const buffer = this.#buffer
      const at = this.#batchEnd
      if (this.#spanEnd - at < BATCH_HEADER_BYTES) {
        const following = this.#spans[++this.#index]
        if (following === undefined) return false
        this.#buffer = this.keyBuffer = this.valueBuffer = following.buffer
        this.#batchEnd = following.start
        this.#spanEnd = following.end
        continue
      }
      const attributes = buffer.readInt16BE(at + 21)
      this.#batchEnd = at + 12 + buffer.readInt32BE(at + 8)
      if ((attributes & CONTROL) !== 0) continue
      if ((attributes & COMPRESSION) !== 0) throw new LatidoError('BATCH_CORRUPT', 'a compressed batch reached the walker', 'inflate batches before walking them')
      this.#baseOffset = readInt64(buffer, at)
      this.#baseTimestamp = readInt64(buffer, at + 27)
      this.#appendTimestamp = (attributes & LOG_APPEND_TIME) === 0 ? -1 : readInt64(buffer, at + 35)
      this.#left = buffer.readInt32BE(at + 57)
      this.#at = at + BATCH_HEADER_BYTES
      return true
    }
  }

  #record (): void {
    const length = this.#varint()
    const end = this.#at + length
    this.#at++ // attributes, unused
    const timestampDelta = this.#varlong()
    this.offset = this.#baseOffset + this.#varint()
    this.timestamp = this.#appendTimestamp === -1 ? this.#baseTimestamp + timestampDelta : this.#appendTimestamp
    const keyLength = this.#varint()
    this.keyStart = keyLength < 0 ? -1 : this.#at
    if (keyLength > 0) this.#at += keyLength
    this.keyEnd = keyLength < 0 ? -1 : this.#at
    const valueLength = this.#varint()
    this.valueStart = valueLength < 0 ? -1 : this.#at
    this.valueEnd = valueLength < 0 ? -1 : this.#at + valueLength
    this.#headersAt = valueLength < 0 ? this.#at : this.valueEnd
    this.#at = end
  }

  #varint (): number {
    const buffer = this.#buffer
    let byte = buffer[this.#at++]!
    let value = byte & 127
    for (let shift = 7; byte > 127; shift += 7) {
      byte = buffer[this.#at++]!
      value |= (byte & 127) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }

  #varlong (): number {
    const buffer = this.#buffer
    let byte = buffer[this.#at++]!
    let value = byte & 127
    for (let unit = 128; byte > 127; unit *= 128) {
      byte = buffer[this.#at++]!
      value += (byte & 127) * unit
    }
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }
}
