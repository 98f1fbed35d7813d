import type { FeatureView } from '../define/index.ts'
import type { FeatureTable } from './feature-table.ts'
import { tableOf } from './reader.ts'

/** Upper bounds in seconds, of how old what is served is: below a second at the bedside to a day in a batch. */
const FRESHNESS_BOUNDS_S: readonly number[] = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 86_400]
/** Upper bounds in seconds, of one read of the store with its unpacking. */
const LATENCY_BOUNDS_S: readonly number[] = [0.0001, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** Counts by upper bound, as Prometheus counts: each bucket for itself, the last is above all bounds. */
export class Buckets {
  readonly bounds: readonly number[]
  readonly counts: Float64Array
  sum = 0
  constructor (bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  add (value: number): void {
    let i = 0
    while (i < this.bounds.length && value > this.bounds[i]!) i++
    this.counts[i]!++
    this.sum += value
  }
}

/** What was served of one view. */
export class ViewTally {
  requests = 0
  entities = 0
  /** Values that were asked for and are not there, those past the time to live too. */
  missing = 0
  /** Of those, the ones that are past the time to live. */
  stale = 0
  /** now - asOf of each row that was found, seconds. */
  readonly freshness: Buckets = new Buckets(FRESHNESS_BOUNDS_S)
  /** By how much rows were past the time to live, seconds. */
  readonly staleness: Buckets = new Buckets(FRESHNESS_BOUNDS_S)
  /** Reads in which the view took part, seconds. */
  readonly latency: Buckets = new Buckets(LATENCY_BOUNDS_S)
}

/** Counts of what is served, in plain numbers: a metric library's own cost for each value would be a good part of a read. Who exposes metrics reads them at each scrape. */
export class ServingTally {
  /** By `view@version`. */
  readonly views: ReadonlyMap<string, ViewTally>
  constructor (views: readonly FeatureView[]) { this.views = new Map(views.map(view => [tableOf(view), new ViewTally()])) }

  /** One read: `present` values of each view. */
  read (table: FeatureTable, present: Float64Array, latencyMs: number): void {
    const { data, now, columns, entities: { length: entities }, selection: { views } } = table
    for (let v = 0; v < views.length; v++) {
      const tally = this.views.get(views[v]!.table)
      if (tally === undefined) continue
      const { width, asOfAt } = columns[v]!
      const ttlMs = views[v]!.view.ttlMs
      tally.requests++
      tally.entities += entities
      tally.missing += entities * width - present[v]!
      tally.latency.add(latencyMs / 1_000)
      for (let e = 0; e < entities; e++) {
        const ageMs = now - data[asOfAt + e]!
        if (ageMs !== ageMs) continue // never stored
        tally.freshness.add(Math.max(0, ageMs) / 1_000)
        if (ageMs <= ttlMs) continue
        tally.stale += width
        tally.staleness.add((ageMs - ttlMs) / 1_000)
      }
    }
  }
}
