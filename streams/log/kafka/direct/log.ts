import { isLatidoError, LatidoError } from '../../../errors/index.ts'
import type { ArrivalTimeMs } from '../../../time/index.ts'
import type { Consumer, ConsumerOptions, GroupMetadata, Log, PartitionRange, PartitionReader, Producer, TopicPartition, TopicSpec, TransactionalProducer } from '../../port.ts'
import { ensureTopics, openTopicAdmin, trimTopics, type TopicAdmin } from '../admin/index.ts'
import type { KafkaOptions } from '../options.ts'
import { EARLIEST, LATEST } from './api/index.ts'
import { committedOffsets, DirectConsumer, DirectReader, listOffset, type Member } from './consumer/index.ts'
import type { Direct } from './direct.ts'
import { leaderOf, unknownTopic } from './leader.ts'
import { nameOf } from '../../partition-name.ts'
import { AlternatingProducer, IdempotentProducer } from './producer/index.ts'
import { closedError, patiently } from './retry.ts'

const CREATED_WITHIN_MS = 30_000

/** The log over the direct driver: hands out producers, consumers and readers, and closes what is left open. */
export class DirectLog implements Log {
  readonly #direct: Direct
  readonly #options: KafkaOptions
  readonly #closing: AbortController
  readonly #specs = new Map<string, TopicSpec>()
  readonly #members = new Map<string, Member>()
  readonly #open = new Set<AsyncDisposable>()

  /** `closing` aborts what `direct.closed` says. */
  constructor (direct: Direct, options: KafkaOptions, closing: AbortController) {
    this.#direct = direct
    this.#options = options
    this.#closing = closing
  }

  async ensureTopics (specs: readonly TopicSpec[]): Promise<void> {
    this.#checkOpen()
    await this.#administrate(admin => ensureTopics(admin, specs, this.#options))
    await this.#direct.cluster.refresh(specs.map(s => s.name))
    for (const spec of specs) {
      for (let partition = 0; partition < spec.partitions; partition++) await patiently(this.#direct, `waiting for topic ${spec.name}`, { forMs: CREATED_WITHIN_MS }, () => leaderOf(this.#direct, { topic: spec.name, partition }))
      this.#specs.set(spec.name, spec)
    }
  }

  topics (): readonly TopicSpec[] { return [...this.#specs.values()] }

  partitionsOf (topic: string): number {
    const partitions = this.#direct.cluster.cachedTopic(topic)?.partitions.length ?? this.#specs.get(topic)?.partitions
    if (partitions === undefined) throw unknownTopic(topic)
    return partitions
  }

  async range (partition: TopicPartition): Promise<PartitionRange> {
    this.#checkOpen()
    const [start, end] = await Promise.all([listOffset(this.#direct, partition, EARLIEST), listOffset(this.#direct, partition, LATEST)])
    return { start, end: Math.max(start, end) }
  }

  producer (): Producer {
    this.#checkOpen()
    return this.#kept(new IdempotentProducer(this.#direct))
  }

  async transactionalProducer (transactionalId: string): Promise<TransactionalProducer> {
    this.#checkOpen()
    return this.#kept(await AlternatingProducer.open(this.#direct, transactionalId, group => this.#members.get(keyOf(group))))
  }

  consumer (options: ConsumerOptions): Consumer {
    this.#checkOpen()
    const key = keyOf({ group: options.group, memberId: options.instance })
    if (this.#members.has(key)) throw new LatidoError('MEMBER_FENCED', `${options.instance} is a member of group ${options.group} already`, 'nothing: each consumer joins under a name of its own')
    return this.#kept(new DirectConsumer(this.#direct, options, member => { this.#members.set(key, member) }, () => { this.#members.delete(key) }))
  }

  reader (partition: TopicPartition, fromOffset: number): PartitionReader {
    this.#checkOpen()
    return new DirectReader(this.#direct, partition, fromOffset)
  }

  async committedOffset (group: string, partition: TopicPartition): Promise<number | undefined> {
    this.#checkOpen()
    return (await committedOffsets(this.#direct, group, [partition])).get(nameOf(partition))
  }

  /** The brokers delete what they can see the age of; where producers bring the times it is done here. */
  async enforceRetention (now: ArrivalTimeMs = this.#direct.clock.now()): Promise<number> {
    this.#checkOpen()
    const specs = this.topics().filter(s => s.timestamps === 'create' && s.retentionMs > 0)
    return specs.length === 0 ? 0 : await this.#administrate(admin => trimTopics(admin, specs, now))
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#direct.closed.aborted) return
    await Promise.allSettled([...this.#open].map(o => o[Symbol.asyncDispose]()))
    this.#closing.abort('over')
    await this.#direct.cluster[Symbol.asyncDispose]()
  }

  /** Asked again where the reason passes: a broker may not know yet a topic that the cluster has just created. */
  async #administrate<T> (work: (admin: TopicAdmin) => Promise<T>): Promise<T> {
    await using admin = await openTopicAdmin(this.#options)
    const untilMs = this.#direct.clock.monotonicMs() + CREATED_WITHIN_MS
    for (;;) {
      try { return await work(admin) } catch (e) {
        const passing = isLatidoError(e) && (e.cause as { readonly retriable?: boolean } | undefined)?.retriable === true
        if (!passing || this.#direct.clock.monotonicMs() > untilMs) throw e
        await this.#direct.clock.sleep(this.#direct.limits.backoffMinMs, this.#direct.closed)
      }
    }
  }

  /** Closed with the log, unless it was before. */
  #kept<T extends AsyncDisposable> (opened: T): T {
    this.#open.add(opened)
    const close = opened[Symbol.asyncDispose].bind(opened)
    opened[Symbol.asyncDispose] = async () => {
      this.#open.delete(opened)
      await close()
    }
    return opened
  }

  #checkOpen (): void { if (this.#direct.closed.aborted) throw closedError() }
}

function keyOf ({ group, memberId }: Pick<GroupMetadata, 'group' | 'memberId'>): string { return `${group}/${memberId}` }
