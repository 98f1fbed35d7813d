import type { TopicSpec } from '../../port.ts'
import { BATCH_BYTES_MAX } from '../options.ts'

/** A long's largest value: no limit. */
const UNLIMITED = '9223372036854775807'

/** What the cluster should keep of each topic's records. */
export interface Durability { readonly replication: number, readonly minInsyncReplicas: number }

/** A topic as the cluster has it; `config` is what holds, wherever it was set. */
export interface ActualTopic {
  readonly name: string
  readonly partitions: number
  /** The fewest replicas that any partition has. */
  readonly replication: number
  readonly config: ReadonlyMap<string, string>
  /** What was set on the topic itself: an alteration has to say it again. */
  readonly own: ReadonlyMap<string, string>
}

export interface ActualTopics {
  readonly brokers: number
  readonly topics: ReadonlyMap<string, ActualTopic>
  /** Brokers before 3.6 do not know `message.timestamp.after.max.ms`, and refuse a topic that sets it. */
  readonly limitsTimestamps: boolean
}

/**
 * Topic settings that a specification asks for, by Kafka's names.
 * A topic whose producer brings the time is kept for ever: Kafka compares `retention.ms` with the records' own timestamps,
 * so it would delete the recording that a replay writes while it is written. What is too old there is trimmed by offset (`trimTopics`).
 */
export function wantedConfig (spec: TopicSpec, durability: Durability, limitsTimestamps: boolean): ReadonlyMap<string, string> {
  const config = new Map<string, string>([
    ['message.timestamp.type', spec.timestamps === 'append' ? 'LogAppendTime' : 'CreateTime'],
    ['cleanup.policy', spec.cleanup ?? 'delete'],
    ['retention.ms', keepsAll(spec) ? '-1' : String(spec.retentionMs)],
    ['retention.bytes', '-1'],
    ['min.insync.replicas', String(Math.min(durability.minInsyncReplicas, durability.replication))],
    ['unclean.leader.election.enable', 'false'],
    ['max.message.bytes', String(BATCH_BYTES_MAX)],
  ])
  if (spec.timestamps === 'create' && limitsTimestamps) {
    config.set('message.timestamp.before.max.ms', UNLIMITED)
    config.set('message.timestamp.after.max.ms', UNLIMITED)
  }
  return config
}

/** Whether the broker must delete nothing by age. */
export function keepsAll (spec: TopicSpec): boolean { return spec.timestamps === 'create' || spec.retentionMs === 0 }
