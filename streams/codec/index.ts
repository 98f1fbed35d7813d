/** Bytes: Kafka's v2 record batch (built in place, walked in place), varints, the partitioner, and Avro by position. */
export { BatchBuilder } from './batch-builder.ts'
export type { BatchProducer } from './batch-builder.ts'
export { BatchCursor, checkBatch, BATCH_HEADER_BYTES } from './batch-cursor.ts'
export type { BatchSpan } from './batch-cursor.ts'
/** A copy of a key's or a value's bytes; null where it begins below 0. */
export { bytesOf } from './bytes-of.ts'
export { readInt64, writeInt64 } from './int64.ts'
export { murmur2, partitionFor } from './partitioner.ts'
export { compileEncoder, compileFlyweight, KeyInterner, StringInterner } from './avro/index.ts'
export type { AvroField, AvroRecord, AvroSchema, Encoder, EncoderClass, EncoderOf, Flyweight, FlyweightClass, FlyweightOf, ItemEncoder, Items, Layout } from './avro/index.ts'
