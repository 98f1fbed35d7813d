import { bytesOf } from '../codec/index.ts'
import { LatidoError } from '../errors/index.ts'
import { nameOf, type Consumer, type GroupMetadata, type OffsetCommit, type OutRecord, type Producer, type RecordSink, type TopicPartition, type TransactionalProducer } from '../log/index.ts'

/** What the loop writes with: a transaction, or its likeness without one. */
export interface OutputProducer extends TransactionalProducer {
  /** Resolves when what `commit` was given is kept: a snapshot may then be stamped with it. A transaction's is when its commit answers, and it has none. */
  settle? (): Promise<void>
}

/**
 * Outputs first, offsets after: a crash between them gives outputs twice, and none is lost. `commit` answers when the log has the outputs;
 * the offsets follow while the next batch is worked on, one commit in flight, so that they add nothing to the latency.
 */
export function atLeastOnce (producer: Producer, consumer: () => Consumer): OutputProducer {
  return new AtLeastOnce(producer, consumer)
}

class AtLeastOnce implements OutputProducer {
  readonly #producer: Producer
  readonly #consumer: () => Consumer
  #batches = new Map<string, { readonly to: TopicPartition, readonly records: OutRecord[] }>()
  #offsets: Promise<void> = Promise.resolve()

  constructor (producer: Producer, consumer: () => Consumer) {
    this.#producer = producer
    this.#consumer = consumer
  }

  append (to: TopicPartition, records: readonly OutRecord[]): void { this.#batch(to).push(...records) }

  sink (to: TopicPartition): RecordSink {
    const records = this.#batch(to)
    return { add: (timestamp, key, keyStart, keyEnd, value, start, end) => { records.push({ timestamp, key: bytesOf(key, keyStart, keyEnd), value: bytesOf(value, start, end) }) } }
  }

  async commit (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    const batches = [...this.#batches.values()]
    this.#batches = new Map()
    await Promise.all(batches.map(({ to, records }) => this.#producer.append(to, records)))
    await this.#offsets // its failure is this commit's: the member starts anew
    const { memberId } = this.#consumer().metadata
    if (memberId !== group.memberId) throw new LatidoError('MEMBER_FENCED', `a commit for the group ${group.group} comes from an earlier life`, 'nothing: the present member goes on')
    this.#offsets = this.#consumer().commit(offsets)
    this.#offsets.catch(() => {}) // looked at by the next commit, or by `settle`
  }

  settle (): Promise<void> { return this.#offsets }

  abort (): Promise<void> {
    this.#batches = new Map()
    return Promise.resolve()
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await Promise.allSettled([this.#offsets])
    await this.#producer[Symbol.asyncDispose]()
  }

  #batch (to: TopicPartition): OutRecord[] {
    const name = nameOf(to)
    let batch = this.#batches.get(name)
    if (batch === undefined) this.#batches.set(name, batch = { to, records: [] })
    return batch.records
  }
}
