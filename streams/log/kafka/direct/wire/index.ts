/** Kafka's primitive types and the shape of a call. */
export { WireWriter } from './writer.ts'
export { WireReader } from './reader.ts'
export type { Api } from './request.ts'
