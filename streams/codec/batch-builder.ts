import { crc32c } from '@node-rs/crc32'
import { BATCH_HEADER_BYTES } from './batch-cursor.ts'
import type { RecordHeader, RecordSink } from '../log/port.ts'
import { writeInt64 } from './int64.ts'

const LOG_APPEND_TIME = 1 << 3
const TRANSACTIONAL = 1 << 4
const INITIAL_BYTES = 1 << 12
const NOTHING = Buffer.alloc(0)
/** A copy of a short key byte by byte costs less than the call. */
const SHORT_BYTES = 32

/** Who wrote a batch: an idempotent or transactional producer. */
export interface BatchProducer { readonly id: number, readonly epoch: number, readonly sequence: number, readonly transactional: boolean }
const NO_PRODUCER: BatchProducer = { id: -1, epoch: -1, sequence: -1, transactional: false }

/** Builds one uncompressed v2 record batch in place. Reused by `reset`; `finish` answers a copy that the caller owns. */
export class BatchBuilder implements RecordSink {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  #at = BATCH_HEADER_BYTES
  #count = 0
  #baseTimestamp = 0
  #maxTimestamp = 0

  get count (): number { return this.#count }
  get bytes (): number { return this.#at }

  reset (): void {
    this.#at = BATCH_HEADER_BYTES
    this.#count = 0
  }

  add (timestamp: number, key: Buffer, keyStart: number, keyEnd: number, value: Buffer, valueStart: number, valueEnd: number): void {
    this.#head(timestamp, keyStart < 0 ? -1 : keyEnd - keyStart, valueStart < 0 ? -1 : valueEnd - valueStart, 1)
    this.#bytes(key, keyStart, keyEnd)
    this.#bytes(value, valueStart, valueEnd)
    this.#buffer[this.#at++] = 0 // no headers
  }

  /** The same for whole buffers, with headers. */
  append (timestamp: number, key: Buffer | null, value: Buffer | null, headers: readonly RecordHeader[] = []): void {
    if (headers.length === 0) { this.add(timestamp, key ?? NOTHING, key === null ? -1 : 0, key?.length ?? -1, value ?? NOTHING, value === null ? -1 : 0, value?.length ?? -1); return }
    const names = headers.map(h => Buffer.from(h.key))
    const headerBytes = headers.reduce((n, h, i) => n + sizeOf(names[i]!.length) + names[i]!.length + sizeOf(h.value?.length ?? -1) + (h.value?.length ?? 0), sizeOf(headers.length))
    this.#head(timestamp, key?.length ?? -1, value?.length ?? -1, headerBytes)
    this.#whole(key)
    this.#whole(value)
    this.#varint(headers.length)
    for (const [i, header] of headers.entries()) { this.#whole(names[i]!); this.#whole(header.value) }
  }

  /** `appendTimestamp`: the log's stamp for all records, which then hides their own; -1 keeps their own. */
  finish (baseOffset: number, appendTimestamp: number, producer: BatchProducer = NO_PRODUCER): Buffer {
    const batch = Buffer.from(this.#buffer.subarray(0, this.#at))
    writeInt64(batch, 0, baseOffset)
    batch.writeInt32BE(this.#at - 12, 8)
    batch.writeInt32BE(0, 12)
    batch[16] = 2
    batch.writeInt16BE((appendTimestamp < 0 ? 0 : LOG_APPEND_TIME) | (producer.transactional ? TRANSACTIONAL : 0), 21)
    batch.writeInt32BE(this.#count - 1, 23)
    writeInt64(batch, 27, this.#baseTimestamp)
    writeInt64(batch, 35, appendTimestamp < 0 ? this.#maxTimestamp : appendTimestamp)
    writeInt64(batch, 43, producer.id)
    batch.writeInt16BE(producer.epoch, 51)
    batch.writeInt32BE(producer.sequence, 53)
    batch.writeInt32BE(this.#count, 57)
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
    return batch
  }

  /** Everything of a record before its key; makes room for all of it. */
  #head (timestamp: number, keyLength: number, valueLength: number, headerBytes: number): void {
    if (this.#count === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const offsetDelta = this.#count++
    const length = 1 + sizeOf(timestampDelta) + sizeOf(offsetDelta) + sizeOf(keyLength) + Math.max(keyLength, 0) + sizeOf(valueLength) + Math.max(valueLength, 0) + headerBytes
    this.#need(length + 10)
    this.#varint(length)
    this.#buffer[this.#at++] = 0
    this.#varint(timestampDelta)
    this.#varint(offsetDelta)
  }

  #bytes (bytes: Buffer, start: number, end: number): void {
    if (start < 0) { this.#varint(-1); return }
    const length = end - start
    this.#varint(length)
    const to = this.#buffer
    let at = this.#at
    if (length <= SHORT_BYTES) for (let i = start; i < end; i++) to[at++] = bytes[i]!
    else at += bytes.copy(to, at, start, end)
    this.#at = at
  }

  #whole (bytes: Buffer | null): void {
    if (bytes === null) this.#varint(-1)
    else this.#bytes(bytes, 0, bytes.length)
  }

  /** Zigzag; exact for the whole range of doubles that are integers. */
  #varint (value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest > 127) { // shifts are for 32 bits only
      this.#buffer[this.#at++] = rest % 128 | 128
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#at++] = rest
  }

  #need (bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}

function sizeOf (value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let size = 1
  while (rest > 127) { rest = Math.floor(rest / 128); size++ }
  return size
}
