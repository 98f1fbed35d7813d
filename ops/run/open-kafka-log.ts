import { LatidoError } from '../../streams/errors/index.ts'
import type { KafkaOptions, Log } from '../../streams/log/index.ts'

/** The log on a cluster, the driver that was chosen, and what chose it. */
export interface OpenedKafkaLog { readonly log: Log, readonly driver: 'direct' | 'native', readonly why: string }

/** Opens the log on a cluster. Drivers are loaded when the first cluster is configured. */
export async function openKafkaLog (options: KafkaOptions): Promise<OpenedKafkaLog> {
  const drivers = await import('../../streams/log/index.ts') as { readonly openKafkaLog?: (options: KafkaOptions) => Promise<OpenedKafkaLog> }
  if (drivers.openKafkaLog === undefined) throw new LatidoError('KAFKA_DRIVER_MISSING', 'this version has no Kafka driver', 'start with the embedded log')
  return await drivers.openKafkaLog(options)
}
