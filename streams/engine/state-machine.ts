import type { ArrivalTimeMs } from '../time/index.ts'

/** A record as a machine sees it: `arrival` is the partition's clock, which never goes back. */
export interface Stamped<In> { readonly kind: 'record', readonly value: In, readonly arrival: ArrivalTimeMs, readonly offset: number }

/** Time has passed: `at` is the due time the machine asked for, whenever the clock got there, so other keys change nothing. */
export interface Tick { readonly kind: 'tick', readonly at: ArrivalTimeMs }

/** A merge as a machine sees it: when, by the partition's clock. */
export interface Merging { readonly arrival: ArrivalTimeMs, readonly offset: number }

export type Emit<Out> = (out: Out) => void

/** Bytes of a state. A snapshot of another version is not read: the state is then built again from the log. */
export interface StateCodec<State> {
  readonly version: number
  encode (state: State): Buffer
  /** The state is its own: it must not live on in `bytes`. */
  decode (bytes: Buffer): State
}

/** One key's life. Synchronous, deterministic, no effects: outputs are emitted as data. A state may be changed in place. */
export interface StateMachine<State, In, Out> {
  readonly name: string
  empty (key: string): State
  step (state: State, input: Stamped<In> | Tick, emit: Emit<Out>): void
  /** Earliest arrival time at which a tick would do something; the engine calls nobody before. Never before the record just stepped, and rises with each tick. */
  nextDue (state: State): ArrivalTimeMs | undefined
  readonly codec: StateCodec<State>
  /** True for a state like that of a key never seen: its row then goes. */
  isEmpty? (state: State): boolean
  /** The key is merged into another: what those behind are told. Its state is handed over after this. */
  leave? (state: State, merge: Merging & { readonly survivor: string }, emit: Emit<Out>): void
  /** Takes in `from`, which another key of the same patient held. Without this, merges are passed over. */
  merge? (state: State, from: State, merge: Merging, emit: Emit<Out>): void
}
