import { BatchBuilder } from '../../codec/index.ts'
import { LatidoError } from '../../errors/index.ts'
import type { Clock } from '../../time/index.ts'
import type { OutRecord, RecordSink, TopicPartition } from '../port.ts'
import type { Partition } from './partition.ts'

export const RECORD_BYTES_MAX: number = 16 * 2 ** 20

/** Records of one partition, waiting for their commit. */
export interface Pending { readonly partition: Partition, readonly builder: BatchBuilder }

export function checkRecordBytes (bytes: number): void {
  if (bytes > RECORD_BYTES_MAX) throw new LatidoError('RECORD_TOO_LARGE', `a record is larger than ${RECORD_BYTES_MAX} bytes`, 'send smaller messages, or refuse them at the connector')
}

/** What a transaction has written so far: one block for each partition, built as it is written, given its offsets when it commits. */
export class TransactionBuffer {
  readonly #pending = new Map<Partition, PendingSink>()
  readonly #find: (of: TopicPartition) => Partition
  readonly #clock: Clock

  constructor (find: (of: TopicPartition) => Partition, clock: Clock) {
    this.#find = find
    this.#clock = clock
  }

  append (to: TopicPartition, records: readonly OutRecord[]): void {
    const { partition, builder } = this.sink(to)
    for (const { key, value, timestamp, headers } of records) {
      checkRecordBytes((key?.length ?? 0) + (value?.length ?? 0))
      builder.append(partition.spec.timestamps === 'create' ? timestamp ?? this.#clock.now() : 0, key, value, headers)
    }
  }

  sink (to: TopicPartition): RecordSink & Pending {
    const partition = this.#find(to)
    let sink = this.#pending.get(partition)
    if (sink === undefined) this.#pending.set(partition, sink = new PendingSink(partition))
    return sink
  }

  /** Everything so far; the buffer is empty after. */
  take (): readonly Pending[] {
    const taken = [...this.#pending.values()].filter(p => p.builder.count > 0)
    this.#pending.clear()
    return taken
  }
}

class PendingSink implements RecordSink, Pending {
  readonly partition: Partition
  readonly builder: BatchBuilder = new BatchBuilder()
  readonly #stamped: boolean

  constructor (partition: Partition) {
    this.partition = partition
    this.#stamped = partition.spec.timestamps === 'append'
  }

  add (timestamp: number, key: Buffer, keyStart: number, keyEnd: number, value: Buffer, valueStart: number, valueEnd: number): void {
    checkRecordBytes(keyEnd - keyStart + valueEnd - valueStart)
    this.builder.add(this.#stamped ? 0 : timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd)
  }
}
