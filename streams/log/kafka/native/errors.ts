import { LatidoError, messageOf } from '../../../errors/index.ts'
import type { LibrdKafkaError } from './library.ts'

/** Numbers of librdkafka (negative: its own) and of Kafka's protocol. */
export const CODE = {
  assignPartitions: -175, revokePartitions: -174,
  fatal: -150, state: -172, fenced: -144, queueFull: -184, maxPollExceeded: -147, timedOut: -185, badMessage: -199, badCompression: -198, notImplemented: -170, authentication: -169, ssl: -181, unknownTopic: -188, unknownPartition: -190,
  corruptMessage: 2, unknownTopicOrPartition: 3, messageTooLarge: 10, illegalGeneration: 22, unknownMember: 25, rebalanceInProgress: 27,
  topicAuthorization: 29, groupAuthorization: 30, clusterAuthorization: 31, invalidProducerEpoch: 47, transactionalIdAuthorization: 53,
  fencedInstance: 82, unstableOffset: 88, producerFenced: 90,
} as const

const MEMBER_GONE: ReadonlySet<number> = new Set([CODE.illegalGeneration, CODE.unknownMember, CODE.rebalanceInProgress, CODE.fencedInstance])
const PRODUCER_GONE: ReadonlySet<number> = new Set([CODE.fenced, CODE.invalidProducerEpoch, CODE.producerFenced])
const REFUSED: ReadonlySet<number> = new Set([CODE.topicAuthorization, CODE.groupAuthorization, CODE.clusterAuthorization, CODE.transactionalIdAuthorization])

export function codeOf (e: unknown): number {
  const code = (e as Partial<LibrdKafkaError> | null | undefined)?.code
  return typeof code === 'number' ? code : 0
}

/** The library's errors as ours. `what`: what was tried, such as `commit offsets`. */
export function nativeError (what: string, e: unknown): LatidoError {
  if (e instanceof LatidoError) return e
  const code = codeOf(e)
  const reason = `${messageOf((e as Partial<LibrdKafkaError>).message ?? e)} (${code})`
  if (MEMBER_GONE.has(code)) return memberFenced(e)
  if (PRODUCER_GONE.has(code) || (e as Partial<LibrdKafkaError>).isFatal === true || code === CODE.fatal) return producerFenced(reason, e)
  if (code === CODE.unknownTopicOrPartition || code === CODE.unknownTopic || code === CODE.unknownPartition) return new LatidoError('TOPIC_UNKNOWN', `could not ${what}: there is no such topic or partition`, 'check the name; latido topics apply creates what is missing', e)
  if (code === CODE.messageTooLarge) return new LatidoError('RECORD_TOO_LARGE', `could not ${what}: a record is larger than the topic takes`, 'send smaller messages, or raise max.message.bytes: latido topics plan', e)
  if (code === CODE.badMessage || code === CODE.badCompression || code === CODE.corruptMessage) return new LatidoError('BATCH_CORRUPT', `could not ${what}: ${reason}`, 'look at the broker\'s disk; a replica may be whole', e)
  if (code === CODE.notImplemented) return new LatidoError('KAFKA_DRIVER_MISSING', `could not ${what}: ${reason}: node-rdkafka was compiled without a codec that the records use`, 'install libzstd-dev, then npm run native', e)
  if (REFUSED.has(code)) return new LatidoError('BROKER_REFUSED', `could not ${what}: ${reason}`, 'allow the user what the message names (kafka-acls)', e)
  if (code === CODE.authentication || code === CODE.ssl || /authentication|ssl/i.test(reason)) return new LatidoError('BROKER_AUTHENTICATION_FAILED', `could not ${what}: ${reason}`, 'check the credentials, the certificates, and that the port is a listener of that kind', e)
  return new LatidoError('BROKER_UNREACHABLE', `could not ${what}: ${reason}`, 'check that the brokers run and can be reached from here', e)
}

export function memberFenced (cause?: unknown): LatidoError {
  return new LatidoError('MEMBER_FENCED', 'a partition has a new owner, or this member is no longer of its group', 'nothing: it joins again', cause)
}

export function producerFenced (detail: string, cause?: unknown): LatidoError {
  return new LatidoError('PRODUCER_FENCED', `a newer producer has taken over: ${detail}`, 'nothing: the newer instance goes on, and this one joins again under another name', cause)
}

export function isMemberGone (e: unknown): boolean { return MEMBER_GONE.has(codeOf(e)) }
export function isProducerGone (e: unknown): boolean { return PRODUCER_GONE.has(codeOf(e)) || (e as Partial<LibrdKafkaError>).isFatal === true || codeOf(e) === CODE.fatal }
