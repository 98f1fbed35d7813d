import type { Log, RecordCursor } from '../log/index.ts'
import type { Clock } from '../time/index.ts'
import type { Emitted } from './keyed-machine.ts'
import type { EngineOptions } from './options.ts'
import type { OutputRecord, Outputs, RefusedRecord } from './program.ts'
import type { Transfer } from './move.ts'
import type { SnapshotStore } from './snapshots/index.ts'
import type { StateMachine } from './state-machine.ts'

/** A record as decoded for a machine. `wait`: something must be learnt first (a schema); the record is then decoded again, and may not wait twice. */
export type Input<In> =
  | { readonly kind: 'record', readonly key: string, readonly value: In }
  | { readonly kind: 'tick' }
  /** `key` and `survivor` are one patient. */
  | { readonly kind: 'merge', readonly key: string, readonly survivor: string }
  /** What another key held, for `transfer.to`. */
  | { readonly kind: 'transfer', readonly transfer: Transfer }
  | { readonly kind: 'refused', readonly cause: string, readonly detail: string }
  | { readonly kind: 'wait', readonly ready: Promise<void> }

/** The effects of one batch. Idempotent by (partition, offset, index). */
export interface BatchEffects<Out> {
  /** Told of each output as it is emitted, after it was written; what is needed of it later is copied. */
  add (emitted: Emitted<Out>): void
  /** Before the commit, so it may happen again after a crash. */
  carryOut (): Promise<void>
}

/** A state machine in the stream: where its input comes from and what becomes of its outputs. */
export interface Processor<State, In, Out> {
  /** Also the consumer group and the head of the transactional id; a published name never changes. */
  readonly name: string
  readonly input: string
  readonly machine: StateMachine<State, In, Out>
  /** Without `prepare`, the value is used up before the next record is decoded: it may be one flyweight for all. */
  decode (record: RecordCursor): Input<In>
  /** Asynchronous, pure and batched: may complete the decoded values (model scores). Runs again in a replay. */
  prepare? (batch: readonly In[]): Promise<void>
  /** Writes the records that an output becomes, the moment it is emitted: the output may be one object for all. A record goes to the input's partition unless `out` is given a key. */
  write (emitted: Emitted<Out>, out: Outputs): void
  /** What a batch does beside the log; none in a replay. */
  effects? (partition: number): BatchEffects<Out>
  /** The value of a transfer on the input topic; needed where the machine can merge. */
  encodeTransfer? (transfer: Transfer): Buffer
  /** false: the later records of a key that was merged are sent on by another processor of the same input. Default true. */
  readonly forwards?: boolean
  /** Makes the dead letter of a record that this processor cannot take. */
  deadLetter (refused: RefusedRecord): OutputRecord
  /** Topics that get this processor's clock as ticks, so that the machines behind it see silence too. */
  readonly tickTopics: readonly string[]
  /** The tick record; with `ownsTicks`, also appended to the input when a partition is silent. */
  readonly tick: Buffer
  readonly ownsTicks: boolean
}

/** What a processor runs on. */
export interface ProcessorHost { readonly log: Log, readonly clock: Clock, readonly snapshots: SnapshotStore, readonly options?: Partial<EngineOptions>, readonly onChange?: (what: string) => void }
