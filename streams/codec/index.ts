/** Bytes: Kafka's v2 record batch (built in place, walked in place), varints, and the partitioner. */
export { BatchBuilder } from './batch-builder.ts'
export type { BatchProducer } from './batch-builder.ts'
export { BatchCursor, checkBatch, BATCH_HEADER_BYTES } from './batch-cursor.ts'
export type { BatchSpan } from './batch-cursor.ts'
export { readInt64, writeInt64 } from './int64.ts'
export { murmur2, partitionFor } from './partitioner.ts'
