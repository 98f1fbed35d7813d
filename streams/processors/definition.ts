import type { AvroRecord, FlyweightOf } from '../codec/index.ts'
import type { OutputRecord, ProcessorDefinition, RefusedRecord, StateMachine } from '../engine/index.ts'
import type { Clock, Duration } from '../time/index.ts'
import type { JoinMachine, WindowMachine } from '../windows/index.ts'
import type { WindowOutput } from './output.ts'
import type { Schemas } from './schemas.ts'

/** A topic of Avro records in Confluent's wire format: `schema` is the reader's, the writer's is found by the id that stands before each value. */
export interface AvroTopic<S extends AvroRecord = AvroRecord> { readonly topic: string, readonly schema: S }
/** The fields that make the key, of which all that they name belongs together. */
export interface KeyFields<K extends string = string> { readonly fields: readonly K[] }

type FieldsOf<S> = S extends { readonly fields: infer F extends readonly { readonly name: string, readonly type: unknown }[] } ? F[number] : never
type Bare<T> = T extends readonly unknown[] ? Exclude<T[number], 'null'> : T extends { readonly type: infer Inner } ? Inner : T
/** Names of the fields that are numbers, and of those that are texts. */
export type NumberField<S> = { [F in FieldsOf<S> as Bare<F['type']> extends 'int' | 'long' | 'float' | 'double' | 'boolean' ? F['name'] : never]: true } extends infer R ? keyof R & string : never
export type TextField<S> = { [F in FieldsOf<S> as Bare<F['type']> extends 'string' | 'bytes' ? F['name'] : never]: true } extends infer R ? keyof R & string : never

/** What every processor has. */
export interface Common {
  /** Also the consumer group, and what snapshots are kept under: a published name never changes. */
  readonly name: string
  /** Gets what cannot be taken: `name.dead-letters` unless given. A function makes the record of it. */
  readonly deadLetters?: string | ((refused: RefusedRecord) => OutputRecord)
  /** Topics that get this processor's clock as ticks (records without key and value), so that what stands behind them sees silence too. */
  readonly tickTopics?: readonly string[]
  /** This processor appends a tick to its input when a partition is silent. One processor of a topic does. */
  readonly ownsTicks?: boolean
}

export interface WindowProcessor<S extends AvroRecord, K extends string, E extends string, V extends string, N extends string> extends Common {
  readonly input: AvroTopic<S>
  readonly key: KeyFields<K>
  readonly machine: WindowMachine<E, V, N>
  readonly output: WindowOutput<NoInfer<K>, NoInfer<N>>
  /** Gets the readings that came after the last correction of one of their windows, as they came. Counted in any case. */
  readonly late?: string
  /** How far an event time may be ahead of its arrival: it then becomes the arrival time, and is counted; beyond that the record is refused. 5 m unless given. */
  readonly skew?: Duration
}

export interface MachineProcessor<S extends AvroRecord, K extends string, State, Out> extends Common {
  readonly input: AvroTopic<S>
  readonly key: KeyFields<K>
  /** Its input is one flyweight for all records: what it keeps of it, it copies. */
  readonly machine: StateMachine<State, FlyweightOf<S>, Out>
  /** `json`: what is written of an output, by default the output itself. */
  readonly output: { readonly topic: string, readonly json?: (out: NoInfer<Out>, key: string) => unknown }
}

/** One topic with the records of two streams, told apart by the names of their schemas; see `mergeTopics`. */
export interface MergedTopic<L extends AvroRecord = AvroRecord, R extends AvroRecord = AvroRecord> { readonly topic: string, readonly left: L, readonly right: R }

export interface JoinProcessor<L extends AvroRecord, R extends AvroRecord, K extends string, E extends string, Kind extends 'inner' | 'left'> extends Common {
  readonly input: MergedTopic<L, R>
  /** Fields that both sides have. */
  readonly key: KeyFields<K>
  readonly machine: JoinMachine<E, Kind>
  /** `json`: what is written of a pair. A left join has no right side where there was none. */
  readonly output: { readonly topic: string, readonly json: (left: FlyweightOf<L>, right: FlyweightOf<R> | (Kind extends 'left' ? undefined : never)) => unknown }
  readonly late?: string
  readonly skew?: Duration
}

/** A processor as it was written. `open` gives it schemas; then `startProcessor` runs it. */
export interface DefinedProcessor<S extends AvroRecord = AvroRecord> {
  readonly name: string
  readonly input: string
  /** What its input carries. */
  readonly schemas: readonly S[]
  open (schemas: Schemas, clock?: Clock): Promise<ProcessorDefinition>
}

export function avroTopic<const S extends AvroRecord> (topic: string, schema: S): AvroTopic<S> { return { topic, schema } }
export function fields<const K extends string> (...names: readonly K[]): KeyFields<K> { return { fields: names } }
/** The topic that `mergeTopics` fills, with the schema of each side; their names differ. */
export function merged<const L extends AvroRecord, const R extends AvroRecord> (topic: string, left: L, right: R): MergedTopic<L, R> { return { topic, left, right } }
