import { snapshotTopic } from '../../../streams/engine/index.ts'
import { TOPICS, topicSpecs } from '../../../streams/events/index.ts'
import type { TopicSpec } from '../../../streams/log/index.ts'
import type { Config } from '../../config/index.ts'

/** Each processor and its input: on a cluster its snapshots travel in a topic with as many partitions. */
const SNAPSHOTS: readonly (readonly [processor: string, input: string])[] = [
  ['latido-features', TOPICS.events], ['latido-members', TOPICS.features], ['latido-groups', TOPICS.entities], ['latido-rekey', TOPICS.events], ['latido-device-features', TOPICS.entities], ['latido-encounter-features', TOPICS.entities],
  ['latido-inference', TOPICS.features], ['latido-drift-counts', TOPICS.features], ['latido-drift', TOPICS.driftCounts],
]

/** The topics of the product on a cluster, without the prefix. */
export function clusterTopics (config: Pick<Config, 'partitions' | 'retentionMs'>): readonly TopicSpec[] {
  const specs = topicSpecs(config)
  return [...specs, ...SNAPSHOTS.map(([processor, input]) => snapshotTopic(processor, specs.find(({ name }) => name === input)?.partitions ?? config.partitions))]
}
