import type { BatchBuilder, BatchProducer } from '../../../../codec/index.ts'
import type { KafkaCompression } from '../../options.ts'
import { deflateBatch } from '../compression/index.ts'

/** A smaller batch gains nothing by compression. */
const COMPRESS_FROM_BYTES = 512

/** The builder's batch as the broker takes it. */
export function seal (builder: BatchBuilder, compression: KafkaCompression, producer: BatchProducer): Buffer {
  const batch = builder.finish(0, -1, producer)
  return batch.length < COMPRESS_FROM_BYTES ? batch : deflateBatch(batch, compression)
}
