/** Processors in threads: one until it is full, then one more, up to a thread a core; Kafka spreads the partitions over them. */
export { openWorkerPool, WORKER_POOL_DEFAULTS } from './pool.ts'
export type { WorkerPool, WorkerPoolHost, WorkerPoolOptions } from './pool.ts'
export type { FromWorker, WorkerModule, WorkerTask, WorkerThread } from './protocol.ts'
