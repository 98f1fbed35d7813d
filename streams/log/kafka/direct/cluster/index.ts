/** The cluster of the direct driver: connections, versions, metadata, coordinators; calls go to whom they concern. */
export { openCluster } from './open-cluster.ts'
/** Fills in what the options of the Kafka log leave open. */
export { clusterOptions } from './cluster-options.ts'
export { CLUSTER_LIMITS } from './options.ts'
export type { ClusterLimits, ClusterOptions } from './options.ts'
export type { CallOptions, Cluster, PartitionMetadata, Target, TopicMetadata } from './port.ts'
/** What brokers answer, by number and name; what a lost connection leaves unknown. */
export { ConnectionLost, ERROR_CODE, isConnectionLost, isKafkaError, KafkaError, throwIfError } from './errors.ts'
export type { KafkaErrorName } from './errors.ts'
/** Between tries: exponential, with jitter. */
export { backoffMs } from './backoff.ts'
