/** The embedded log: LMDB blocks that are Kafka's v2 record batches, one fsynced LMDB transaction a commit. */
export { openEmbeddedLog } from './embedded-log.ts'
export type { EmbeddedLogOptions } from './embedded-log.ts'
