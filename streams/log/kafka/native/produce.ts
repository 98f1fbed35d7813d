import { isUtf8 } from 'node:buffer'
import { LatidoError } from '../../../errors/index.ts'
import type { OutRecord, RecordHeader, TopicPartition } from '../../port.ts'
import type { ArrivalTimeMs } from '../../../time/index.ts'
import { RECORD_BYTES_MAX } from '../options.ts'
import { CODE, codeOf } from './errors.ts'
import type { LibraryProducer } from './library.ts'

/** One record on its way to the library. */
export interface Outgoing extends TopicPartition { readonly timestamp: ArrivalTimeMs, readonly key: Buffer | null, readonly value: Buffer | null, readonly headers: readonly RecordHeader[] | undefined }

export function outgoing ({ topic, partition }: TopicPartition, { timestamp = 0, key, value, headers }: OutRecord): Outgoing {
  checkSize((key?.length ?? 0) + (value?.length ?? 0))
  for (const header of headers ?? []) checkHeader(header)
  return { topic, partition, timestamp, key, value, headers }
}

export function checkSize (bytes: number): void {
  if (bytes > RECORD_BYTES_MAX) throw new LatidoError('RECORD_TOO_LARGE', `a record is larger than ${RECORD_BYTES_MAX} bytes`, 'send smaller messages, or refuse them at the connector')
}

/** The bindings take a buffer without memory of its own for null, so an empty key or value needs one with some. */
const EMPTY = Buffer.alloc(1).subarray(0, 0)
const given = (bytes: Buffer | null): Buffer | null => bytes?.length === 0 ? EMPTY : bytes

/** Hands a record over; false when the library's queue is full. It copies the bytes. A timestamp of 0 is the library's "now". */
export function offer (producer: LibraryProducer, { topic, partition, value, key, timestamp, headers }: Outgoing, opaque?: unknown): boolean {
  try {
    if (headers === undefined || headers.length === 0) producer.produce(topic, partition, given(value), given(key), timestamp, opaque)
    else producer.produce(topic, partition, given(value), given(key), timestamp, opaque, headers.map(h => ({ [h.key]: h.value ?? '' })))
    return true
  } catch (e) {
    if (codeOf(e) === CODE.queueFull) return false
    throw e
  }
}

/** The library takes texts as values of headers, so only what is UTF-8 goes through unharmed. */
function checkHeader ({ key, value }: RecordHeader): void {
  if (value !== null && isUtf8(value)) return
  throw new LatidoError('PAYLOAD_INVALID', `the header ${key} ${value === null ? 'has no value' : 'is not UTF-8'}, and the driver native cannot write it`, 'write text, or use the driver direct')
}
