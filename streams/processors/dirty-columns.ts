import type { Marker } from '../engine/index.ts'
import type { ArrivalTimeMs } from '../time/index.ts'

const CLEAN = -1

/** By slot: how far it has seen the log, and since when it is dirty. The columns' part of what the engine's snapshots need. */
export class DirtyColumns {
  #seen = new Float64Array(0)
  #closedUntil = new Float64Array(0)
  #since = new Float64Array(0)
  #sinceClock = new Float64Array(0)
  /** Offset of the newest change. */
  #changed = new Float64Array(0)
  #queued = new Uint8Array(0)
  #dirty = 0
  /** Dirty slots about in the order in which they became so, and some that are clean again: a ring. */
  #queue = new Int32Array(64)
  #head = 0
  #length = 0

  get dirty (): number { return this.#dirty }

  /** Makes room for a slot. */
  grow (slots: number): void {
    if (slots <= this.#seen.length) return
    const length = Math.max(64, this.#seen.length * 2, slots)
    this.#seen = larger(this.#seen, length, 0)
    this.#closedUntil = larger(this.#closedUntil, length, -Infinity)
    this.#since = larger(this.#since, length, CLEAN)
    this.#sinceClock = larger(this.#sinceClock, length, 0)
    this.#changed = larger(this.#changed, length, 0)
    const queued = new Uint8Array(length)
    queued.set(this.#queued)
    this.#queued = queued
  }

  hasSeen (slot: number, offset: number): boolean { return offset < this.#seen[slot]! }
  hasClosed (slot: number, due: ArrivalTimeMs): boolean { return due <= this.#closedUntil[slot]! }

  /** A row was put back: it includes what is below `stamp`, and what was due up to `clock`. */
  restored (slot: number, stamp: number, clock: ArrivalTimeMs): void {
    this.grow(slot + 1)
    this.#seen[slot] = stamp
    this.#closedUntil[slot] = clock
  }

  touch (slot: number, offset: number, clockBefore: ArrivalTimeMs): void {
    this.#changed[slot] = offset
    if (this.#since[slot] !== CLEAN) return
    this.#since[slot] = offset
    this.#sinceClock[slot] = clockBefore
    this.#dirty++
    if (this.#queued[slot] === 1) return
    this.#queued[slot] = 1
    if (this.#length === this.#queue.length) this.#growQueue()
    this.#queue[(this.#head + this.#length++) % this.#queue.length] = slot
  }

  /** A slot that has been dirty long is clean as of `stamp`; -1: none is dirty. */
  take (stamp: number): number {
    while (this.#length > 0) {
      const slot = this.#queue[this.#head]!
      this.#head = (this.#head + 1) % this.#queue.length
      this.#length--
      this.#queued[slot] = 0
      if (this.#since[slot] === CLEAN) continue // somebody else has stored it
      this.#since[slot] = CLEAN
      this.#seen[slot] = stamp
      this.#dirty--
      return slot
    }
    return -1
  }

  /** Somebody else has stored the row of a slot as of `stamp`. */
  stored (slot: number, stamp: number, clock: ArrivalTimeMs): void {
    if (this.#since[slot] === CLEAN || this.#since[slot]! >= stamp) return
    if (this.#changed[slot]! >= stamp) {
      this.#since[slot] = stamp
      this.#sinceClock[slot] = clock
      return
    }
    this.#since[slot] = CLEAN
    this.#dirty--
  }

  /** From where a replay finds everything that no row has. */
  marker (stamp: number, clock: ArrivalTimeMs): Marker {
    let marker: Marker = { offset: stamp, clock }
    for (let i = 0; i < this.#length; i++) {
      const slot = this.#queue[(this.#head + i) % this.#queue.length]!
      if (this.#since[slot] !== CLEAN && this.#since[slot]! < marker.offset) marker = { offset: this.#since[slot]!, clock: this.#sinceClock[slot]! }
    }
    return marker
  }

  #growQueue (): void {
    const queue = new Int32Array(this.#queue.length * 2)
    for (let i = 0; i < this.#length; i++) queue[i] = this.#queue[(this.#head + i) % this.#queue.length]!
    this.#queue = queue
    this.#head = 0
  }
}

function larger (from: Float64Array, length: number, rest: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(length).fill(rest, from.length)
  to.set(from)
  return to
}
