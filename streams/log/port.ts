import type { ArrivalTimeMs, DurationMs } from '../time/index.ts'

/** What a topic is; kept with the log, checked at each start. */
export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** `append`: the log stamps each record as it arrives (Kafka LogAppendTime). `create`: the producer brings the arrival time. */
  readonly timestamps: 'append' | 'create'
  /** Blocks whose newest record is older than this go; 0 keeps all. */
  readonly retentionMs: DurationMs
  /** `compact`: only the newest record of a key must be kept. Default `delete`. The embedded log keeps all. */
  readonly cleanup?: 'delete' | 'compact'
}

export interface TopicPartition { readonly topic: string, readonly partition: number }

export interface RecordHeader { readonly key: string, readonly value: Buffer | null }

/**
 * Walks the records of a run in offset order, with no object per record: the fields are valid until the next `next()`.
 * Key and value are byte ranges of a buffer; a null key or value has a start of -1.
 */
export interface RecordCursor {
  /** Moves to the next record; false at the end. */
  next (): boolean
  readonly offset: number
  readonly timestamp: ArrivalTimeMs
  readonly keyBuffer: Buffer
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueBuffer: Buffer
  readonly valueStart: number
  readonly valueEnd: number
  /** Decoded when asked for; most records have none. */
  headers (): readonly RecordHeader[]
}

/** Records of one partition, as fetched; may be empty of records (control batches) and still move `nextOffset` on. */
export interface Run extends TopicPartition {
  readonly records: RecordCursor
  /** The offset to commit when every record of this run has been processed. */
  readonly nextOffset: number
}

export interface OutRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Used by topics with `create` timestamps; ignored by `append` ones. */
  readonly timestamp?: ArrivalTimeMs
  readonly headers?: readonly RecordHeader[]
}

/** Takes records as byte ranges and copies them; a start of -1 is a null key or value. No object per record. */
export interface RecordSink {
  add (timestamp: ArrivalTimeMs, key: Buffer, keyStart: number, keyEnd: number, value: Buffer, valueStart: number, valueEnd: number): void
}

export interface Appended { readonly baseOffset: number, readonly timestamp: ArrivalTimeMs }

/** Appends outside transactions. The promise resolves when the log has the records (durably, Kafka's acks=all). */
export interface Producer extends AsyncDisposable {
  append (to: TopicPartition, records: readonly OutRecord[]): Promise<Appended>
}

/** Identity of a consumer in its group; a transaction that commits offsets is fenced by it. */
export interface GroupMetadata { readonly group: string, readonly memberId: string, readonly generation: number }

export interface OffsetCommit extends TopicPartition { readonly offset: number }

/**
 * Outputs and input offsets, whole or not at all. One transaction is open at a time; the next begins by itself.
 * Opening a second producer with the same transactional id fences the first: its commit throws PRODUCER_FENCED.
 */
export interface TransactionalProducer extends AsyncDisposable {
  append (to: TopicPartition, records: readonly OutRecord[]): void
  /** The same for a hot path; valid until the next `commit` or `abort`. */
  sink (to: TopicPartition): RecordSink
  /** Throws MEMBER_FENCED if `group`'s generation is not the current one or a partition is no longer its own. */
  commit (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void>
  abort (): Promise<void>
}

export interface ConsumerOptions {
  readonly group: string
  /** Names this member for its life; a fresh one at each start. A member's transactional id is `group.instance`, so that an heir can end what the dead one left open. */
  readonly instance: string
  readonly topics: readonly string[]
  /** Where a partition starts that has no committed offset. */
  readonly from: 'earliest' | 'latest'
  /** Called inside `poll`, before records of the new partitions are handed over. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => Promise<void>
  /** Called inside `poll`, while the partitions are still this member's: commit, close, release. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => Promise<void>
  readonly maxBytesPerPartition?: number
}

/** A member of a consumer group; sees committed records only (read_committed). Not safe for concurrent polls. */
export interface Consumer extends AsyncDisposable {
  /** Waits up to `maxWaitMs` for records. */
  poll (maxWaitMs: DurationMs): Promise<readonly Run[]>
  seek (partition: TopicPartition, offset: number): void
  committed (partition: TopicPartition): Promise<number | undefined>
  /** Commits offsets outside a transaction, for sinks that are idempotent. Fenced like a transaction. */
  commit (offsets: readonly OffsetCommit[]): Promise<void>
  assignment (): readonly TopicPartition[]
  readonly metadata: GroupMetadata
}

/** Reads one partition from an offset to its present end, without a group: recovery, replay, inspection. */
export interface PartitionReader {
  /** The next run, or undefined at the end of what is committed. */
  next (): Promise<Run | undefined>
}

export interface PartitionRange { readonly start: number, readonly end: number }

/** The log. Semantics are Kafka's: partitions, consumer groups, read_committed, fenced transactions. */
export interface Log extends AsyncDisposable {
  /** Creates what is missing; throws TOPIC_MISMATCH where an existing topic differs in a way that breaks order or time. */
  ensureTopics (specs: readonly TopicSpec[]): Promise<void>
  topics (): readonly TopicSpec[]
  /** Throws TOPIC_UNKNOWN. */
  partitionsOf (topic: string): number
  /** First kept offset, and the offset after the last committed record. */
  range (partition: TopicPartition): Promise<PartitionRange>
  producer (): Producer
  transactionalProducer (transactionalId: string): Promise<TransactionalProducer>
  consumer (options: ConsumerOptions): Consumer
  reader (partition: TopicPartition, fromOffset: number): PartitionReader
  /** Committed offset of a group, for lag. */
  committedOffset (group: string, partition: TopicPartition): Promise<number | undefined>
  /** Deletes what retention allows as of `now` (the clock's time unless given: a replay has the time of its recording); answers how many records went. */
  enforceRetention (now?: ArrivalTimeMs): Promise<number>
}
