import { assert, messageOf } from '../errors/index.ts'
import type { ArrivalTimeMs } from '../time/index.ts'
import { DueQueue } from './due-queue.ts'
import { isOldestOfCircle, type Hop, type Move, type Transfer } from './move.ts'
import type { Marker, SnapshotRound, SnapshotRow } from './snapshots/row.ts'
import type { Stamped, StateMachine, Tick } from './state-machine.ts'

export type { Marker, SnapshotRound, SnapshotRow } from './snapshots/row.ts'

/**
 * An output with its identity: the record that caused it and its place among that record's outputs. `through` is the first offset that is not
 * in it: that record's own, where it only moved the clock.
 */
export interface Emitted<Out> { readonly key: string, readonly out: Out, readonly at: ArrivalTimeMs, readonly offset: number, readonly index: number, readonly through: number }

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

interface Entry<State> {
  state: State | undefined
  /** A restored row that nobody has touched yet; it is decoded when somebody does. */
  row: SnapshotRow | undefined
  /** The key that this one was merged into: from then on it holds nothing, and its records go there. */
  into: Hop | undefined
  /** Records below this offset are in the state already. */
  seen: number
  /** Where the first change came that no row has; undefined: the row is as new as the state. */
  since: Marker | undefined
  /** Offset of the newest change. */
  changed: number
}

type Say<Out> = (emitted: Emitted<Out>) => void
type Go = (move: Move) => void
const STAY: Go = () => {}
const NO_BYTES = Buffer.alloc(0)

/**
 * All keys of one partition under one machine: the pure part of the engine. Feed it records in offset order; it keeps the partition's clock
 * (running maximum of arrival), fires what is due before each record, and knows which rows are dirty since which offset.
 */
