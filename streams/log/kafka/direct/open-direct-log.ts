import type { Log } from '../../port.ts'
import { RECORD_BYTES_MAX, type KafkaOptions } from '../options.ts'
import { clusterOptions, openCluster, type ClusterLimits } from './cluster/index.ts'
import { prepareCompression } from './compression/index.ts'
import type { DirectLimits } from './direct.ts'
import { Lanes } from './lanes.ts'
import { DirectLog } from './log.ts'

/** What holds where nothing else is said. */
export const DIRECT_LIMITS: Omit<DirectLimits, 'requestTimeoutMs' | 'transactionTimeoutMs'> = {
  deliveryTimeoutMs: 120_000,
  fetchMaxWaitMs: 100,
  fetchLiveWaitMs: 10,
  fetchLiveForMs: 5_000,
  fetchMaxBytes: 32 << 20,
  fetchAheadBytes: 1 << 20,
  fetchPaceMs: 1,
  partitionMaxBytes: 1 << 20,
  heartbeatMs: 500,
  sessionTimeoutMs: 45_000,
  rebalanceTimeoutMs: 60_000,
  pollIntervalMaxMs: 300_000,
  backoffMinMs: 50,
  backoffMaxMs: 1_000,
  recordMaxBytes: RECORD_BYTES_MAX,
  batchBytes: 512 << 10,
  inFlightMax: 5,
  transactionVersionMax: 2,
}

/** Opens the log over our own data plane, for Kafka 4.0 and later. Throws BROKER_UNREACHABLE, BROKER_AUTHENTICATION_FAILED, BROKER_TOO_OLD. `limits` are for tests and for those who know. */
export async function openDirectLog (options: KafkaOptions, limits: Partial<DirectLimits & ClusterLimits> = {}): Promise<Log> {
  await prepareCompression()
  const cluster = await openCluster(clusterOptions(options, limits))
  const closing = new AbortController()
  const { clock, compression, requestTimeoutMs, transactionTimeoutMs } = options
  return new DirectLog({ cluster, clock, compression, lanes: new Lanes(), closed: closing.signal, limits: { ...DIRECT_LIMITS, requestTimeoutMs, transactionTimeoutMs, ...limits } }, options, closing)
}
