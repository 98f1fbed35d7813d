/** The log over node-rdkafka: for brokers before 4.0 and managed ones, and as the reference that `direct` is compared with. */
export { openNativeLog } from './native-log.ts'
