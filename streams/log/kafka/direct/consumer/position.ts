import type { TopicPartition } from '../../../port.ts'
import type { FetchedPartition } from '../api/index.ts'

/** How far one partition has been handed over. */
export interface Position extends TopicPartition {
  readonly name: string
  readonly topicId: string
  /** The next offset to hand over. */
  offset: number
  /** Something before `offset` has been processed, or the caller asked for just this offset: if it is gone, records are lost. */
  counted: boolean
  /** The leader's epoch of the last batch taken, -1 for none. */
  lastEpoch: number
  /** Fetching may begin. */
  ready: boolean
  /** Counts seeks: an answer to an older question is dropped. */
  version: number
  /** Fetched, and not yet taken. */
  buffered: FetchedPartition | undefined
  /** Not to be fetched before, by the monotonic clock. */
  notBeforeMs: number
  /** Answers in a row that were damaged. */
  damagedAnswers: number
  maxBytes: number
}

export function newPosition (of: TopicPartition & { readonly topicId: string }, offset: number, counted: boolean, maxBytes: number): Position {
  return { topic: of.topic, partition: of.partition, topicId: of.topicId, name: `${of.topic}/${of.partition}`, offset, counted, maxBytes, lastEpoch: -1, ready: false, version: 0, buffered: undefined, notBeforeMs: 0, damagedAnswers: 0 }
}
