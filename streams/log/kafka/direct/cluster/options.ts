import type { SecureVersion } from 'node:tls'
import type { Clock, DurationMs } from '../../../../time/index.ts'
import type { KafkaSasl, KafkaTls } from '../../options.ts'

/** How to reach the brokers. */
export interface ClusterOptions {
  /** Bootstrap: `host:port`; tried in turn until one answers. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls?: KafkaTls
  readonly sasl?: KafkaSasl
  readonly clock: Clock
  /** In [0, 1): spreads reconnects and picks brokers. */
  readonly random: () => number
  readonly limits: ClusterLimits
}

/** Times in milliseconds, sizes in bytes. */
export interface ClusterLimits {
  /** From handing a request over to its answer, with reconnects; also how long an error that passes is waited out. */
  readonly requestTimeoutMs: DurationMs
  /** TCP and TLS handshake with one address. */
  readonly connectTimeoutMs: DurationMs
  /** An unused connection is closed; brokers do the same after 10 minutes, and a request that crosses it would be lost. */
  readonly connectionIdleMaxMs: DurationMs
  /** Metadata older than this is asked for again. */
  readonly metadataMaxAgeMs: DurationMs
  /** Between tries; doubles up to the maximum, spread by a fifth either way. */
  readonly retryBackoffMinMs: DurationMs
  readonly retryBackoffMaxMs: DurationMs
  /** A larger answer is taken for damage. Kafka's own limit for requests is 100 MiB. */
  readonly frameBytesMax: number
  readonly tlsMinVersion: SecureVersion
}

/** What holds where nothing else is said: Kafka's own values, except TLS (1.2 there) and the first backoff. */
export const CLUSTER_LIMITS: ClusterLimits = {
  requestTimeoutMs: 30_000,
  connectTimeoutMs: 10_000,
  connectionIdleMaxMs: 540_000,
  metadataMaxAgeMs: 300_000,
  retryBackoffMinMs: 50,
  retryBackoffMaxMs: 1_000,
  frameBytesMax: 128 * 1024 * 1024,
  tlsMinVersion: 'TLSv1.3',
}

export interface Address { readonly host: string, readonly port: number }

export function showAddress ({ host, port }: Address): string { return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` }
