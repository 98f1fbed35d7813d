import type { EventTimeMs } from '../time/index.ts'

/**
 * What a window keeps of its readings: `width` doubles in a column store, with no object a window. Commutative up to its tie rule: readings
 * added in any order, or in parts that are merged, give the same (for floating point, up to rounding).
 */
export interface PartialAggregate {
  /** Partials of the same name are kept once, whichever aggregates need them. */
  readonly name: string
  readonly width: number
  empty (cells: Float64Array, at: number): void
  add (cells: Float64Array, at: number, value: number, eventTime: EventTimeMs): void
  /** Takes in what stands at `from[fromAt]`; those readings count as the later arrivals where event times tie. */
  merge (cells: Float64Array, at: number, from: Float64Array, fromAt: number): void
}

/** A figure of a window: `empty, add, merge` of its partial, and `result`. Your own is an object of this shape. */
export interface Aggregate {
  readonly partial: PartialAggregate
  /** Of at least one reading. NaN: there is no such figure (the slope of one reading). */
  result (cells: Float64Array, at: number): number
}

export type Aggregates = Readonly<Record<string, Aggregate>>

type Empty = (cells: Float64Array, at: number) => void
type Add = (cells: Float64Array, at: number, value: number, eventTime: EventTimeMs) => void
type Merge = (cells: Float64Array, at: number, from: Float64Array, fromAt: number) => void
type Results = (cells: Float64Array, at: number, values: Float64Array) => void

/**
 * How a window's doubles are laid out: every partial that some aggregate needs, once. Its functions call those of the partials one after the
 * other; they are generated, so that each has call sites of its own, which the engine can inline (a loop over partials costs twice as much).
 */
export class Plan {
  readonly names: readonly string[]
  readonly width: number
  /** Names the layout: rows of another layout are not read. */
  readonly layout: string
  readonly empty: Empty
  readonly add: Add
  readonly merge: Merge
  /** Into `values`, in the order of `names`. */
  readonly results: Results

  constructor (aggregates: Aggregates) {
    const places = new Map<string, { readonly partial: PartialAggregate, readonly at: number }>()
    let width = 0
    for (const { partial } of Object.values(aggregates)) {
      if (places.has(partial.name)) continue
      places.set(partial.name, { partial, at: width })
      width += partial.width
    }
    const parts = [...places.values()]
    const all = Object.values(aggregates)
    this.width = width
    this.names = Object.keys(aggregates)
    this.layout = parts.map(({ partial, at }) => `${partial.name}@${at}`).join(' ')
    this.empty = generated('c, at', parts.map(({ at }, i) => `f${i}.empty(c, at + ${at})`), parts.map(p => p.partial))
    this.add = generated('c, at, value, time', parts.map(({ at }, i) => `f${i}.add(c, at + ${at}, value, time)`), parts.map(p => p.partial))
    this.merge = generated('c, at, from, f', parts.map(({ at }, i) => `f${i}.merge(c, at + ${at}, from, f + ${at})`), parts.map(p => p.partial))
    this.results = generated('c, at, values', all.map(({ partial }, i) => `values[${i}] = f${i}.result(c, at + ${places.get(partial.name)!.at})`), all)
  }
}

/** A function of `parameters` with one statement a line; `f0`, `f1` and so on are `given`. No text comes from outside. */
function generated<F> (parameters: string, lines: readonly string[], given: readonly unknown[]): F {
  return (new Function(...given.map((_, i) => `f${i}`), `return function (${parameters}) {\n${lines.join('\n')}\n}`) as (...given: readonly unknown[]) => F)(...given)
}
