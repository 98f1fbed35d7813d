import { LatidoError } from '../../errors/index.ts'
import type { ArrivalTimeMs, Clock, DurationMs } from '../../time/index.ts'
import type {
  Appended, Consumer, ConsumerOptions, GroupMetadata, Log, OffsetCommit, OutRecord, PartitionRange, PartitionReader, Producer, TopicPartition, TopicSpec, TransactionalProducer,
} from '../port.ts'
import { BlockStore } from './block-store.ts'
import { EmbeddedConsumer, offsetKey, readRun, type ConsumerHost } from './consumer.ts'
import { GroupCommit } from './group-commit.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import { recoverPartition, type Partition } from './partition.ts'
import { TransactionBuffer } from './transaction.ts'

const SESSION_TIMEOUT_MS = 45_000
const READER_BYTES = 1 << 20

export interface EmbeddedLogOptions {
  readonly directory: string
  readonly clock: Clock
  readonly sessionTimeoutMs?: DurationMs
}

/** Opens (or creates) the log in a directory. Throws STORE_CORRUPT. One process at a time may hold a directory. */
export async function openEmbeddedLog (options: EmbeddedLogOptions): Promise<Log> {
  return new EmbeddedLog(await BlockStore.open(options.directory, options.clock), options)
}

class EmbeddedLog implements Log, ConsumerHost {
  readonly store: BlockStore
  readonly clock: Clock
  readonly coordinator: GroupCoordinator
  readonly #partitions = new Map<string, readonly Partition[]>()
  readonly #writer: GroupCommit
  /** Newest producer of each transactional id; in memory, since one process holds a directory. */
  readonly #epochs = new Map<string, number>()
  readonly #waiting = new Map<() => void, readonly string[]>()
  #nextTopicIndex = 1
  #closed = false

