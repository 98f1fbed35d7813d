import type { BatchSpan } from '../../../../codec/index.ts'
import type { TopicPartition } from '../../../port.ts'
import { nameOf } from '../../../partition-name.ts'

/** Fetched and looked at, and not yet taken. */
export interface Waiting { readonly from: number, readonly spans: BatchSpan[], nextOffset: number, bytes: number }

/** How far one partition has been fetched. */
export interface Position extends TopicPartition {
  readonly name: string
  readonly topicId: string
  /** The next offset to fetch. */
  offset: number
  /** Something before `offset` has been processed, or the caller asked for just this offset: if it is gone, records are lost. */
  counted: boolean
  /** The leader's epoch of the last batch taken, -1 for none. */
  lastEpoch: number
  /** Fetching may begin. */
  ready: boolean
  /** Counts seeks: an answer to an older question is dropped. */
  version: number
  waiting: Waiting | undefined
  /** Not to be fetched before, by the monotonic clock. */
  notBeforeMs: number
  /** Answers in a row that were damaged. */
  damagedAnswers: number
  maxBytes: number
}

export function newPosition (of: TopicPartition & { readonly topicId: string }, offset: number, counted: boolean, maxBytes: number): Position {
  return { topic: of.topic, partition: of.partition, topicId: of.topicId, name: nameOf(of), offset, counted, maxBytes, lastEpoch: -1, ready: false, version: 0, waiting: undefined, notBeforeMs: 0, damagedAnswers: 0 }
}
