/** Compression of record batches: all that Kafka knows is read, lz4 and zstd are written. Synchronous, once it is prepared. */
export { prepareCompression, inflate, deflate, CODECS, INFLATED_BYTES_MAX } from './codecs.ts'
export type { Codec } from './codecs.ts'
/** Whole v2 batches. */
export { codecOf, deflateBatch, inflateBatch } from './batches.ts'
