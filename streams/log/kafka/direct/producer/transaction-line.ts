import { BatchBuilder, type BatchProducer } from '../../../../codec/index.ts'
import type { OutRecord, RecordSink, TopicPartition } from '../../../port.ts'
import type { Direct } from '../direct.ts'
import { checkRecordBytes, RECORD_OVERHEAD_BYTES } from './limits.ts'
import { seal } from './seal.ts'
import { sequenceAfter } from './sequence.ts'

/** Who writes, and how a sealed batch leaves. */
export interface LineHost {
  readonly direct: Direct
  identity (): { readonly id: number, readonly epoch: number }
  /** Resolves when the broker has it; rejects when the transaction can only be aborted. */
  deliver (to: TopicPartition, batch: Buffer): Promise<void>
  /** The line has something on its way. */
  begun (line: TransactionLine): void
}

/** What a transaction writes to one partition: batches are built in place, closed when they are full, and sent one after the other. */
export class TransactionLine implements RecordSink {
  readonly to: TopicPartition
  readonly #host: LineHost
  readonly #builder = new BatchBuilder()
  readonly #batchBytes: number
  readonly #recordMaxBytes: number
  #sealed: Buffer[] = []
  #sequence = 0
  #sending: Promise<void> | undefined

  constructor (host: LineHost, to: TopicPartition) {
    this.#host = host
    this.to = to
    this.#batchBytes = host.direct.limits.batchBytes
    this.#recordMaxBytes = host.direct.limits.recordMaxBytes
  }

  add (timestamp: number, key: Buffer, keyStart: number, keyEnd: number, value: Buffer, valueStart: number, valueEnd: number): void {
    this.#room((keyStart < 0 ? 0 : keyEnd - keyStart) + (valueStart < 0 ? 0 : valueEnd - valueStart))
    this.#builder.add(timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd)
  }

  append (records: readonly OutRecord[]): void {
    for (const { key, value, timestamp, headers } of records) {
      this.#room((key?.length ?? 0) + (value?.length ?? 0))
      this.#builder.append(timestamp ?? this.#host.direct.clock.now(), key, value, headers)
    }
  }

  /** Closes the present batch and sends it; resolves when all of the line's batches are with the broker. */
  flush (): Promise<void> {
    this.#close()
    return this.#sending ?? Promise.resolve()
  }

  /** Forgets what was not sent; `sequence`: of the next batch. */
  clear (restartSequence: boolean): void {
    this.#builder.reset()
    this.#sealed = []
    if (restartSequence) this.#sequence = 0
  }

  #room (bytes: number): void {
    checkRecordBytes(bytes, this.#recordMaxBytes)
    if (this.#builder.count > 0 && this.#builder.bytes + bytes + RECORD_OVERHEAD_BYTES > this.#batchBytes) this.#close()
  }

  #close (): void {
    const { count } = this.#builder
    if (count === 0) return
    const producer: BatchProducer = { ...this.#host.identity(), sequence: this.#sequence, transactional: true }
    this.#sealed.push(seal(this.#builder, this.#host.direct.compression, producer))
    this.#sequence = sequenceAfter(this.#sequence, count)
    this.#builder.reset()
    if (this.#sending !== undefined) return
    this.#sending = this.#send()
    this.#sending.catch(() => undefined) // told by `flush`, or by the failure that the host keeps
    this.#host.begun(this)
  }

  async #send (): Promise<void> {
    try {
      for (let batch = this.#sealed.shift(); batch !== undefined; batch = this.#sealed.shift()) await this.#host.deliver(this.to, batch)
    } finally { this.#sending = undefined }
  }
}
