/** Appends outside transactions. */
export { IdempotentProducer } from './idempotent-producer.ts'
/** Outputs and offsets, whole or not at all. */
export { DirectTransactionalProducer } from './transactional-producer.ts'
