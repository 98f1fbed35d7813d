/** The log of an instance: on a cluster or embedded, its topics, and what belongs to it. */
/** What a cluster is reached with. */
export { kafkaOptionsOf } from './kafka-options.ts'
/** Whose data directory it is. */
export { bindToLog } from './log-binding.ts'
/** The log, measured; and one of several Latidos on a cluster. */
export { meteredLog } from './metered-log.ts'
export { prefixedLog } from './prefixed-log.ts'
/** What a cluster lacks, and how it is told. */
export { openProvisioning, refuseUnprovisioned } from './provision.ts'
export type { ClusterPlan, Provisioning } from './provision.ts'
export { isProvisioned, renderCluster } from './render-cluster.ts'
/** Schemas of an embedded registry. */
export { openSchemaStorage } from './schema-storage.ts'
/** The topics of a cluster. */
export { clusterTopics } from './topics.ts'