export class KeyedMachine<State, In, Out> {
  readonly #machine: StateMachine<State, In, Out>
  readonly #entries = new Map<string, Entry<State>>()
  readonly #due = new DueQueue()
  /** In the order in which they became dirty. */
  readonly #dirty = new Map<string, Entry<State>>()
  /** Keys whose rows say `empty` as of an offset: they may go once the marker has passed it. */
  readonly #buried = new Map<string, number>()
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
  state (key: string): State | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.into !== undefined ? undefined : this.#stateOf(key, entry)
  }

  /** Puts rows back; replay goes on from `marker`. A row that says when it is due is decoded when its key is first touched. */
  restore (rows: Iterable<SnapshotRow>, marker: Marker): void {
    for (const row of rows) {
      const { key, stamp, kind = 'state' } = row
      if (kind === 'empty') this.#buried.set(key, stamp)
      if (kind === 'empty' && stamp <= marker.offset) continue
      const entry: Entry<State> = { state: undefined, row: undefined, into: undefined, seen: stamp, since: undefined, changed: -1 }
      this.#entries.set(key, entry)
      if (kind === 'merged') { entry.into = intoOf(row.bytes); continue }
      if (kind === 'empty') { entry.state = this.#machine.empty(key); continue }
      entry.row = row
      const due = row.due ?? this.#machine.nextDue(this.#stateOf(key, entry))
      this.#due.set(key, due === Infinity ? undefined : due)
    }
    this.#clock = marker.clock
  }

  /** Time moves on to `timestamp` by the record at `offset`; fires what is due. Answers false for a poisonous record, which is to be passed over. */
  record (offset: number, timestamp: ArrivalTimeMs, key: string, value: In, emit: Say<Out>, move: Go = STAY): boolean {
    const before = this.#clock
    const collect = collector(offset, emit)
    this.#advance(offset, timestamp, before, collect)
    if (this.#poison.has(recordPoison(offset))) return false
    const entry = this.#entry(key)
    if (offset < entry.seen) return true
    if (entry.into !== undefined) { move({ kind: 'forward', to: entry.into.key, offset, at: this.#clock }); return true }
    const input: Stamped<In> = { kind: 'record', value, arrival: this.#clock, offset }
    this.#step(entry, key, input, offset, before, recordPoison(offset), collect)
    return true
  }

  tick (offset: number, timestamp: ArrivalTimeMs, emit: Say<Out>): void {
    this.#advance(offset, timestamp, this.#clock, collector(offset, emit))
  }

  /**
   * The record at `offset` says that `key` and `survivor` are one patient: what `key` held goes to the survivor's partition, and so do its
   * later records. Said of a key that is merged already it goes on to where that one went.
   */
  merge (offset: number, timestamp: ArrivalTimeMs, key: string, survivor: string, emit: Say<Out>, move: Go = STAY): boolean {
    const before = this.#clock
    const collect = collector(offset, emit)
    this.#advance(offset, timestamp, before, collect)
    if (this.#poison.has(recordPoison(offset))) return false
    const entry = this.#entry(key)
    if (offset < entry.seen || this.#machine.merge === undefined || entry.into?.key === survivor) return true
    if (entry.into !== undefined) { move({ kind: 'forward', to: entry.into.key, offset, at: this.#clock }); return true }
    const state = this.#stateOf(key, entry)
    this.#guard(recordPoison(offset), key, offset, () => { this.#machine.leave?.(state, { survivor, arrival: this.#clock, offset }, out => { collect(key, out, this.#clock, offset + 1) }) })
    move({ kind: 'transfer', transfer: { from: key, to: survivor, via: [{ key, at: this.#clock }], version: this.#machine.codec.version, state: this.#machine.codec.encode(state) }, offset, at: this.#clock })
    entry.state = undefined
    entry.into = { key: survivor, at: this.#clock }
    this.#due.set(key, undefined)
    this.#touch(key, entry, offset, before)
    return true
  }

  /**
   * Takes in what another key held. Where this key was merged as well it goes on after it. Merges that point in a circle would go on for
   * ever: the oldest of them is dropped, and its key lives again. Each transfer knows which it has followed, so all drop the same one.
   */
  transfer (offset: number, timestamp: ArrivalTimeMs, transfer: Transfer, emit: Say<Out>, move: Go = STAY): boolean {
    const before = this.#clock
    const collect = collector(offset, emit)
    this.#advance(offset, timestamp, before, collect)
    if (this.#poison.has(recordPoison(offset))) return false
    const key = transfer.to
    const entry = this.#entry(key)
    if (offset < entry.seen || this.#machine.merge === undefined) return true
    const own = entry.into === undefined ? undefined : { key, at: entry.into.at }
    if (entry.into !== undefined && own !== undefined && !isOldestOfCircle(own, entry.into.key, transfer.via)) {
      move({ kind: 'transfer', transfer: { ...transfer, to: entry.into.key, via: [...transfer.via, own] }, offset, at: this.#clock })
      return true
    }
    if (entry.into !== undefined) { entry.into = undefined; entry.state = this.#machine.empty(key) }
    const state = this.#stateOf(key, entry)
    this.#guard(recordPoison(offset), key, offset, () => {
      this.#machine.merge?.(state, this.#machine.codec.decode(transfer.state), { arrival: this.#clock, offset }, out => { collect(key, out, this.#clock, offset + 1) })
    })
    this.#due.set(key, this.#machine.nextDue(state))
    this.#touch(key, entry, offset, before)
    return true
  }

  /** Whether a transfer's state can be read here. */
  reads (transfer: Transfer): boolean { return transfer.version === this.#machine.codec.version }

  /**
   * Takes rows that have been dirty longest, up to `rowsMax` and until they have `bytesMax`, as of `stamp` (the next offset to process), and
   * the marker that holds once they are stored. Call only when everything below `stamp` is committed.
   */
  snapshot (stamp: number, rowsMax: number, bytesMax: number = Infinity): SnapshotRound {
    const rows: SnapshotRow[] = []
    let bytes = 0
    for (const [key, entry] of this.#dirty) {
      if (rows.length >= rowsMax || bytes >= bytesMax) break
      const row = this.#rowOf(key, entry, stamp)
      bytes += row.bytes.length
      rows.push(row)
    }
    for (const { key, kind } of rows) {
      const entry = this.#dirty.get(key)
      this.#dirty.delete(key)
      if (entry === undefined) continue
      entry.seen = stamp
      entry.since = undefined
      if (kind === 'empty') { this.#entries.delete(key); this.#buried.set(key, stamp) }
    }
    let marker: Marker = { offset: stamp, clock: this.#clock }
    for (const { since } of this.#dirty.values()) if (since !== undefined && since.offset < marker.offset) marker = since
    const removed = this.#exhume(marker.offset, rowsMax)
    return removed.length === 0 ? { rows, marker } : { rows, removed, marker }
  }

  /** Somebody else has stored the key's row as of `stamp`: what was changed below it is no longer dirty here. */
  stored (key: string, stamp: number, clock: ArrivalTimeMs): void {
    const entry = this.#dirty.get(key)
    if (entry?.since === undefined || entry.since.offset >= stamp) return
    if (entry.changed >= stamp) { entry.since = { offset: stamp, clock }; return }
    entry.since = undefined
    this.#dirty.delete(key)
  }

  #rowOf (key: string, entry: Entry<State>, stamp: number): SnapshotRow {
    const shared = { key, stamp, clock: this.#clock }
    if (entry.into !== undefined) return { ...shared, kind: 'merged', due: Infinity, bytes: Buffer.from(`${entry.into.at} ${entry.into.key}`) }
    const state = this.#stateOf(key, entry)
    if (this.#machine.isEmpty?.(state) === true) return { ...shared, kind: 'empty', due: Infinity, bytes: NO_BYTES }
    return { ...shared, kind: 'state', due: this.#machine.nextDue(state) ?? Infinity, bytes: this.#machine.codec.encode(state) }
  }

  /** Keys whose empty rows nobody needs: a replay begins behind them. */
  #exhume (marker: number, max: number): readonly string[] {
    const removed: string[] = []
    for (const [key, stamp] of this.#buried) {
      if (removed.length >= max) break
      if (stamp > marker) continue
      this.#buried.delete(key)
      this.#entries.delete(key)
      removed.push(key)
    }
    return removed
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
    const through = input.kind === 'tick' ? offset : offset + 1
    const state = this.#stateOf(key, entry)
    try {
      this.#machine.step(state, input, out => { collect(key, out, at, through) })
    } catch (cause) {
      throw new PoisonError(poison, key, offset, cause)
    }
    const due = this.#machine.nextDue(state)
    assert(input.kind !== 'tick' || due === undefined || due > input.at, `${this.#machine.name}: nextDue must rise with each tick`)
    this.#due.set(key, due)
    this.#touch(key, entry, offset, before)
  }

  #guard (poison: string, key: string, offset: number, run: () => void): void {
    try {
      run()
    } catch (cause) {
      throw new PoisonError(poison, key, offset, cause)
    }
  }

  #touch (key: string, entry: Entry<State>, offset: number, before: ArrivalTimeMs): void {
    entry.changed = offset
    if (entry.since !== undefined) return
    entry.since = { offset, clock: before }
    if (this.#buried.size > 0) this.#buried.delete(key) // it lives again: its row replaces the empty one
    this.#dirty.set(key, entry)
  }

  #stateOf (key: string, entry: Entry<State>): State {
    const { row } = entry
    if (row !== undefined) {
      entry.state = this.#machine.codec.decode(row.bytes)
      entry.row = undefined
    }
    return entry.state ??= this.#machine.empty(key)
  }

  #entry (key: string): Entry<State> {
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { state: undefined, row: undefined, into: undefined, seen: 0, since: undefined, changed: -1 }
      this.#entries.set(key, entry)
    }
    return entry
  }
}

type Collect<Out> = (key: string, out: Out, at: ArrivalTimeMs, through: number) => void

function collector<Out> (offset: number, emit: Say<Out>): Collect<Out> {
  let index = 0
  return (key, out, at, through) => { emit({ key, out, at, offset, index: index++, through }) }
}

/** The bytes of a merged key's row: when it was said, and into which key. */
function intoOf (bytes: Buffer): Hop {
  const text = bytes.toString()
  const cut = text.indexOf(' ')
  return { at: Number(text.slice(0, cut)), key: text.slice(cut + 1) }
}

function recordPoison (offset: number): string { return `record ${offset}` }
function tickPoison (key: string, at: ArrivalTimeMs): string { return `tick ${at} ${key}` }
