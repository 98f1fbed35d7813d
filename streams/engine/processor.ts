import type { Log, RecordCursor } from '../log/index.ts'
import type { ArrivalTimeMs, Clock } from '../time/index.ts'
import type { Emitted } from './keyed-machine.ts'
import type { EngineOptions } from './options.ts'
import type { SnapshotStore } from './snapshot-store.ts'
import type { StateMachine } from './state-machine.ts'

/** A record as decoded for a machine. */
export type Input<In> =
  | { readonly kind: 'record', readonly key: string, readonly value: In }
  | { readonly kind: 'tick' }
  | { readonly kind: 'refused', readonly cause: string, readonly detail: string }

/** A record that an output becomes; it goes to the input's partition (modulo the topic's partitions) with the output's time. */
export interface OutputRecord { readonly topic: string, readonly key: Buffer | null, readonly value: Buffer }

export interface RefusedRecord { readonly cause: string, readonly detail: string, readonly partition: number, readonly offset: number, readonly at: ArrivalTimeMs, readonly raw: Buffer }

/** A state machine in the stream: where its input comes from and what becomes of its outputs. */
export interface Processor<State, In, Out> {
  /** Also the consumer group and the head of the transactional id; a published name never changes. */
  readonly name: string
  readonly input: string
  readonly machine: StateMachine<State, In, Out>
  decode (record: RecordCursor): Input<In>
  /** Asynchronous, pure and batched: may complete the decoded values (model scores). Runs again in a replay. */
  prepare? (batch: readonly In[]): Promise<void>
  records (emitted: Emitted<Out>): readonly OutputRecord[]
  /** Idempotent by (partition, offset, index); happens before the commit, so it may happen again after a crash. */
  effects? (emitted: readonly Emitted<Out>[], partition: number): Promise<void>
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
