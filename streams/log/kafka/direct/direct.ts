import type { Clock, DurationMs } from '../../../time/index.ts'
import type { KafkaCompression } from '../options.ts'
import type { Cluster } from './cluster/index.ts'
import type { Lanes } from './lanes.ts'

/** Times in milliseconds, sizes in bytes. */
export interface DirectLimits {
  readonly requestTimeoutMs: DurationMs
  /** How long a record, an offset or the end of a transaction is tried to be delivered before the caller is told. */
  readonly deliveryTimeoutMs: DurationMs
  readonly transactionTimeoutMs: DurationMs
  /** How long a broker may hold a fetch that has nothing to answer; also what a new partition of the same broker may wait for. */
  readonly fetchMaxWaitMs: DurationMs
  /** The same for so long after records came: a fetch that waits is not always woken when a transaction ends (seen on Kafka 4.2, up to the whole wait). */
  readonly fetchLiveWaitMs: DurationMs
  readonly fetchLiveForMs: DurationMs
  readonly fetchMaxBytes: number
  /** A broker is asked again while less than this waits to be taken, not sooner than the pace after an answer. */
  readonly fetchAheadBytes: number
  readonly fetchPaceMs: DurationMs
  readonly partitionMaxBytes: number
  /** The broker may tell a longer one (5 s by default); moves of partitions take about one interval. */
  readonly heartbeatMs: DurationMs
  /** Used until the broker has told its own. */
  readonly sessionTimeoutMs: DurationMs
  /** How long a member may take to give up a partition. */
  readonly rebalanceTimeoutMs: DurationMs
  /** A member whose program does not poll for so long gives up. */
  readonly pollIntervalMaxMs: DurationMs
  readonly backoffMinMs: DurationMs
  readonly backoffMaxMs: DurationMs
  readonly recordMaxBytes: number
  /** A batch is closed when it has so many bytes. */
  readonly batchBytes: number
  /** Requests to one broker on their way at once. */
  readonly inFlightMax: number
  /** 1: partitions are added to transactions by a call of their own, as brokers below transaction.version 2 need it. */
  readonly transactionVersionMax: number
}

/** What the parts of the driver share. */
export interface Direct {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly compression: KafkaCompression
  readonly limits: DirectLimits
  readonly lanes: Lanes
  /** Aborted when the log is closed. */
  readonly closed: AbortSignal
}
