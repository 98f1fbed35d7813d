/** The embedded log: LMDB blocks that are Kafka's v2 record batches, behind a journal that makes each commit durable with one write. */
export { openEmbeddedLog } from './embedded-log.ts'
export type { EmbeddedLogOptions } from './embedded-log.ts'
