/** The log on Apache Kafka: two drivers behind one port, and the choice between them. */
import type { Log } from '../port.ts'
import { chooseDriver } from './choose.ts'
import type { KafkaOptions } from './options.ts'

export interface OpenedKafkaLog {
  readonly log: Log
  readonly driver: 'direct' | 'native'
  /** Why this driver, in words for the operator. */
  readonly why: string
}

/**
 * Opens the log on a cluster, by the driver that is configured or, with `auto`, by `direct` where the brokers allow it, else by `native`.
 * Throws KAFKA_DRIVER_MISSING where `native` is needed and node-rdkafka is not there, BROKER_UNREACHABLE, BROKER_AUTHENTICATION_FAILED, BROKER_TOO_OLD.
 */
export async function openKafkaLog (options: KafkaOptions): Promise<OpenedKafkaLog> {
  const { driver, why } = await chooseDriver(options)
  if (driver === 'direct') {
    const { openDirectLog } = await import('./direct/index.ts')
    return { log: await openDirectLog(options), driver, why }
  }
  const { openNativeLog } = await import('./native/index.ts')
  return { log: await openNativeLog(options), driver, why }
}

export { KAFKA_DEFAULTS } from './options.ts'
export type { KafkaCompression, KafkaDriver, KafkaOptions, KafkaSasl, KafkaTls, OauthToken } from './options.ts'
