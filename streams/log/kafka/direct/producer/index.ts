/** Appends outside transactions. */
export { IdempotentProducer } from './idempotent-producer.ts'
/** Outputs and offsets, whole or not at all; two ids that take turns. */
export { AlternatingProducer } from './alternating-producer.ts'
/** The transactions of one id. */
export { DirectTransactionalProducer } from './transactional-producer.ts'