  constructor (store: BlockStore, { clock, sessionTimeoutMs = SESSION_TIMEOUT_MS }: EmbeddedLogOptions) {
    this.clock = clock
    this.store = store
    this.coordinator = new GroupCoordinator({ clock, sessionTimeoutMs, partitionsOf: topic => this.partitionsOf(topic), changed: () => { for (const wake of this.#waiting.keys()) wake() } })
    this.#writer = new GroupCommit(this.store, clock, written => { for (const [wake, topics] of this.#waiting) if (topics.some(topic => written.has(topic))) wake() })
    for (const { index, spec } of this.store.topics()) this.#openTopic(index, spec)
  }

  async ensureTopics (specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) {
      const existing = this.#partitions.get(spec.name)?.[0]?.spec
      if (existing === undefined) {
        const index = this.#nextTopicIndex
        this.#openTopic(index, spec)
        await this.store.addTopic({ index, spec })
      } else if (existing.partitions !== spec.partitions || existing.timestamps !== spec.timestamps) {
        throw new LatidoError('TOPIC_MISMATCH', `topic ${spec.name} has ${existing.partitions} partitions with ${existing.timestamps} timestamps, and ${spec.partitions} with ${spec.timestamps} are configured`, 'configure what the data directory has, or start with another one')
      } else if (existing.retentionMs !== spec.retentionMs) {
        const index = this.#partitions.get(spec.name)![0]!.topicIndex
        this.#openTopic(index, spec)
        await this.store.addTopic({ index, spec })
      }
    }
  }

  topics (): readonly TopicSpec[] { return [...this.#partitions.values()].map(p => p[0]!.spec) }
  partitionsOf (topic: string): number { return this.#topic(topic).length }

  partition ({ topic, partition }: TopicPartition): Partition {
    const found = this.#topic(topic)[partition]
    if (found === undefined) throw new LatidoError('TOPIC_UNKNOWN', `topic ${topic} has no partition ${partition}`, 'check the number of partitions')
    return found
  }

  range (of: TopicPartition): Promise<PartitionRange> {
    const { start, visibleEnd } = this.partition(of)
    return Promise.resolve({ start, end: visibleEnd })
  }

  producer (): Producer {
    return {
      append: async (to: TopicPartition, records: readonly OutRecord[]): Promise<Appended> => {
        this.#checkOpen()
        return await this.#writer.append(this.partition(to), records)
      },
      [Symbol.asyncDispose]: () => this.#writer.idle(),
    }
  }

  transactionalProducer (transactionalId: string): Promise<TransactionalProducer> {
    const epoch = (this.#epochs.get(transactionalId) ?? 0) + 1
    this.#epochs.set(transactionalId, epoch)
    const buffer = new TransactionBuffer(to => this.partition(to), this.clock)
    return Promise.resolve({
      append: (to, records) => { buffer.append(to, records) },
      sink: to => buffer.sink(to),
      commit: async (group, offsets) => {
        const mine = buffer.take()
        this.#checkOpen()
        if (this.#epochs.get(transactionalId) !== epoch) throw new LatidoError('PRODUCER_FENCED', `a newer producer has taken over ${transactionalId}`, 'nothing: the newer instance goes on, and this one stops')
        this.coordinator.checkCommit(group, offsets)
        await this.#writer.commit(mine, offsets.map(o => ({ key: offsetKey(group.group, o), offset: o.offset })))
      },
      abort: () => { buffer.take(); return Promise.resolve() },
      [Symbol.asyncDispose]: () => { buffer.take(); return Promise.resolve() },
    } satisfies TransactionalProducer)
  }

  consumer (options: ConsumerOptions): Consumer {
    for (const topic of options.topics) this.#topic(topic)
    return new EmbeddedConsumer(this, options)
  }

  async commitOffsets (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    this.#checkOpen()
    this.coordinator.checkCommit(group, offsets)
    await this.#writer.commit([], offsets.map(o => ({ key: offsetKey(group.group, o), offset: o.offset })))
  }

  reader (of: TopicPartition, fromOffset: number): PartitionReader {
    let offset = fromOffset
    return {
      next: () => {
        const run = readRun(this.store, this.partition(of), offset, READER_BYTES)
        if (run !== undefined) offset = run.nextOffset
        return Promise.resolve(run)
      },
    }
  }

  committedOffset (group: string, partition: TopicPartition): Promise<number | undefined> { return Promise.resolve(this.store.offset(offsetKey(group, partition))) }

  async enforceRetention (now: ArrivalTimeMs = this.clock.now()): Promise<number> {
    let records = 0
    for (const partitions of this.#partitions.values()) {
      for (const partition of partitions) {
        if (partition.spec.retentionMs <= 0) continue
        const before = now - partition.spec.retentionMs
        records += await this.store.expire(partition.topicIndex, partition.partition, before, partition.visibleEnd)
        partition.start = this.store.first(partition.topicIndex, partition.partition) ?? partition.visibleEnd
      }
    }
    return records
  }

  activity (topics: readonly string[], signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => { this.#waiting.delete(done); signal.removeEventListener('abort', done); resolve() }
      this.#waiting.set(done, topics)
      signal.addEventListener('abort', done)
    })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#closed) return
    await this.#writer.idle()
    this.#closed = true
    await this.store.close()
  }

  #openTopic (index: number, spec: TopicSpec): void {
    this.#partitions.set(spec.name, Array.from({ length: spec.partitions }, (_, partition) => recoverPartition(this.store, index, spec, partition)))
    this.#nextTopicIndex = Math.max(this.#nextTopicIndex, index + 1)
  }

  #topic (name: string): readonly Partition[] {
    const partitions = this.#partitions.get(name)
    if (partitions === undefined) throw new LatidoError('TOPIC_UNKNOWN', `there is no topic ${name}`, 'check the name; topics are created at start')
    return partitions
  }

  #checkOpen (): void {
    if (this.#closed) throw new LatidoError('LOG_CLOSED', 'the log is closed', 'nothing: the process is stopping')
  }
}
