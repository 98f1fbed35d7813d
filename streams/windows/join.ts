import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../time/index.ts'
import { parseDuration, type Duration } from '../time/index.ts'
import type { Keys } from './operator.ts'
import { SlotQueue } from './slot-queue.ts'

export const LEFT = 0
export const RIGHT = 1

/** What a join of two streams by key and time is made of. */
export interface JoinOptions {
  readonly withinMs: DurationMs
  readonly graceMs: DurationMs
  /** `left`: a left record that found no right one is emitted alone, once none can come any more. */
  readonly kind: 'inner' | 'left'
}

/** A join with everything said. */
export interface JoinMachine<EventTime extends string = string, Kind extends 'inner' | 'left' = 'inner' | 'left'> {
  readonly kind: 'join'
  readonly eventTime: EventTime
  readonly options: JoinOptions & { readonly kind: Kind }
}

/** Records of two streams whose keys are equal and whose event times are at most `within` apart. */
export function join (options: { readonly within: Duration, readonly grace?: Duration }): { eventTime<const E extends string> (field: E): { inner (): JoinMachine<E, 'inner'>, left (): JoinMachine<E, 'left'> } } {
  const parts = { withinMs: parseDuration(options.within), graceMs: options.grace === undefined ? 0 : parseDuration(options.grace) }
  return {
    eventTime: eventTime => ({
      inner: () => ({ kind: 'join', eventTime, options: { ...parts, kind: 'inner' } }),
      left: () => ({ kind: 'join', eventTime, options: { ...parts, kind: 'left' } }),
    }),
  }
}

/** A record that may still find another. `bytes`: its value, as it came. */
interface Kept { readonly time: EventTimeMs, readonly bytes: Buffer, matched: boolean }
/** By side, in order of event time, equal times as they arrived. */
type Sides = readonly [Kept[], Kept[]]

/** `right` is undefined for a left record that stays alone. */
export type EmitPair = (slot: number, left: Buffer, right: Buffer | undefined, at: ArrivalTimeMs) => void

// A saved record: its time, its side and whether it was matched, its length; then its bytes.
const HEAD_BYTES = 13

/**
 * Joins within one partition, in the one order of its log. A record is taken while its event time is at most the grace behind the clock, and
 * kept for as long as another that is taken may match it; so every pair of taken records is emitted exactly once, when the second arrives.
 */
export class JoinOperator {
  readonly #o: JoinOptions
  readonly #keys: Keys
  readonly #emit: EmitPair
  readonly #slots: Sides[] = []
  readonly #queue: SlotQueue

  constructor (options: JoinOptions, keys: Keys, emit: EmitPair) {
    this.#o = options
    this.#keys = keys
    this.#emit = emit
    this.#queue = new SlotQueue((a, b) => keys.compare(a, b))
  }

  get due (): ArrivalTimeMs { return this.#queue.earliest() }

  /** Answers 1 for a record that is too late; pairs are emitted with the earliest match first. */
  add (slot: number, side: number, time: EventTimeMs, bytes: () => Buffer, clock: ArrivalTimeMs): number {
    if (time + this.#o.graceMs < clock) return 1
    const sides = this.#sidesOf(slot)
    const mine: Kept = { time, bytes: bytes(), matched: false }
    const own = sides[side === LEFT ? LEFT : RIGHT]
    own.splice(own.findLastIndex(k => k.time <= time) + 1, 0, mine)
    for (const other of sides[side === LEFT ? RIGHT : LEFT]) {
      if (Math.abs(other.time - time) > this.#o.withinMs) continue
      mine.matched = other.matched = true
      this.#emit(slot, side === LEFT ? mine.bytes : other.bytes, side === LEFT ? other.bytes : mine.bytes, clock)
    }
    this.#setDue(slot, sides)
    return 0
  }

  /** Lets go of what can find nobody any more; a left join says so. */
  close (clock: ArrivalTimeMs): void {
    for (let at = this.#queue.earliest(); at <= clock; at = this.#queue.earliest()) {
      const slot = this.#queue.take(clock)
      const sides = this.#sidesOf(slot)
      this.#keys.changed(slot)
      for (const side of [LEFT, RIGHT] as const) {
        const gone = sides[side].filter(k => this.#goneAt(k.time) <= at)
        sides[side].splice(0, gone.length)
        if (side === LEFT && this.#o.kind === 'left' && !this.#keys.skips(slot, at)) for (const { bytes, matched } of gone) if (!matched) this.#emit(slot, bytes, undefined, at)
      }
      this.#setDue(slot, sides)
    }
  }

  save (slot: number): Buffer {
    return Buffer.concat(this.#sidesOf(slot).flatMap((kept, side) => kept.flatMap(({ time, bytes, matched }) => {
      const head = Buffer.alloc(HEAD_BYTES)
      head.writeDoubleLE(time, 0)
      head[8] = side * 2 + Number(matched)
      head.writeUInt32LE(bytes.length, 9)
      return [head, bytes]
    })))
  }

  /** Answers the values that were put back. */
  restore (slot: number, saved: Buffer): readonly Buffer[] {
    const sides = this.#sidesOf(slot)
    const values: Buffer[] = []
    for (let at = 0; at < saved.length;) {
      const end = at + HEAD_BYTES + saved.readUInt32LE(at + 9)
      const bytes = Buffer.from(saved.subarray(at + HEAD_BYTES, end))
      sides[saved[at + 8]! >> 1 === LEFT ? LEFT : RIGHT].push({ time: saved.readDoubleLE(at), bytes, matched: (saved[at + 8]! & 1) === 1 })
      values.push(bytes)
      at = end
    }
    this.#setDue(slot, sides)
    return values
  }

  /** When nothing that is taken can be within reach of `time`. */
  #goneAt (time: EventTimeMs): ArrivalTimeMs { return time + this.#o.withinMs + this.#o.graceMs + 1 }

  #setDue (slot: number, [left, right]: Sides): void { this.#queue.set(slot, this.#goneAt(Math.min(left[0]?.time ?? Infinity, right[0]?.time ?? Infinity))) }

  #sidesOf (slot: number): Sides { return this.#slots[slot] ??= [[], []] }
}
