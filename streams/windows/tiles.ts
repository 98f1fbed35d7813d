import { assert } from '../errors/index.ts'
import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../time/index.ts'
import { Plan, type Aggregates } from './aggregate.ts'
import { bytesOfDoubles, doublesOfBytes, grown } from './doubles.ts'
import { emissionOf, type Emission } from './emission.ts'
import { WindowResult, type Cause, type EmitResult, type Keys, type OperatorDefinition, type WindowOperator } from './operator.ts'

/** More tiles than this a key, and the windows are cut too finely for what they cover. */
const TILES_MAX = 4_096

export interface HoppingOptions {
  readonly sizeMs: DurationMs
  /** The distance between the starts of two windows; `sizeMs` for tumbling ones. Starts are multiples of it. */
  readonly everyMs: DurationMs
  readonly graceMs: DurationMs
  /** How long after it closed a window is corrected. */
  readonly correctionsMs: DurationMs
  readonly emission: Emission
}

export function hoppingOperator (options: HoppingOptions, aggregates: Aggregates): OperatorDefinition {
  const plan = new Plan(aggregates)
  const { sizeMs, everyMs, graceMs, correctionsMs } = options
  return { layout: `hopping ${sizeMs} ${everyMs} ${graceMs} ${correctionsMs} ${emissionOf(options.emission)} ${plan.layout}`, names: plan.names, open: (keys, emit) => new Tiles(options, plan, keys, emit) }
}

function gcd (a: number, b: number): number { return b === 0 ? a : gcd(b, a % b) }

/**
 * Hopping and tumbling windows over tiles of gcd(size, every): a reading goes into one tile, however many windows it is in, and a window is
 * the merge of its tiles when it is due. A key has a ring of tiles, enough for whatever may still be emitted; a tile carries its number, so
 * an old one needs no clearing. Cost: one tile a reading, size/tile merges a result.
 */
class Tiles implements WindowOperator {
  due: ArrivalTimeMs = Infinity
  readonly #o: HoppingOptions
  readonly #plan: Plan
  readonly #keys: Keys
  readonly #emit: EmitResult
  readonly #result: WindowResult
  readonly #tileMs: DurationMs
  readonly #ring: number
  /** Doubles a tile: its number, then the partials. */
  readonly #stride: number
  readonly #window: Float64Array
  #cells: Float64Array
  /** Windows of a key that have been emitted: (number of the window, how often). Only where one may be emitted again. */
  readonly #counts: number
  #emitted: Float64Array
  /** Readings of a key, where not each is answered. */
  #readings: Float64Array
  /** Every window that ends at or before this is closed. */
  #closedEnd = -Infinity
  /** From this clock on more windows are closed. */
  #closesNext = -Infinity
  /** The newest tile of any key, where it begins: windows beyond it are empty. */
  #newest = -Infinity
  /** The tiles that any key has and that may still be emitted. No ring: while a log is replayed, rows may be ahead of it. */
  readonly #tiles = new Set<number>()

