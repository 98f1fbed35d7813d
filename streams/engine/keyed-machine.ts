import { assert, messageOf } from '../errors/index.ts'
import type { ArrivalTimeMs } from '../time/index.ts'
import { DueQueue } from './due-queue.ts'
import type { Stamped, StateMachine, Tick } from './state-machine.ts'

/** A key's state with the offset that it includes: everything below `stamp` of its partition. */
export interface SnapshotRow { readonly key: string, readonly stamp: number, readonly clock: ArrivalTimeMs, readonly bytes: Buffer }
/** From here a replay finds everything that no row includes. */
export interface Marker { readonly offset: number, readonly clock: ArrivalTimeMs }

/** An output with its identity: the record that caused it and its place among that record's outputs. */
export interface Emitted<Out> { readonly key: string, readonly out: Out, readonly at: ArrivalTimeMs, readonly offset: number, readonly index: number }

/** A step that threw. `poison` names it, so that a replay passes over it and nothing else. */
export class PoisonError extends Error {
  readonly poison: string
  readonly key: string
  readonly offset: number
  constructor (poison: string, key: string, offset: number, cause: unknown) {
    super(messageOf(cause), { cause })
    this.poison = poison
    this.key = key
    this.offset = offset
  }
}

interface Entry<State> { state: State, seen: number }
interface Dirty { readonly since: Marker }

/**
 * All keys of one partition under one machine: the pure part of the engine. Feed it records in offset order; it keeps the partition's clock
 * (running maximum of arrival), fires what is due before each record, and knows which rows are dirty since which offset.
 */
export class KeyedMachine<State, In, Out> {
  readonly #machine: StateMachine<State, In, Out>
  readonly #entries = new Map<string, Entry<State>>()
  readonly #due = new DueQueue()
  readonly #dirty = new Map<string, Dirty>()
  readonly #poison: ReadonlySet<string>
  #clock: ArrivalTimeMs = 0

  constructor (machine: StateMachine<State, In, Out>, poison: ReadonlySet<string> = new Set()) {
    this.#machine = machine
    this.#poison = poison
  }

  get clock (): ArrivalTimeMs { return this.#clock }
  get keys (): number { return this.#entries.size }
  get dirtyKeys (): number { return this.#dirty.size }
  earliestDue (): ArrivalTimeMs | undefined { return this.#due.earliest() }
  state (key: string): State | undefined { return this.#entries.get(key)?.state }

  /** Puts rows back; replay goes on from `marker`. */
  restore (rows: Iterable<SnapshotRow>, marker: Marker): void {
    for (const { key, stamp, bytes } of rows) {
      const state = this.#machine.codec.decode(bytes)
      this.#entries.set(key, { state, seen: stamp })
      this.#due.set(key, this.#machine.nextDue(state))
    }
    this.#clock = marker.clock
  }

  /** Time moves on to `timestamp` by the record at `offset`; fires what is due. Answers false for a poisonous record, which is to be passed over. */
  record (offset: number, timestamp: ArrivalTimeMs, key: string, value: In, emit: (emitted: Emitted<Out>) => void): boolean {
    const before = this.#clock
    const collect = collector(offset, emit)
    this.#advance(offset, timestamp, before, collect)
    if (this.#poison.has(recordPoison(offset))) return false
    const entry = this.#entry(key)
    if (offset < entry.seen) return true
    const input: Stamped<In> = { kind: 'record', value, arrival: this.#clock, offset }
    this.#step(entry, key, input, offset, before, recordPoison(offset), collect)
    return true
  }

  tick (offset: number, timestamp: ArrivalTimeMs, emit: (emitted: Emitted<Out>) => void): void {
    this.#advance(offset, timestamp, this.#clock, collector(offset, emit))
  }

  /**
   * Takes up to `rowsMax` of the rows that have been dirty longest, as of `stamp` (the next offset to process), and the marker that holds
   * once they are stored. Call only when everything below `stamp` is committed.
   */
  snapshot (stamp: number, rowsMax: number): { readonly rows: readonly SnapshotRow[], readonly marker: Marker } {
    const rows: SnapshotRow[] = []
    for (const key of this.#dirty.keys()) {
      if (rows.length >= rowsMax) break
      const entry = this.#entries.get(key)!
      entry.seen = stamp
      rows.push({ key, stamp, clock: this.#clock, bytes: this.#machine.codec.encode(entry.state) })
    }
    for (const { key } of rows) this.#dirty.delete(key)
    const oldest = this.#dirty.values().next()
    return { rows, marker: oldest.done === true ? { offset: stamp, clock: this.#clock } : oldest.value.since }
  }

  #advance (offset: number, timestamp: ArrivalTimeMs, before: ArrivalTimeMs, collect: Collect<Out>): void {
    if (timestamp > this.#clock) this.#clock = timestamp
    for (let due = this.#due.take(this.#clock); due !== undefined; due = this.#due.take(this.#clock)) {
      const poison = tickPoison(due.key, due.at)
      if (this.#poison.has(poison)) continue
      const tick: Tick = { kind: 'tick', at: due.at }
      this.#step(this.#entry(due.key), due.key, tick, offset, before, poison, collect)
    }
  }

  #step (entry: Entry<State>, key: string, input: Stamped<In> | Tick, offset: number, before: ArrivalTimeMs, poison: string, collect: Collect<Out>): void {
    const at = input.kind === 'tick' ? input.at : input.arrival
    try {
      this.#machine.step(entry.state, input, out => { collect(key, out, at) })
    } catch (cause) {
      throw new PoisonError(poison, key, offset, cause)
    }
    const due = this.#machine.nextDue(entry.state)
    assert(input.kind !== 'tick' || due === undefined || due > input.at, `${this.#machine.name}: nextDue must rise with each tick`)
    this.#due.set(key, due)
    if (!this.#dirty.has(key)) this.#dirty.set(key, { since: { offset, clock: before } })
  }

  #entry (key: string): Entry<State> {
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { state: this.#machine.empty(key), seen: 0 }
      this.#entries.set(key, entry)
    }
    return entry
  }
}

type Collect<Out> = (key: string, out: Out, at: ArrivalTimeMs) => void

function collector<Out> (offset: number, emit: (emitted: Emitted<Out>) => void): Collect<Out> {
  let index = 0
  return (key, out, at) => { emit({ key, out, at, offset, index: index++ }) }
}

function recordPoison (offset: number): string { return `record ${offset}` }
function tickPoison (key: string, at: ArrivalTimeMs): string { return `tick ${at} ${key}` }
