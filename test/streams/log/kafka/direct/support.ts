import { vi } from 'vitest'
import { clusterOptions, type ClusterLimits, type ClusterOptions } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import type { KafkaSasl, KafkaTls } from '../../../../../streams/log/kafka/options.ts'
import { systemClock, type Clock } from '../../../../../streams/time/index.ts'

/** Options for tests: short backoffs, the middle of every random choice. */
export function testOptions (brokers: readonly string[], { clock = systemClock, limits = {}, tls, sasl }: { readonly clock?: Clock, readonly limits?: Partial<ClusterLimits>, readonly tls?: KafkaTls, readonly sasl?: KafkaSasl } = {}): ClusterOptions {
  return clusterOptions({ brokers, clientId: 'test', requestTimeoutMs: 60_000, clock, ...(tls === undefined ? {} : { tls }), ...(sasl === undefined ? {} : { sasl }) }, { retryBackoffMinMs: 5, retryBackoffMaxMs: 20, ...limits }, () => 0.5)
}

/** Until the check passes, with a deadline that a slow machine keeps too. */
export function eventually (check: () => void | Promise<void>): Promise<void> { return vi.waitFor(check, { timeout: 60_000, interval: 10 }) }
