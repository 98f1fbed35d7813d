import { bytesOf } from '../../streams/codec/index.ts'
import type { Consumer, Log, OffsetCommit, TransactionalProducer } from '../../streams/log/index.ts'

/** Faults that an exactly-once processor must not have; the harness must find each. */
export const BUGS = ['none', 'outputs-outside', 'offsets-outside'] as const
export type Bug = (typeof BUGS)[number]

/** A log whose transactions are not what they say. */
export function withBug (log: Log, bug: Bug): Log {
  if (bug === 'none') return log
  let consumer: Consumer | undefined
  return new Proxy(log, {
    get: (target, property) => {
      if (property === 'consumer') return (options: Parameters<Log['consumer']>[0]) => { consumer = target.consumer(options); return consumer }
      if (property === 'transactionalProducer') return async (id: string) => broken(await target.transactionalProducer(id), target, bug, offsets => consumer?.commit(offsets) ?? Promise.resolve())
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) as unknown : value
    },
  })
}

function broken (inner: TransactionalProducer, log: Log, bug: Bug, commitOffsets: (offsets: readonly OffsetCommit[]) => Promise<void>): TransactionalProducer {
  const plain = log.producer()
  let waiting: Promise<unknown>[] = []
  const outside = bug === 'outputs-outside'
  return {
    append: (to, records) => { if (outside) waiting.push(plain.append(to, records)); else inner.append(to, records) },
    sink: to => outside
      ? { add: (timestamp, key, keyStart, keyEnd, value, start, end) => { waiting.push(plain.append(to, [{ timestamp, key: bytesOf(key, keyStart, keyEnd), value: bytesOf(value, start, end) }])) } }
      : inner.sink(to),
    commit: async (group, offsets) => {
      await Promise.all(waiting)
      waiting = []
      if (bug !== 'offsets-outside') { await inner.commit(group, offsets); return }
      await inner.commit(group, [])
      await commitOffsets(offsets)
    },
    abort: () => inner.abort(),
    [Symbol.asyncDispose]: async () => { await Promise.allSettled([plain[Symbol.asyncDispose](), inner[Symbol.asyncDispose]()]) },
  }
}
