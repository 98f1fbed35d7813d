import { randomInt } from 'node:crypto'
import type { KafkaOptions } from '../../options.ts'
import { CLUSTER_LIMITS, type ClusterLimits, type ClusterOptions } from './options.ts'

const STEPS = 2 ** 32

/** The cluster's part of the Kafka log's options. `limits` and `random` are for tests and for those who know. */
export function clusterOptions ({ brokers, clientId, tls, sasl, requestTimeoutMs, clock }: Pick<KafkaOptions, 'brokers' | 'clientId' | 'tls' | 'sasl' | 'requestTimeoutMs' | 'clock'>, limits: Partial<ClusterLimits> = {}, random: () => number = () => randomInt(STEPS) / STEPS): ClusterOptions {
  return { brokers, clientId, clock, random, limits: { ...CLUSTER_LIMITS, requestTimeoutMs, ...limits }, ...(tls === undefined ? {} : { tls }), ...(sasl === undefined ? {} : { sasl }) }
}
