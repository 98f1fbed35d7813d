import { isLatidoError } from '../../errors/index.ts'
import { fetchApi, heartbeatApi, offsetFetchApi, txnOffsetCommitApi } from './direct/api/index.ts'
import { clusterOptions, openCluster, type Cluster } from './direct/cluster/index.ts'
import type { KafkaOptions } from './options.ts'

/** Which driver serves a cluster, and why, in words for the operator. */
export interface Choice { readonly driver: 'direct' | 'native', readonly why: string }

/** Groups by the broker's own assignment (KIP-848) are a feature that a cluster finalises: Kafka 4.0 does it when it is made, older ones that are upgraded when told to. */
const GROUP_VERSION = 'group.version'
const NEEDED = [heartbeatApi, fetchApi, offsetFetchApi, txnOffsetCommitApi] as const

/** Asks the brokers what they speak. Throws what hinders any driver: BROKER_UNREACHABLE, BROKER_AUTHENTICATION_FAILED. */
export async function chooseDriver (options: KafkaOptions): Promise<Choice> {
  if (options.driver !== 'auto') return { driver: options.driver, why: `${options.driver} is configured` }
  try {
    await using cluster = await openCluster(clusterOptions(options))
    return chooseFor(cluster)
  } catch (e) {
    if (isLatidoError(e) && e.code === 'BROKER_TOO_OLD') return { driver: 'native', why: `the brokers are too old for direct: ${e.message}` }
    throw e
  }
}

export function chooseFor (cluster: Pick<Cluster, 'features' | 'versionOf'>): Choice {
  const lacking = NEEDED.find(api => cluster.versionOf(api) === undefined)
  if (lacking !== undefined) return { driver: 'native', why: `the brokers are too old for direct: not all of them speak ${lacking.name} in version ${lacking.minVersion}` }
  const level = cluster.features.get(GROUP_VERSION) ?? 0
  if (level < 1) return { driver: 'native', why: `the cluster has ${GROUP_VERSION} ${level}: direct needs 1 (kafka-features upgrade --feature ${GROUP_VERSION}=1)` }
  return { driver: 'direct', why: `the brokers speak all that direct needs, and the cluster has ${GROUP_VERSION} ${level}` }
}
