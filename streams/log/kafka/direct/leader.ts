import { LatidoError } from '../../../errors/index.ts'
import type { TopicPartition } from '../../port.ts'
import { ERROR_CODE, KafkaError, type PartitionMetadata } from './cluster/index.ts'
import type { Direct } from './direct.ts'

/** Who leads a partition now. Throws TOPIC_UNKNOWN, or LEADER_NOT_AVAILABLE as an error that passes. */
export async function leaderOf (direct: Direct, of: TopicPartition): Promise<PartitionMetadata> {
  const topic = await direct.cluster.topic(of.topic)
  if (topic === undefined) throw unknownTopic(of.topic)
  const found = topic.partitions.find(p => p.partition === of.partition)
  if (found === undefined) throw new LatidoError('TOPIC_UNKNOWN', `topic ${of.topic} has no partition ${of.partition}`, 'check the number of partitions')
  if (found.leader < 0) {
    await direct.cluster.refresh([of.topic])
    throw new KafkaError(ERROR_CODE.LEADER_NOT_AVAILABLE, 'Metadata')
  }
  return found
}

/** From the cache alone. */
export function cachedLeader (direct: Direct, { topic, partition }: TopicPartition): PartitionMetadata | undefined {
  const partitions = direct.cluster.cachedTopic(topic)?.partitions
  const there = partitions?.[partition]
  const found = there?.partition === partition ? there : partitions?.find(p => p.partition === partition)
  return found === undefined || found.leader < 0 ? undefined : found
}

export function unknownTopic (topic: string): LatidoError { return new LatidoError('TOPIC_UNKNOWN', `there is no topic ${topic}`, 'check the name; topics are created at start') }
