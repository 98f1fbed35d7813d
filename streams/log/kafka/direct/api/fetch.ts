import type { Api, WireReader } from '../wire/index.ts'

/** Where to go on in one partition. */
export interface FetchPartition {
  readonly topicId: string
  readonly partition: number
  /** The leader's epoch as we know it; -1 when unknown. The broker answers FENCED or UNKNOWN_LEADER_EPOCH if it knows better (KIP-320). */
  readonly leaderEpoch: number
  readonly offset: number
  /** The leader's epoch of the last batch taken, -1 for none: the broker finds out whether the log was cut since (KIP-595's diverging epoch). */
  readonly lastFetchedEpoch: number
  readonly maxBytes: number
}

export interface FetchRequest {
  readonly maxWaitMs: number
  readonly maxBytes: number
  /** 0 with epoch 0 asks for a new session, 0 with epoch -1 for none (KIP-227). */
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly partitions: readonly FetchPartition[]
  readonly forgotten: readonly { readonly topicId: string, readonly partition: number }[]
}

export interface AbortedTransaction { readonly producerId: number, readonly firstOffset: number }

export interface FetchedPartition {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** The log now ends there for the epoch that we had last: what we took beyond is gone. -1 when it was not cut. */
  readonly divergingEndOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Batches, the last of them perhaps cut off: a range of `buffer`, which is the answer's. */
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
}

export interface FetchResponse { readonly errorCode: number, readonly sessionId: number, readonly partitions: readonly FetchedPartition[] }

const READ_COMMITTED = 1
const DIVERGING_EPOCH_TAG = 0
const NO_ABORTED: readonly AbortedTransaction[] = []

export const fetchApi: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  minVersion: 13,
  maxVersion: 17,
  flexibleFrom: 12,
  encode (w, r, version) {
    if (version < 15) w.int32(-1) // replica id: we are none
    w.int32(r.maxWaitMs).int32(1).int32(r.maxBytes).int8(READ_COMMITTED).int32(r.sessionId).int32(r.sessionEpoch)
    w.compactArray(byTopic(r.partitions), ([topicId, partitions]) => {
      w.uuid(topicId).compactArray(partitions, p => {
        w.int32(p.partition).int32(p.leaderEpoch).int64(p.offset).int32(p.lastFetchedEpoch).int64(-1).int32(p.maxBytes).tags()
      }).tags()
    })
    w.compactArray(byTopic(r.forgotten), ([topicId, partitions]) => { w.uuid(topicId).compactArray(partitions, p => { w.int32(p.partition) }).tags() })
    w.compactString('').tags()
  },
  decode (r) {
    r.int32()
    const errorCode = r.int16()
    const sessionId = r.int32()
    const partitions: FetchedPartition[] = []
    r.compactArray(() => {
      const topicId = r.uuid()
      r.compactArray(() => { partitions.push(fetchedPartition(r, topicId)) })
      r.tags()
    })
    r.tags()
    return { errorCode, sessionId, partitions }
  },
}

function fetchedPartition (r: WireReader, topicId: string): FetchedPartition {
  const partition = r.int32()
  const errorCode = r.int16()
  r.int64() // high watermark
  const lastStableOffset = r.int64()
  const logStartOffset = r.int64()
  const aborted = r.compactArray(() => {
    const one = { producerId: r.int64(), firstOffset: r.int64() }
    r.tags()
    return one
  })
  r.int32() // preferred read replica: we name no rack, so there is none
  const length = Math.max(r.uvarint() - 1, 0)
  const start = r.at
  r.at += length
  let divergingEndOffset = -1
  r.tags(tag => {
    if (tag !== DIVERGING_EPOCH_TAG) return
    r.int32()
    divergingEndOffset = r.int64()
  })
  return { topicId, partition, errorCode, lastStableOffset, logStartOffset, divergingEndOffset, aborted: aborted.length === 0 ? NO_ABORTED : aborted, buffer: r.buffer, start, end: start + length }
}

function byTopic<T extends { readonly topicId: string }> (items: readonly T[]): readonly (readonly [string, readonly T[]])[] {
  const topics = new Map<string, T[]>()
  for (const item of items) {
    const same = topics.get(item.topicId)
    if (same === undefined) topics.set(item.topicId, [item])
    else same.push(item)
  }
  return [...topics]
}
