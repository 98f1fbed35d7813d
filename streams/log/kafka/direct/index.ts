/** The Kafka driver of our own: Fetch, Produce, transactions and KIP-848 membership over Kafka 4.0 and later. */
export { openDirectLog, DIRECT_LIMITS } from './open-direct-log.ts'
export type { DirectLimits } from './direct.ts'
