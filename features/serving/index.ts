/** Reading features online: values with presence, event time and age, TTL applied. */
export { onlineValue, readView, tableOf } from './reader.ts'
export type { ServedVector } from './reader.ts'
