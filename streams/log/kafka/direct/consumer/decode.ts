import { crc32c } from '@node-rs/crc32'
import { BATCH_HEADER_BYTES, readInt64, type BatchSpan } from '../../../../codec/index.ts'
import { LatidoError, messageOf } from '../../../../errors/index.ts'
import type { AbortedTransaction } from '../api/index.ts'
import { inflateBatch } from '../compression/index.ts'

const MAGIC = 2
const COMPRESSION = 7
const TRANSACTIONAL = 1 << 4
const CONTROL = 1 << 5
const ABORT = 0

/** The batches of an answer that a reader of committed records gets. */
export interface Decoded {
  readonly spans: readonly BatchSpan[]
  /** After the last whole batch; the offset asked for when there was none. */
  readonly nextOffset: number
  /** The leader's epoch of the last whole batch, or -1. */
  readonly lastEpoch: number
}

export interface Fetched { readonly buffer: Buffer, readonly start: number, readonly end: number, readonly aborted: readonly AbortedTransaction[] }

/**
 * Looks at the headers of the batches in an answer and leaves the records where they are: neighbours become one span, compressed batches one
 * of their own, batches of aborted transactions none. A transaction is aborted from the first offset that the answer lists for its producer
 * to that producer's ABORT marker (KIP-98). A last batch that was cut off is left for the next fetch. Cost: one CRC32C, and a look at each header.
 */
export function decodeFetched (fetched: Fetched, from: number, where: string): Decoded {
  const { buffer, end } = fetched
  const spans: BatchSpan[] = []
  const aborting = new AbortedFilter(fetched.aborted)
  let nextOffset = from
  let lastEpoch = -1
  let open = -1 // where the present span began
  const close = (at: number): void => {
    if (open >= 0) spans.push({ buffer, start: open, end: at })
    open = -1
  }
  let at = fetched.start
  for (let next = batchEnd(buffer, at, end, nextOffset, where); next > 0; next = batchEnd(buffer, at, end, nextOffset, where)) {
    const attributes = buffer.readInt16BE(at + 21)
    const lastOffset = readInt64(buffer, at) + buffer.readInt32BE(at + 23)
    const hidden = aborting.hides(buffer, at, attributes, lastOffset)
    if (lastOffset < from || hidden) close(at)
    else if ((attributes & COMPRESSION) !== 0 && (attributes & CONTROL) === 0) {
      close(at)
      const whole = inflated(buffer, at, next, where)
      spans.push({ buffer: whole, start: 0, end: whole.length })
    } else if (open < 0) open = at
    nextOffset = Math.max(lastOffset + 1, from)
    lastEpoch = buffer.readInt32BE(at + 12)
    at = next
  }
  close(at)
  return { spans, nextOffset, lastEpoch }
}

/** The end of the batch at `at`, checked; 0 when it is cut off. */
function batchEnd (buffer: Buffer, at: number, end: number, offset: number, where: string): number {
  if (end - at < BATCH_HEADER_BYTES) return 0
  const magic = buffer[at + 16]
  if (magic !== MAGIC) throw damaged(where, offset, `has the format ${magic}, which is none that Kafka 4 writes`)
  const length = buffer.readInt32BE(at + 8)
  if (length < BATCH_HEADER_BYTES - 12) throw damaged(where, offset, 'has a length that cannot be')
  const next = at + 12 + length
  if (next > end) return 0
  if (crc32c(buffer.subarray(at + 21, next)) !== buffer.readUInt32BE(at + 17)) throw damaged(where, offset, 'does not fit its checksum')
  return next
}

function inflated (buffer: Buffer, start: number, end: number, where: string): Buffer {
  try { return inflateBatch(buffer, start, end) } catch (e) { throw damaged(where, readInt64(buffer, start), `cannot be inflated: ${messageOf(e)}`, e) }
}

function damaged (where: string, offset: number, how: string, cause?: unknown): LatidoError {
  return new LatidoError('BATCH_CORRUPT', `the batch of ${where} at offset ${offset} ${how}`, 'look at the disks of the brokers and at the network; restore the topic, or delete records up to a later offset', cause)
}

class AbortedFilter {
  readonly #coming: readonly AbortedTransaction[]
  readonly #open = new Set<number>()
  #index = 0

  constructor (aborted: readonly AbortedTransaction[]) {
    this.#coming = aborted.length < 2 ? aborted : [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** To be asked of each batch, in order. */
  hides (buffer: Buffer, at: number, attributes: number, lastOffset: number): boolean {
    for (let next = this.#coming[this.#index]; next !== undefined && next.firstOffset <= lastOffset; next = this.#coming[this.#index]) {
      this.#open.add(next.producerId)
      this.#index++
    }
    if (this.#open.size === 0) return false
    const producerId = readInt64(buffer, at + 43)
    if ((attributes & CONTROL) === 0) return (attributes & TRANSACTIONAL) !== 0 && this.#open.has(producerId)
    if (controlType(buffer, at) === ABORT) this.#open.delete(producerId)
    return false
  }
}

/** The one record of a control batch has a key of version and type. */
function controlType (buffer: Buffer, batch: number): number {
  let at = batch + BATCH_HEADER_BYTES
  const passVarint = (): void => { while (buffer[at++]! > 127); }
  passVarint() // length
  at++ // attributes
  passVarint() // timestamp
  passVarint() // offset
  passVarint() // length of the key
  return buffer.readInt16BE(at + 2)
}
