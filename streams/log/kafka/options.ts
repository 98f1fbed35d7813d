import type { Clock, DurationMs } from '../../time/index.ts'

/** `auto`: `direct` where the brokers allow it, else `native`; the reason is told. */
export type KafkaDriver = 'auto' | 'direct' | 'native'

/** PEM, as bytes. With none of them the connection is encrypted and the broker is checked against the machine's own authorities. */
export interface KafkaTls {
  readonly ca?: Buffer
  /** The client's own certificate, with its key: mutual TLS. */
  readonly cert?: Buffer
  readonly key?: Buffer
  /** The name that the certificate must have, where it is not the host's. */
  readonly servername?: string
}

export interface OauthToken { readonly token: string, readonly expiresAtMs: number }

export type KafkaSasl =
  | { readonly kind: 'plain' | 'scram-sha-256' | 'scram-sha-512', readonly username: string, readonly password: string }
  | { readonly kind: 'oauthbearer', readonly token: () => Promise<OauthToken> }

export type KafkaCompression = 'none' | 'lz4' | 'zstd'

/** How to reach a Kafka cluster, and how its topics are kept: the same for both drivers and for the administration. */
export interface KafkaOptions {
  /** `host:port`; any that answers leads to the others. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly driver: KafkaDriver
  readonly tls?: KafkaTls
  readonly sasl?: KafkaSasl
  /** Replicas of each partition of a topic that is created, and at least as many of one that is checked. */
  readonly replication: number
  /** Replicas that must have a record before it is acknowledged. */
  readonly minInsyncReplicas: number
  /** Of what is written; whatever is read may be compressed in any way that Kafka knows. */
  readonly compression: KafkaCompression
  /** How long a member may be silent before its partitions go to others. Under KIP-848 the brokers decide (group.consumer.session.timeout.ms) and this is not used. */
  readonly sessionTimeoutMs?: DurationMs
  /** How long a transaction may stay open before the brokers abort it (transaction.timeout.ms). */
  readonly transactionTimeoutMs: DurationMs
  /** How long to wait for the answer to one request, and how long to try again before a failure is told. */
  readonly requestTimeoutMs: DurationMs
  readonly clock: Clock
}

/** The largest record that the log takes; the embedded log has the same limit. */
export const RECORD_BYTES_MAX: number = 16 << 20
/** A batch of one such record with its headers: what topics must take (`max.message.bytes`). */
export const BATCH_BYTES_MAX: number = RECORD_BYTES_MAX + (64 << 10)

/** What holds where nothing else is said. Times in milliseconds. */
export const KAFKA_DEFAULTS: {
  readonly clientId: string
  readonly driver: KafkaDriver
  readonly replication: number
  readonly minInsyncReplicas: number
  readonly compression: KafkaCompression
  readonly transactionTimeoutMs: DurationMs
  readonly requestTimeoutMs: DurationMs
} = {
  clientId: 'latido',
  driver: 'auto',
  replication: 3,
  minInsyncReplicas: 2,
  compression: 'lz4',
  transactionTimeoutMs: 60_000,
  requestTimeoutMs: 30_000,
}
