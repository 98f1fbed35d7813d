import { openKafkaLog, KAFKA_DEFAULTS, type KafkaDriver } from '../../../streams/log/kafka/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { SchemaBook, topicSpecs, type StoredSchema } from '../../../streams/events/index.ts'
import type { Log, TopicSpec } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'

const DRIVERS: readonly KafkaDriver[] = ['auto', 'direct', 'native']

/** The product's topics, four partitions each. */
export const BENCH_TOPICS: readonly TopicSpec[] = topicSpecs({ partitions: 4, retentionMs: 3_600_000 })

/** A log on the benchmark's own broker. */
export async function benchKafka (bootstrap: string, driver: string, replication: number = 1): Promise<Log> {
  const chosen = DRIVERS.find(d => d === driver)
  if (chosen === undefined) throw new LatidoError('CONFIG_INVALID', `there is no driver "${driver}"`, `choose among: ${DRIVERS.join(', ')}`)
  const { log } = await openKafkaLog({ ...KAFKA_DEFAULTS, brokers: bootstrap.split(','), clientId: 'latido-bench', driver: chosen, replication, minInsyncReplicas: 1, clock: systemClock })
  return log
}

/** A registry in memory gives the same ids in each process, since all register in the same order. */
export async function benchBook (): Promise<SchemaBook> {
  const stored: StoredSchema[] = []
  return await SchemaBook.open({ url: 'mock://bench', storage: { load: () => stored, add: schema => { stored.push(schema); return Promise.resolve() } } })
}
