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

/** How a window's doubles are laid out: every partial that some aggregate needs, once. Compiled from the aggregates when a partition opens. */
export class Plan {
  readonly names: readonly string[]
  readonly width: number
  /** Names the layout: rows of another layout are not read. */
  readonly layout: string
  readonly #partials: readonly PartialAggregate[]
  readonly #places: readonly number[]
  readonly #results: readonly { readonly aggregate: Aggregate, readonly at: number }[]

  constructor (aggregates: Aggregates) {
    const places = new Map<string, { readonly partial: PartialAggregate, readonly at: number }>()
    let width = 0
    for (const { partial } of Object.values(aggregates)) {
      if (places.has(partial.name)) continue
      places.set(partial.name, { partial, at: width })
      width += partial.width
    }
    this.width = width
    this.names = Object.keys(aggregates)
    this.layout = [...places].map(([name, { at }]) => `${name}@${at}`).join(' ')
    this.#partials = [...places.values()].map(p => p.partial)
    this.#places = [...places.values()].map(p => p.at)
    this.#results = Object.values(aggregates).map(aggregate => ({ aggregate, at: places.get(aggregate.partial.name)!.at }))
  }

  empty (cells: Float64Array, at: number): void {
    for (let i = 0; i < this.#partials.length; i++) this.#partials[i]!.empty(cells, at + this.#places[i]!)
  }

  add (cells: Float64Array, at: number, value: number, eventTime: EventTimeMs): void {
    for (let i = 0; i < this.#partials.length; i++) this.#partials[i]!.add(cells, at + this.#places[i]!, value, eventTime)
  }

  merge (cells: Float64Array, at: number, from: Float64Array, fromAt: number): void {
    for (let i = 0; i < this.#partials.length; i++) this.#partials[i]!.merge(cells, at + this.#places[i]!, from, fromAt + this.#places[i]!)
  }

  /** Into `values`, in the order of `names`. */
  results (cells: Float64Array, at: number, values: Float64Array): void {
    for (let i = 0; i < this.#results.length; i++) values[i] = this.#results[i]!.aggregate.result(cells, at + this.#results[i]!.at)
  }
}
