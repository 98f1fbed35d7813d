import type { Consumer, ConsumerOptions, Log, Producer, TopicPartition, TransactionalProducer } from '../../../streams/log/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Metrics } from '../../telemetry/index.ts'

/** Measures what happens once a batch at the log's port: commits, appends, partitions that come and go. Nothing is done per record. */
export function meteredLog (log: Log, metrics: Pick<Metrics, 'commitLatency' | 'appendLatency' | 'partitions' | 'rebalances'>, clock: Clock): Log {
  const timed = async <T> (of: { observe (seconds: number): void }, work: Promise<T>): Promise<T> => {
    const startedMs = clock.monotonicMs()
    const done = await work
    of.observe((clock.monotonicMs() - startedMs) / 1_000)
    return done
  }
  const producer = (inner: Producer): Producer => ({
    append: (to, records) => timed(metrics.appendLatency, inner.append(to, records)),
    [Symbol.asyncDispose]: () => Promise.resolve(inner[Symbol.asyncDispose]()),
  })
  const transactional = (inner: TransactionalProducer): TransactionalProducer => ({
    append: (to, records) => { inner.append(to, records) },
    sink: to => inner.sink(to),
    commit: (group, offsets) => timed(metrics.commitLatency, inner.commit(group, offsets)),
    abort: () => inner.abort(),
    [Symbol.asyncDispose]: () => Promise.resolve(inner[Symbol.asyncDispose]()),
  })
  const consumer = (options: ConsumerOptions): Consumer => {
    const { group } = options
    const mine = new Set<string>()
    const changed = (what: 'assigned' | 'revoked', partitions: readonly TopicPartition[]): void => {
      for (const { topic, partition } of partitions) { if (what === 'assigned') mine.add(`${topic}/${partition}`); else mine.delete(`${topic}/${partition}`) }
      metrics.rebalances.inc({ group, what })
      metrics.partitions.set({ group }, mine.size)
    }
    const inner = log.consumer({
      ...options,
      onAssigned: async partitions => { changed('assigned', partitions); await options.onAssigned?.(partitions) },
      onRevoked: async partitions => { changed('revoked', partitions); await options.onRevoked?.(partitions) },
    })
    return {
      poll: maxWaitMs => inner.poll(maxWaitMs),
      seek: (of, offset) => { inner.seek(of, offset) },
      committed: of => inner.committed(of),
      commit: offsets => inner.commit(offsets),
      assignment: () => inner.assignment(),
      get metadata () { return inner.metadata },
      [Symbol.asyncDispose]: async () => { metrics.partitions.set({ group }, 0); await inner[Symbol.asyncDispose]() },
    }
  }
  return {
    ensureTopics: specs => log.ensureTopics(specs),
    topics: () => log.topics(),
    partitionsOf: topic => log.partitionsOf(topic),
    range: of => log.range(of),
    producer: () => producer(log.producer()),
    transactionalProducer: async id => transactional(await log.transactionalProducer(id)),
    consumer,
    reader: (of, from) => log.reader(of, from),
    committedOffset: (group, of) => log.committedOffset(group, of),
    enforceRetention: now => now === undefined ? log.enforceRetention() : log.enforceRetention(now),
    [Symbol.asyncDispose]: () => Promise.resolve(log[Symbol.asyncDispose]()),
  }
}
