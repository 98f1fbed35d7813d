import { readInt64 } from '../../codec/index.ts'
import type { ArrivalTimeMs } from '../../time/index.ts'
import type { TopicSpec } from '../port.ts'
import type { BlockStore } from './block-store.ts'

/** What is known of one partition between reads: the end that readers see, the end that writers append at, the last stamp. */
export interface Partition {
  readonly topicIndex: number
  readonly spec: TopicSpec
  readonly partition: number
  /** Committed and durable; readers stop here. */
  visibleEnd: number
  /** Reserved by appends in flight. */
  appendEnd: number
  lastTimestamp: ArrivalTimeMs
  start: number
}

/** Reads the ends of a partition from its first and last block. */
export function recoverPartition (store: BlockStore, topicIndex: number, spec: TopicSpec, partition: number): Partition {
  const last = store.last(topicIndex, partition)
  const end = last === undefined ? 0 : last.base + last.bytes.readInt32BE(23) + 1
  return { topicIndex, spec, partition, visibleEnd: end, appendEnd: end, lastTimestamp: last === undefined ? 0 : readInt64(last.bytes, 35), start: store.first(topicIndex, partition) ?? end }
}
