import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { FeatureValue } from '../vector.ts'
import type { Selection } from './catalogue.ts'

/** Why a value is there or not: `never-stored` nothing of the view was ever stored for the entity; `expired` the view's time to live is over; `no-value` it was computed, and has none (never seen, or outside its window). */
export const REASONS = ['present', 'never-stored', 'expired', 'no-value'] as const
export type Reason = (typeof REASONS)[number]

/** One value as an object, with the reason where it is absent. */
export interface ReasonedValue extends FeatureValue { readonly reason: Reason }

export interface EntityView { readonly view: string, readonly version: number, readonly asOf: ArrivalTimeMs | null, readonly features: readonly ReasonedValue[] }

/** Where a view's columns begin in `data`: `asOf` one for each entity; `values` and `times` entity-major, `width` for each. */
export interface ViewColumns { readonly width: number, readonly asOfAt: number, readonly valuesAt: number, readonly timesAt: number }

/** Doubles that a read of so many entities takes. */
function doublesOf ({ views, names }: Selection, entities: number): number { return entities * (views.length + 2 * names.length) }

/** What was read: columns in one typed array, made into objects only for who asks. NaN is absent; an `asOf` of NaN says that nothing was ever stored. */
export class FeatureTable {
  readonly selection: Selection
  readonly entities: readonly string[]
  /** The time as of which ages and times to live hold. */
  readonly now: ArrivalTimeMs
  /** For each view in turn: its `asOf`, its values, its event times. */
  readonly data: Float64Array
  readonly columns: readonly ViewColumns[]

  constructor (selection: Selection, entities: readonly string[], now: ArrivalTimeMs) {
    this.selection = selection
    this.entities = entities
    this.now = now
    this.data = new Float64Array(doublesOf(selection, entities.length))
    let at = 0
    this.columns = selection.views.map(({ names: { length: width } }) => {
      const asOfAt = at
      const valuesAt = asOfAt + entities.length
      const timesAt = valuesAt + entities.length * width
      at = timesAt + entities.length * width
      return { width, asOfAt, valuesAt, timesAt }
    })
  }

  /** The value of column `c` (see `selection.names`) of entity `e`; NaN where absent. */
  value (e: number, c: number): number {
    const { valuesAt, width } = this.columns[this.selection.viewOf[c]!]!
    return this.data[valuesAt + e * width + this.selection.placeOf[c]!]!
  }

  /** When the oldest reading behind the value was true at the bedside; NaN where absent. */
  eventTime (e: number, c: number): number {
    const { timesAt, width } = this.columns[this.selection.viewOf[c]!]!
    return this.data[timesAt + e * width + this.selection.placeOf[c]!]!
  }

  /** How long ago that was, never below 0; NaN where absent. */
  ageMs (e: number, c: number): number {
    const age = this.now - this.eventTime(e, c)
    return age < 0 ? 0 : age
  }

  /** When the row of view `v` (see `selection.views`) was computed; NaN where nothing was ever stored. */
  asOf (e: number, v: number): number { return this.data[this.columns[v]!.asOfAt + e]! }

  reason (e: number, c: number): Reason {
    const value = this.value(e, c)
    if (value === value) return 'present'
    const v = this.selection.viewOf[c]!
    const asOf = this.asOf(e, v)
    if (Number.isNaN(asOf)) return 'never-stored'
    return this.now - asOf > this.selection.views[v]!.view.ttlMs ? 'expired' : 'no-value'
  }

  /** All values of an entity in the order of `selection.names`, as a model takes them. */
  vector (e: number, into: Float64Array = new Float64Array(this.selection.names.length), at: number = 0): Float64Array {
    for (const { width, valuesAt } of this.columns) for (let i = valuesAt + e * width, end = i + width; i < end; i++) into[at++] = this.data[i]!
    return into
  }

  /** An entity's views as objects. */
  entity (e: number): readonly EntityView[] {
    let c = 0
    return this.selection.views.map(({ view, names, units }, v) => ({
      view: view.name, version: view.version, asOf: orNull(this.asOf(e, v)), features: names.map((name, i) => this.#value(name, units[i]!, e, c++)),
    }))
  }

  #value (name: string, unit: string, e: number, c: number): ReasonedValue {
    const reason = this.reason(e, c)
    if (reason !== 'present') return { name, unit, present: false, value: null, eventTime: null, ageMs: null, reason }
    return { name, unit, present: true, value: this.value(e, c), eventTime: orNull(this.eventTime(e, c)), ageMs: orNull(this.ageMs(e, c)), reason }
  }
}

function orNull (value: number): number | null { return Number.isNaN(value) ? null : value }
