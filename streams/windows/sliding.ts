import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../time/index.ts'
import { Plan, type Aggregates } from './aggregate.ts'
import { bytesOfDoubles, doublesOfBytes, grown } from './doubles.ts'
import { WindowResult, type EmitResult, type Keys, type OperatorDefinition, type WindowOperator } from './operator.ts'

export interface SlidingOptions {
  readonly sizeMs: DurationMs
  readonly graceMs: DurationMs
  /** Every nth reading of a key is answered. */
  readonly every: number
}

export function slidingOperator (options: SlidingOptions, aggregates: Aggregates): OperatorDefinition {
  const plan = new Plan(aggregates)
  return { layout: `sliding ${options.sizeMs} ${options.graceMs} ${options.every}`, names: plan.names, open: (keys, emit) => new Sliding(options, plan, keys, emit) }
}

/** Readings of a key in order of event time, equal times as they arrived. Those before `from` are gone. */
interface Series { times: Float64Array, values: Float64Array, from: number, to: number, unanswered: number }

/**
 * A window that ends at each reading and covers the `size` before it, itself included: what is known as of that reading. It never waits; a
 * reading that comes late has its own window, of what has arrived by then. Exact: the readings themselves are kept for size + grace.
 * Cost: the readings of the window, each time.
 */
class Sliding implements WindowOperator {
  readonly due: ArrivalTimeMs = Infinity
  readonly #o: SlidingOptions
  readonly #plan: Plan
  readonly #emit: EmitResult
  readonly #result: WindowResult
  readonly #window: Float64Array
  readonly #series: Series[] = []

  constructor (options: SlidingOptions, plan: Plan, _keys: Keys, emit: EmitResult) {
    this.#o = options
    this.#plan = plan
    this.#emit = emit
    this.#result = new WindowResult(plan.names.length)
    this.#window = new Float64Array(plan.width)
  }

  add (slot: number, eventTime: EventTimeMs, value: number, clock: ArrivalTimeMs): number {
    if (eventTime + 1 + this.#o.graceMs <= clock) return 1
    const series = this.#seriesOf(slot)
    forget(series, this.#needed(clock))
    insert(series, eventTime, value)
    series.unanswered = (series.unanswered + 1) % this.#o.every
    if (series.unanswered === 0) this.#answer(slot, series, eventTime, clock)
    return 0
  }

  close (): void {}
  restoreClock (): void {}

  save (slot: number, clock: ArrivalTimeMs): Buffer {
    const series = this.#seriesOf(slot)
    forget(series, this.#needed(clock))
    return bytesOfDoubles(Float64Array.of(series.unanswered, ...series.times.subarray(series.from, series.to), ...series.values.subarray(series.from, series.to)))
  }

  restore (slot: number, bytes: Buffer): void {
    const saved = doublesOfBytes(bytes)
    const readings = (saved.length - 1) / 2
    Object.assign(this.#seriesOf(slot), { times: saved.slice(1, 1 + readings), values: saved.slice(1 + readings), from: 0, to: readings, unanswered: saved[0]! } satisfies Series)
  }

  /** The first event time that a window of a reading in grace may still reach. */
  #needed (clock: ArrivalTimeMs): EventTimeMs { return clock - this.#o.graceMs - this.#o.sizeMs }

  #answer (slot: number, { times, values, from, to }: Series, eventTime: EventTimeMs, clock: ArrivalTimeMs): void {
    const start = eventTime + 1 - this.#o.sizeMs
    this.#plan.empty(this.#window, 0)
    for (let i = from; i < to && times[i]! <= eventTime; i++) if (times[i]! >= start) this.#plan.add(this.#window, 0, values[i]!, times[i]!)
    const result = this.#result
    this.#plan.results(this.#window, 0, result.values)
    Object.assign(result, { slot, start, end: eventTime + 1, revision: 0, cause: 'reading', at: clock })
    this.#emit(result)
  }

  #seriesOf (slot: number): Series {
    let series = this.#series[slot]
    if (series === undefined) this.#series[slot] = series = { times: new Float64Array(16), values: new Float64Array(16), from: 0, to: 0, unanswered: 0 }
    return series
  }
}

function forget (series: Series, before: EventTimeMs): void {
  while (series.from < series.to && series.times[series.from]! < before) series.from++
}

/** Behind the readings of the same time. Readings come nearly in order, so the place is looked for from the end. */
function insert (series: Series, time: EventTimeMs, value: number): void {
  if (series.to === series.times.length) makeRoom(series)
  let at = series.to++
  for (; at > series.from && series.times[at - 1]! > time; at--) {
    series.times[at] = series.times[at - 1]!
    series.values[at] = series.values[at - 1]!
  }
  series.times[at] = time
  series.values[at] = value
}

function makeRoom (series: Series): void {
  if (series.from > 0 && series.from * 2 >= series.times.length) {
    series.times.copyWithin(0, series.from)
    series.values.copyWithin(0, series.from)
    series.to -= series.from
    series.from = 0
    return
  }
  const length = Math.max(16, series.times.length * 2)
  series.times = grown(series.times, length, 0)
  series.values = grown(series.values, length, 0)
}
