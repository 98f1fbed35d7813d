import { crc32c } from '@node-rs/crc32'
import { BATCH_HEADER_BYTES } from './batch-cursor.ts'
import { writeInt64 } from './int64.ts'

const LOG_APPEND_TIME = 1 << 3
const INITIAL_BYTES = 1 << 12

/** Builds one uncompressed v2 record batch in place. Reused by `reset`; `finish` answers a copy that the caller owns. */
export class BatchBuilder {
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

  add (timestamp: number, key: Uint8Array | null, value: Uint8Array | null): void {
    if (this.#count === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const offsetDelta = this.#count++
    const keyLength = key === null ? -1 : key.length
    const valueLength = value === null ? -1 : value.length
    const length = 1 + sizeOf(timestampDelta) + sizeOf(offsetDelta) + sizeOf(keyLength) + Math.max(keyLength, 0) + sizeOf(valueLength) + Math.max(valueLength, 0) + 1
    this.#need(length + 10)
    this.#varint(length)
    this.#buffer[this.#at++] = 0
    this.#varint(timestampDelta)
    this.#varint(offsetDelta)
    this.#bytes(key, keyLength)
    this.#bytes(value, valueLength)
    this.#buffer[this.#at++] = 0 // no headers
  }

  /** `appendTimestamp`: the log's stamp for all records, which then hides their own; -1 keeps their own. */
  finish (baseOffset: number, appendTimestamp: number): Buffer {
    const batch = Buffer.from(this.#buffer.subarray(0, this.#at))
    writeInt64(batch, 0, baseOffset)
    batch.writeInt32BE(this.#at - 12, 8)
    batch.writeInt32BE(0, 12)
    batch[16] = 2
    batch.writeInt16BE(appendTimestamp < 0 ? 0 : LOG_APPEND_TIME, 21)
    batch.writeInt32BE(this.#count - 1, 23)
    writeInt64(batch, 27, this.#baseTimestamp)
    writeInt64(batch, 35, appendTimestamp < 0 ? this.#maxTimestamp : appendTimestamp)
    writeInt64(batch, 43, -1)
    batch.writeInt16BE(-1, 51)
    batch.writeInt32BE(-1, 53)
    batch.writeInt32BE(this.#count, 57)
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
    return batch
  }

  #bytes (bytes: Uint8Array | null, length: number): void {
    this.#varint(length)
    if (bytes === null) return
    this.#buffer.set(bytes, this.#at)
    this.#at += length
  }

  /** Zigzag; exact for the whole range of doubles that are integers. */
  #varint (value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest > 127) {
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
