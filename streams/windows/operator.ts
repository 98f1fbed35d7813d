import type { ArrivalTimeMs, EventTimeMs } from '../time/index.ts'

/** Why a result was emitted: its window closed, a reading came, a late reading changed what was said, or what was said is no window any more. */
export type Cause = 'close' | 'reading' | 'revision' | 'retraction'

/** One result; the same object each time, valid while `emit` runs. */
export class WindowResult {
  /** The key's place in the partition's columns. */
  slot = -1
  /** Half-open: [start, end). */
  start: EventTimeMs = 0
  end: EventTimeMs = 0
  /** 0 the first time that this window is emitted; each later emission of it counts up. */
  revision = 0
  cause: Cause = 'close'
  /** The partition's clock that made it due. */
  at: ArrivalTimeMs = 0
  /** The aggregates, in the order of their definition. */
  readonly values: Float64Array

  constructor (width: number) { this.values = new Float64Array(width) }
}

/** What an operator asks of the keys of its partition. */
export interface Keys {
  readonly count: number
  /** All slots in the order of their keys' bytes: results that are due at one time come in this order, whatever was restored first. */
  sorted (): Int32Array
  /** The same order, for two of them. */
  compare (a: number, b: number): number
  /** Asked before a slot closes something that was due at `due`: its restored row has done so already, or it is to be passed over. */
  skips (slot: number, due: ArrivalTimeMs): boolean
  /** Time alone has changed the state of a slot, so its row is dirty. */
  changed (slot: number): void
}


/** All keys of one partition under one window operator: columns by slot. Synchronous, deterministic, no effects. */
export interface WindowOperator {
  /** When `close` would next do something; Infinity: nothing is open. */
  readonly due: ArrivalTimeMs
  /** A reading of `slot`; `clock` is the partition's, and never less than `eventTime`. Answers how many windows were closed to it for good. */
  add (slot: number, eventTime: EventTimeMs, value: number, clock: ArrivalTimeMs): number
  /** Emits what is due at or before `clock`: earliest first, ties by key. */
  close (clock: ArrivalTimeMs): void
  /** The partition's clock as of a restore; nothing due at or before it is emitted again. */
  restoreClock (clock: ArrivalTimeMs): void
  /** The state of a slot; not a view of it. */
  save (slot: number, clock: ArrivalTimeMs): Buffer
  restore (slot: number, bytes: Buffer): void
}

export type EmitResult = (result: WindowResult) => void

/** The definition of an operator: makes one for a partition. */
export interface OperatorDefinition {
  /** Describes the operator and the layout of its state: a row of another one is not read. */
  readonly layout: string
  /** Names of the aggregates, in the order of `WindowResult.values`. */
  readonly names: readonly string[]
  open (keys: Keys, emit: EmitResult): WindowOperator
}