  constructor (options: HoppingOptions, plan: Plan, keys: Keys, emit: EmitResult) {
    const { sizeMs, everyMs, graceMs, correctionsMs, emission } = this.#o = options
    this.#plan = plan
    this.#keys = keys
    this.#emit = emit
    this.#result = new WindowResult(plan.names.length)
    this.#tileMs = gcd(sizeMs, everyMs)
    this.#ring = Math.ceil((sizeMs + graceMs + correctionsMs) / this.#tileMs) + 2
    assert(this.#ring <= TILES_MAX, `a key would need ${this.#ring} tiles: let size and every have a larger common divisor`)
    this.#stride = 1 + plan.width
    this.#window = new Float64Array(plan.width)
    this.#counts = correctionsMs > 0 || emission.kind === 'reading' ? Math.ceil((sizeMs + graceMs + correctionsMs) / everyMs) + 2 : 0
    this.#cells = new Float64Array(0)
    this.#emitted = new Float64Array(0)
    this.#readings = new Float64Array(0)
  }

  add (slot: number, eventTime: EventTimeMs, value: number, clock: ArrivalTimeMs): number {
    if (!(clock < this.#closesNext)) this.#setClosed(this.#endAt(clock - this.#o.graceMs)) // what closed meanwhile was empty, else it would have been due
    if (eventTime >= this.#closedEnd) { // every window that it is in ends after it
      this.#put(slot, eventTime, value)
      if (this.#o.emission.kind === 'reading') this.#answer(slot, this.#firstEnd(eventTime), this.#lastEnd(eventTime), clock, this.#o.emission.every)
      return 0
    }
    return this.#addLate(slot, eventTime, value, clock)
  }

  close (clock: ArrivalTimeMs): void {
    if (clock < this.due) return
    const { everyMs, graceMs } = this.#o
    const closes = this.#endAt(clock - graceMs)
    const order = this.#keys.sorted()
    const last = Math.min(closes, this.#lastEnd(this.#newest))
    for (let end = this.#closedEnd + everyMs; end <= last; end += everyMs) {
      if (!this.#hasReadings(end)) continue
      for (let i = 0; i < order.length; i++) {
        const slot = order[i]!
        if (!this.#keys.skips(slot, end + graceMs) && this.#say(slot, end, 'close', end + graceMs) && this.#counts > 0) this.#keys.changed(slot)
      }
    }
    this.#setClosed(closes)
    this.#setDue()
  }

  restoreClock (clock: ArrivalTimeMs): void {
    this.#setClosed(this.#endAt(clock - this.#o.graceMs))
    this.#setDue()
  }

  save (slot: number, clock: ArrivalTimeMs): Buffer {
    const { sizeMs, graceMs, correctionsMs, everyMs } = this.#o
    const lost = this.#endAt(clock - graceMs - correctionsMs)
    const tiles: number[] = []
    for (let at = slot * this.#ring * this.#stride; at < (slot + 1) * this.#ring * this.#stride; at += this.#stride) {
      if ((this.#cells[at]! + 1) * this.#tileMs > lost + everyMs - sizeMs) tiles.push(...this.#cells.subarray(at, at + this.#stride))
    }
    const counts: number[] = []
    for (let at = slot * this.#counts * 2; at < (slot + 1) * this.#counts * 2; at += 2) if (this.#emitted[at]! * everyMs + sizeMs > lost) counts.push(this.#emitted[at]!, this.#emitted[at + 1]!)
    return bytesOfDoubles(Float64Array.of(this.#readings[slot] ?? 0, tiles.length, ...tiles, ...counts))
  }

  restore (slot: number, bytes: Buffer): void {
    const saved = doublesOfBytes(bytes)
    this.#room(slot)
    this.#readings[slot] = saved[0]!
    const counts = 2 + saved[1]!
    for (let i = 2; i < counts; i += this.#stride) {
      this.#cells.set(saved.subarray(i, i + this.#stride), this.#cellOf(slot, saved[i]!))
      this.#present(saved[i]!)
    }
    for (let i = counts; i < saved.length; i += 2) this.#emitted.set(saved.subarray(i, i + 2), this.#countOf(slot, saved[i]!))
  }

  /** Some of its windows are closed: those within the corrections are emitted anew, the others are counted as late. */
  #addLate (slot: number, eventTime: EventTimeMs, value: number, clock: ArrivalTimeMs): number {
    const { everyMs, graceMs, correctionsMs, emission } = this.#o
    const first = this.#firstEnd(eventTime)
    const last = this.#lastEnd(eventTime)
    const lost = this.#endAt(clock - graceMs - correctionsMs)
    const open = Math.max(first, lost + everyMs)
    if (open <= last) {
      this.#put(slot, eventTime, value)
      if (emission.kind === 'reading') this.#answer(slot, open, last, clock, emission.every)
      else for (let end = open; end <= Math.min(last, this.#closedEnd); end += everyMs) this.#say(slot, end, 'revision', clock)
    }
    return Math.max(0, Math.min(lost, last) - first + everyMs) / everyMs
  }

  #put (slot: number, eventTime: EventTimeMs, value: number): void {
    if (slot * this.#ring * this.#stride >= this.#cells.length) this.#room(slot)
    const tile = Math.floor(eventTime / this.#tileMs)
    const at = this.#cellOf(slot, tile)
    if (this.#cells[at] !== tile) {
      this.#cells[at] = tile
      this.#plan.empty(this.#cells, at + 1)
      this.#present(tile)
      if (this.#o.emission.kind === 'close') this.due = Math.min(this.due, Math.max(this.#firstEnd(eventTime), this.#closedEnd + this.#o.everyMs) + this.#o.graceMs)
    }
    this.#plan.add(this.#cells, at + 1, value, eventTime)
  }

  /** Each nth reading of a key: what its windows are now, the earliest first. */
  #answer (slot: number, first: EventTimeMs, last: EventTimeMs, clock: ArrivalTimeMs, every: number): void {
    this.#readings[slot] = (this.#readings[slot]! + 1) % every
    if (this.#readings[slot] !== 0) return
    for (let end = first; end <= last; end += this.#o.everyMs) this.#say(slot, end, 'reading', clock)
  }

  /** Emits a window, if it has readings. */
  #say (slot: number, end: EventTimeMs, cause: Cause, at: ArrivalTimeMs): boolean {
    const plan = this.#plan
    const window = this.#window
    const start = end - this.#o.sizeMs
    const from = start / this.#tileMs
    const to = end / this.#tileMs
    const cells = this.#cells
    const stride = this.#stride
    const behind = (slot + 1) * this.#ring * stride
    let some = false
    for (let tile = from, cell = this.#cellOf(slot, from); tile < to; tile++, cell += stride) {
      if (cell === behind) cell -= this.#ring * stride
      if (cells[cell] !== tile) continue
      if (!some) plan.empty(window, 0)
      some = true
      plan.merge(window, 0, cells, cell + 1)
    }
    if (!some) return false
    const result = this.#result
    plan.results(window, 0, result.values)
    result.slot = slot
    result.start = start
    result.end = end
    result.cause = cause
    result.revision = this.#counts > 0 ? this.#count(slot, start / this.#o.everyMs) : 0
    result.at = at
    this.#emit(result)
    return true
  }

  /** How often this window has been emitted before. */
  #count (slot: number, window: number): number {
    const at = this.#countOf(slot, window)
    if (this.#emitted[at] !== window) { this.#emitted[at] = window; this.#emitted[at + 1] = 0 }
    return this.#emitted[at + 1]!++
  }

  /** The last end at or before `time`. */
  #endAt (time: number): EventTimeMs { return Math.floor((time - this.#o.sizeMs) / this.#o.everyMs) * this.#o.everyMs + this.#o.sizeMs }
  #firstEnd (eventTime: EventTimeMs): EventTimeMs { return this.#endAt(eventTime) + this.#o.everyMs }
  #lastEnd (eventTime: EventTimeMs): EventTimeMs { return Math.floor(eventTime / this.#o.everyMs) * this.#o.everyMs + this.#o.sizeMs }

  #setClosed (end: EventTimeMs): void {
    this.#closedEnd = end
    this.#closesNext = end + this.#o.everyMs + this.#o.graceMs
    for (const tile of this.#tiles) if ((tile + 1) * this.#tileMs <= end + this.#o.everyMs - this.#o.sizeMs) this.#tiles.delete(tile)
  }

  #setDue (): void {
    this.due = Infinity
    if (this.#o.emission.kind !== 'close') return
    const last = this.#lastEnd(this.#newest)
    for (let end = this.#closedEnd + this.#o.everyMs; end <= last; end += this.#o.everyMs) {
      if (this.#hasReadings(end)) { this.due = end + this.#o.graceMs; return }
    }
  }

  #present (tile: number): void {
    this.#tiles.add(tile)
    this.#newest = Math.max(this.#newest, tile * this.#tileMs)
  }

  /** Whether the window that ends then has a reading of any key. */
  #hasReadings (end: EventTimeMs): boolean {
    for (let tile = (end - this.#o.sizeMs) / this.#tileMs; tile < end / this.#tileMs; tile++) if (this.#tiles.has(tile)) return true
    return false
  }

  #cellOf (slot: number, tile: number): number {
    const place = tile % this.#ring
    return (slot * this.#ring + (place < 0 ? place + this.#ring : place)) * this.#stride
  }

  #countOf (slot: number, window: number): number {
    const place = window % this.#counts
    return (slot * this.#counts + (place < 0 ? place + this.#counts : place)) * 2
  }

  #room (slot: number): void {
    const slots = Math.max(64, 2 ** Math.ceil(Math.log2(slot + 1)))
    if (slots * this.#ring * this.#stride <= this.#cells.length) return
    this.#cells = grown(this.#cells, slots * this.#ring * this.#stride, NaN)
    this.#emitted = grown(this.#emitted, slots * this.#counts * 2, NaN)
    this.#readings = grown(this.#readings, slots, 0)
  }
}
