import type { Consumer, ConsumerOptions, Log, OffsetCommit, PartitionReader, Producer, Run, TopicPartition, TopicSpec, TransactionalProducer } from '../../../streams/log/index.ts'

/**
 * A log whose topics, groups and transactions carry a prefix on the cluster, and none here: so several Latidos share one. Records are handed
 * on as they are; a run is one small object more.
 */
export function prefixedLog (log: Log, prefix: string): Log { return prefix === '' ? log : new PrefixedLog(log, prefix) }

class PrefixedLog implements Log {
  readonly #log: Log
  readonly #prefix: string

  constructor (log: Log, prefix: string) {
    this.#log = log
    this.#prefix = prefix
  }

  async ensureTopics (specs: readonly TopicSpec[]): Promise<void> { await this.#log.ensureTopics(specs.map(spec => ({ ...spec, name: this.#prefix + spec.name }))) }
  topics (): readonly TopicSpec[] { return this.#log.topics().filter(({ name }) => name.startsWith(this.#prefix)).map(spec => ({ ...spec, name: spec.name.slice(this.#prefix.length) })) }
  partitionsOf (topic: string): number { return this.#log.partitionsOf(this.#prefix + topic) }
  range (of: TopicPartition): ReturnType<Log['range']> { return this.#log.range(this.#out(of)) }
  committedOffset (group: string, of: TopicPartition): Promise<number | undefined> { return this.#log.committedOffset(this.#prefix + group, this.#out(of)) }
  enforceRetention (now?: number): Promise<number> { return now === undefined ? this.#log.enforceRetention() : this.#log.enforceRetention(now) }
  [Symbol.asyncDispose] (): Promise<void> { return Promise.resolve(this.#log[Symbol.asyncDispose]()) }

  producer (): Producer {
    const producer = this.#log.producer()
    return { append: (to, records) => producer.append(this.#out(to), records), [Symbol.asyncDispose]: () => Promise.resolve(producer[Symbol.asyncDispose]()) }
  }

  async transactionalProducer (transactionalId: string): Promise<TransactionalProducer> {
    const producer = await this.#log.transactionalProducer(this.#prefix + transactionalId)
    return {
      append: (to, records) => { producer.append(this.#out(to), records) },
      sink: to => producer.sink(this.#out(to)),
      commit: (group, offsets) => producer.commit(group, this.#offsets(offsets)),
      abort: () => producer.abort(),
      [Symbol.asyncDispose]: () => Promise.resolve(producer[Symbol.asyncDispose]()),
    }
  }

  consumer ({ onAssigned, onRevoked, ...options }: ConsumerOptions): Consumer {
    const consumer = this.#log.consumer({
      ...options, group: this.#prefix + options.group, topics: options.topics.map(topic => this.#prefix + topic),
      ...(onAssigned === undefined ? {} : { onAssigned: partitions => onAssigned(partitions.map(p => this.#in(p))) }),
      ...(onRevoked === undefined ? {} : { onRevoked: partitions => onRevoked(partitions.map(p => this.#in(p))) }),
    })
    return {
      poll: async maxWaitMs => (await consumer.poll(maxWaitMs)).map(run => this.#run(run)),
      seek: (of, offset) => { consumer.seek(this.#out(of), offset) },
      committed: of => consumer.committed(this.#out(of)),
      commit: offsets => consumer.commit(this.#offsets(offsets)),
      assignment: () => consumer.assignment().map(p => this.#in(p)),
      get metadata () { return consumer.metadata },
      [Symbol.asyncDispose]: () => Promise.resolve(consumer[Symbol.asyncDispose]()),
    }
  }

  reader (of: TopicPartition, fromOffset: number): PartitionReader {
    const reader = this.#log.reader(this.#out(of), fromOffset)
    return { next: async () => { const run = await reader.next(); return run === undefined ? undefined : this.#run(run) } }
  }

  #out ({ topic, partition }: TopicPartition): TopicPartition { return { topic: this.#prefix + topic, partition } }
  #in ({ topic, partition }: TopicPartition): TopicPartition { return { topic: topic.slice(this.#prefix.length), partition } }
  #run ({ topic, partition, records, nextOffset }: Run): Run { return { topic: topic.slice(this.#prefix.length), partition, records, nextOffset } }
  #offsets (offsets: readonly OffsetCommit[]): readonly OffsetCommit[] { return offsets.map(o => ({ ...this.#out(o), offset: o.offset })) }
}
