import { LatidoError } from '../../../errors/index.ts'
import type { ArrivalTimeMs } from '../../../time/index.ts'
import type { Consumer, ConsumerOptions, GroupMetadata, Log, OutRecord, PartitionRange, PartitionReader, Producer, TopicPartition, TopicSpec, TransactionalProducer } from '../../port.ts'
import { ensureTopics, openTopicAdmin, partitionCounts, trimTopics, type TopicAdmin } from '../admin/index.ts'
import type { KafkaOptions } from '../options.ts'
import { NativeConsumer, type MemberHost } from './consumer.ts'
import { loadLibrary, type Library } from './library.ts'
import { PlainProducer } from './producer.ts'
import { ReaderPool } from './reader.ts'
import { openTransaction, type NativeTransaction, type TransactionHost } from './transaction.ts'

/** Opens the log over node-rdkafka. Throws KAFKA_DRIVER_MISSING, BROKER_UNREACHABLE, BROKER_AUTHENTICATION_FAILED. */
export async function openNativeLog (options: KafkaOptions): Promise<Log> {
  const library = await loadLibrary(options)
  const admin = await openTopicAdmin(options)
  return new NativeLog(library, options, admin, await partitionCounts(admin))
}

class NativeLog implements Log, MemberHost, TransactionHost {
  readonly library: Library
  readonly options: KafkaOptions
  readonly #admin: TopicAdmin
  readonly #producer: PlainProducer
  readonly #readers: ReaderPool
  readonly #specs = new Map<string, TopicSpec>()
  #partitions: ReadonlyMap<string, number>
  readonly #members = new Map<string, NativeConsumer>()
  readonly #transactions = new Set<NativeTransaction>()
  #closed = false

  constructor (library: Library, options: KafkaOptions, admin: TopicAdmin, partitions: ReadonlyMap<string, number>) {
    this.library = library
    this.options = options
    this.#admin = admin
    this.#partitions = partitions
    this.#producer = new PlainProducer(library, options)
    this.#readers = new ReaderPool(library, options)
  }

  async ensureTopics (specs: readonly TopicSpec[]): Promise<void> {
    await ensureTopics(this.#admin, specs, this.options)
    this.#partitions = await partitionCounts(this.#admin)
    for (const spec of specs) this.#specs.set(spec.name, spec)
  }

  topics (): readonly TopicSpec[] { return [...this.#specs.values()] }

  partitionsOf (topic: string): number {
    const partitions = this.#partitions.get(topic)
    if (partitions === undefined) throw new LatidoError('TOPIC_UNKNOWN', `there is no topic ${topic}`, 'check the name; topics are created at start')
    return partitions
  }

  check ({ topic, partition }: TopicPartition): void {
    if (partition < 0 || partition >= this.partitionsOf(topic)) throw new LatidoError('TOPIC_UNKNOWN', `topic ${topic} has no partition ${partition}`, 'check the number of partitions')
  }

  async range (of: TopicPartition): Promise<PartitionRange> {
    this.check(of)
    return await this.#readers.range(of)
  }

  producer (): Producer {
    const open = new Set<Promise<unknown>>()
    return {
      append: async (to: TopicPartition, records: readonly OutRecord[]) => {
        this.check(to)
        const appended = this.#producer.append(to, records)
        open.add(appended)
        try { return await appended } finally { open.delete(appended) }
      },
      [Symbol.asyncDispose]: async () => { await Promise.allSettled(open) },
    }
  }

  async transactionalProducer (transactionalId: string): Promise<TransactionalProducer> {
    this.#checkOpen()
    const transaction = await openTransaction(this, transactionalId)
    this.#transactions.add(transaction)
    return transaction
  }

  consumer (options: ConsumerOptions): Consumer {
    this.#checkOpen()
    for (const topic of options.topics) this.partitionsOf(topic)
    const member = new NativeConsumer(this, options)
    this.#members.set(keyOf(member.metadata), member)
    return member
  }

  member (group: GroupMetadata): NativeConsumer | undefined { return this.#members.get(keyOf(group)) }
  left (member: NativeConsumer): void { this.#members.delete(keyOf(member.metadata)) }

  reader (partition: TopicPartition, fromOffset: number): PartitionReader {
    this.check(partition)
    return this.#readers.reader(partition, fromOffset)
  }

  async committedOffset (group: string, { topic, partition }: TopicPartition): Promise<number | undefined> {
    const found = await this.#admin.ask('fetch committed offsets', a => a.fetchOffsets({ groupId: group, topics: [topic] }))
    const offset = Number(found[0]?.partitions.find(p => p.partition === partition)?.offset ?? -1)
    return offset < 0 ? undefined : offset
  }

  async enforceRetention (now: ArrivalTimeMs = this.options.clock.now()): Promise<number> { return await trimTopics(this.#admin, this.topics(), now) }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled([...this.#members.values()].map(m => m[Symbol.asyncDispose]()))
    await Promise.allSettled([...this.#transactions].map(t => t[Symbol.asyncDispose]()))
    await Promise.allSettled([this.#producer[Symbol.asyncDispose](), this.#readers[Symbol.asyncDispose](), this.#admin[Symbol.asyncDispose]()])
  }

  #checkOpen (): void {
    if (this.#closed) throw new LatidoError('LOG_CLOSED', 'the log is closed', 'nothing: the process is stopping')
  }
}

function keyOf ({ group, memberId }: GroupMetadata): string { return `${group}/${memberId}` }
