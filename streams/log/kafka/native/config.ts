import type { ConsumerGlobalConfig, GlobalConfig, ProducerGlobalConfig, ProducerTopicConfig } from 'node-rdkafka'
import { LatidoError } from '../../../errors/index.ts'
import { BATCH_BYTES_MAX, type KafkaOptions, type KafkaSasl, type KafkaTls } from '../options.ts'

/** Silence after which the others take a member's partitions, where nothing is said. Brokers accept 6 s and more by default. */
const SESSION_TIMEOUT_MS = 10_000
/** A member learns of a rebalance with its heartbeat: so long may a partition that moves stand still. */
const HEARTBEAT_MS = 300
/** The library cannot end a dead member's transaction for its heir, who waits this long at most. */
const TRANSACTION_TIMEOUT_MAX_MS = 10_000
/** A member that does not poll for so long (restoring included) is put out of its group by its own library. */
const POLL_INTERVAL_MAX_MS = 300_000
/** A reader waits so long at the end of a partition to learn that it is the end. */
const READER_FETCH_WAIT_MS = 10

function common (options: KafkaOptions): GlobalConfig {
  return {
    'metadata.broker.list': options.brokers.join(','),
    'client.id': options.clientId,
    'allow.auto.create.topics': false,
    'socket.keepalive.enable': true,
    'socket.nagle.disable': true,
    'socket.timeout.ms': options.requestTimeoutMs,
    'reconnect.backoff.max.ms': 1_000,
    ...security(options),
  }
}

function security ({ tls, sasl }: KafkaOptions): GlobalConfig {
  const protocol = sasl === undefined ? tls === undefined ? 'plaintext' : 'ssl' : tls === undefined ? 'sasl_plaintext' : 'sasl_ssl'
  return { 'security.protocol': protocol, ...(tls && tlsOf(tls)), ...(sasl && saslOf(sasl)) }
}

function tlsOf ({ ca, cert, key, servername }: KafkaTls): GlobalConfig {
  if (servername !== undefined) throw new LatidoError('CONFIG_INVALID', 'the driver native cannot expect another name in the certificate than the address has', 'address the brokers by the name in their certificates, or use the driver direct')
  return {
    'ssl.endpoint.identification.algorithm': 'https',
    ...(ca === undefined ? { 'ssl.ca.location': 'probe' } : { 'ssl.ca.pem': ca.toString('utf8') }),
    ...(cert && { 'ssl.certificate.pem': cert.toString('utf8') }),
    ...(key && { 'ssl.key.pem': key.toString('utf8') }),
  }
}

function saslOf (sasl: KafkaSasl): GlobalConfig {
  if (sasl.kind === 'oauthbearer') return { 'sasl.mechanisms': 'OAUTHBEARER' }
  return { 'sasl.mechanisms': sasl.kind.toUpperCase(), 'sasl.username': sasl.username, 'sasl.password': sasl.password }
}

/** A member of a group. Offsets are committed by us alone; OffsetFetch asks for stable ones because of read_committed. */
export function memberConfig (options: KafkaOptions, group: string, maxBytesPerPartition: number): ConsumerGlobalConfig {
  const sessionTimeoutMs = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS
  return {
    ...fetching(options, group),
    'partition.assignment.strategy': 'cooperative-sticky',
    'session.timeout.ms': sessionTimeoutMs,
    'heartbeat.interval.ms': Math.min(HEARTBEAT_MS, Math.floor(sessionTimeoutMs / 4)),
    'max.poll.interval.ms': Math.max(POLL_INTERVAL_MAX_MS, sessionTimeoutMs),
    'fetch.message.max.bytes': maxBytesPerPartition,
    'fetch.wait.max.ms': 100,
  }
}

/** Reads partitions that it is given, without a group. Looks offsets up too. */
export function readerConfig (options: KafkaOptions): ConsumerGlobalConfig {
  return { ...fetching(options, `${options.clientId}-reader`), 'fetch.wait.max.ms': READER_FETCH_WAIT_MS }
}

function fetching (options: KafkaOptions, group: string): ConsumerGlobalConfig {
  return {
    ...common(options),
    'group.id': group,
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    'isolation.level': 'read_committed',
    'enable.partition.eof': true,
    'check.crcs': true,
    'fetch.error.backoff.ms': 50,
    'fetch.queue.backoff.ms': 5,
    'queued.min.messages': 100_000,
    'queued.max.messages.kbytes': 65_536,
  }
}

export function producerConfig (options: KafkaOptions): ProducerGlobalConfig {
  return { ...producing(options), 'linger.ms': 2, dr_cb: true }
}

/** A record that could not be sent in this time is reported as failed. A transaction has a timeout of its own. */
export function producerTopicConfig (options: KafkaOptions): ProducerTopicConfig { return { 'message.timeout.ms': options.requestTimeoutMs } }

export function transactionConfig (options: KafkaOptions, transactionalId: string): ProducerGlobalConfig {
  const timeoutMs = transactionTimeoutOf(options)
  return { ...producing(options), 'linger.ms': 5, 'transactional.id': transactionalId, 'transaction.timeout.ms': timeoutMs, 'socket.timeout.ms': Math.min(options.requestTimeoutMs, timeoutMs), 'delivery.report.only.error': true }
}

/** The library wants every other timeout within the transaction's. */
export function transactionTopicConfig (options: KafkaOptions): ProducerTopicConfig { return { 'message.timeout.ms': Math.min(options.requestTimeoutMs, transactionTimeoutOf(options)) } }

function transactionTimeoutOf ({ transactionTimeoutMs }: KafkaOptions): number { return Math.min(transactionTimeoutMs, TRANSACTION_TIMEOUT_MAX_MS) }

/** Idempotence implies acks=all. */
function producing (options: KafkaOptions): ProducerGlobalConfig {
  return {
    ...common(options),
    'enable.idempotence': true,
    'compression.codec': options.compression,
    'message.max.bytes': BATCH_BYTES_MAX,
    'batch.num.messages': 10_000,
    'queue.buffering.max.messages': 500_000,
    'queue.buffering.max.kbytes': 262_144,
  }
}
