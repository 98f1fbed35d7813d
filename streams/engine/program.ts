import type { RecordSink, Run } from '../log/index.ts'
import type { ArrivalTimeMs } from '../time/index.ts'
import type { Marker, SnapshotRound, SnapshotRow } from './snapshots/index.ts'

export interface RefusedRecord { readonly cause: string, readonly detail: string, readonly partition: number, readonly offset: number, readonly at: ArrivalTimeMs, readonly raw: Buffer }

/** A record that an output becomes; it goes to the input's partition (modulo the topic's partitions) with the output's time. */
export interface OutputRecord { readonly topic: string, readonly key: Buffer | null, readonly value: Buffer }

/** Where a batch's outputs go, by topic: this partition's part of the open transaction, that of `key`'s partition, or nowhere in a replay. */
export type Outputs = (topic: string, key?: Buffer) => RecordSink

/** A run on its way through the loop: stepped once, then its effects, then its outputs. */
export interface ProgramBatch {
  /** Records taken so far, and outputs made of them. */
  readonly count: number
  readonly outputs: number
  readonly refused: readonly RefusedRecord[]
  /** Readings that came after the last correction of a window of theirs, and event times that were ahead of their arrival. */
  readonly late?: number
  readonly clamped?: number
  /** Steps records until the end (undefined) or until one needs something first: await that and call again. Throws PoisonError. */
  step (out: Outputs): Promise<void> | undefined
  /** Idempotent by (partition, offset, index); before the commit, so it may happen again after a crash. */
  effects? (): Promise<void>
  /** Writes the outputs that `step` has not written yet. */
  write (out: Outputs): void
}

/** All keys of one partition under one processor: the engine's view of an object per key (`keyedProcessor`) and of columns (`windows`) alike. */
export interface PartitionProgram<Batch extends ProgramBatch = ProgramBatch> {
  readonly keys: number
  readonly dirtyKeys: number
  /** Running maximum of the arrival times. */
  readonly clock: ArrivalTimeMs
  /** When a tick would next do something. */
  earliestDue (): ArrivalTimeMs | undefined
  /** Puts rows back; the replay goes on from `marker`. */
  restore (rows: Iterable<SnapshotRow>, marker: Marker): void
  /** Up to `rowsMax` of the rows that have been dirty longest, until they have `bytesMax`, as of `stamp` (the next offset to process; everything below is committed). */
  snapshot (stamp: number, rowsMax: number, bytesMax?: number): SnapshotRound
  /** The owner of the partition, of which this is a warm copy, has stored the key's row as of `stamp`: changes below it are no longer dirty. */
  stored? (key: string, stamp: number, clock: ArrivalTimeMs): void
  /** Takes in the records of a run whose offsets are below `below`. The run's buffers stay valid until the next poll. */
  open (run: Run, below: number): Batch
}

/** What the loop runs: a stream's name and input, and how to make the program of a partition. */
export interface ProcessorDefinition<Batch extends ProgramBatch = ProgramBatch> {
  /** Also the consumer group and the head of the transactional id; a published name never changes. */
  readonly name: string
  readonly input: string
  /** Whose snapshots, and which version of their bytes: those of another version are built again from the log. */
  readonly snapshots: { readonly name: string, readonly version: number }
  program (partition: number, poison: ReadonlySet<string>): PartitionProgram<Batch>
  /** Asynchronous, pure and batched over all partitions: completes what the steps need. Runs again in a replay. */
  prepare? (batches: readonly Batch[]): Promise<void>
  deadLetter (refused: RefusedRecord): OutputRecord
  /** Topics that get this processor's clock as ticks, so that what stands behind it sees silence too. */
  readonly tickTopics: readonly string[]
  /** The tick record; with `ownsTicks`, also appended to the input when a partition is silent. */
  readonly tick: Buffer
  readonly ownsTicks: boolean
}
