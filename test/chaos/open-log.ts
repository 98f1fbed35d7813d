import type { Log } from '../../streams/log/index.ts'
import { KAFKA_DEFAULTS, type KafkaCompression, type KafkaOptions } from '../../streams/log/kafka/options.ts'
import { systemClock } from '../../streams/time/index.ts'

export const DRIVERS = ['direct', 'native'] as const
export type Driver = (typeof DRIVERS)[number]

/** The log over a cluster of the tests, by one driver. */
export async function openLog (driver: Driver, bootstrap: string, replication: number, compression: KafkaCompression = 'lz4', transactionTimeoutMs: number = 10_000): Promise<Log> {
  const options: KafkaOptions = { ...KAFKA_DEFAULTS, driver, brokers: bootstrap.split(','), replication, minInsyncReplicas: Math.max(1, replication - 1), compression, requestTimeoutMs: 10_000, sessionTimeoutMs: 3_000, transactionTimeoutMs, clock: systemClock }
  const module = await import(driver === 'direct' ? '../../streams/log/kafka/direct/index.ts' : '../../streams/log/kafka/native/index.ts') as { openDirectLog?: (o: KafkaOptions) => Promise<Log>, openNativeLog?: (o: KafkaOptions) => Promise<Log> }
  const open = driver === 'direct' ? module.openDirectLog : module.openNativeLog
  if (open === undefined) throw new Error(`no driver ${driver}`)
  return open(options)
}
