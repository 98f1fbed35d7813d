import { LatidoError } from '../../streams/errors/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../../streams/time/index.ts'
import type { Aggregate, Comparison, Expression, Fact } from '../define/index.ts'
import { tileMsOf, type Plan } from './plan.ts'
import type { Series } from './series.ts'
import { addPoint, emptyStats, mergeTiles, resetStats, sampleTiles, type WindowStats } from './tile-ring.ts'

const HOUR_MS = 3_600_000

/** What an expression may look at. `time` comes back as the newest event time of the stalest input; +Infinity if none was read. */
export interface Context {
  asOf: ArrivalTimeMs
  series: readonly (Series | undefined)[]
  facts: Readonly<Record<Fact, number>>
  time: number
  /** Changes with each evaluation, so that windows shared by features are merged once. */
  evaluation: number
}

export type Evaluate = (context: Context) => number

/** Compiles an expression against a plan. NaN is absence. */
export function compile (e: Expression, plan: Plan, shared: Map<string, SharedWindow> = new Map()): Evaluate {
  const go = (part: Expression): Evaluate => compile(part, plan, shared)
  switch (e.op) {
    case 'constant': return () => e.value
    case 'fact': return c => c.facts[e.fact]
    case 'last': return lastOf(plan.indexOf(e.concept)!, e.withinMs, e.back)
    case 'age': return ageOf(plan.indexOf(e.concept)!)
    case 'countSinceAdmission': return countOf(plan.indexOf(e.concept)!)
    case 'window': case 'sampled': return aggregateOf(e.aggregate, sharedWindow(e, plan, shared))
    case 'plus': return pair(go(e.left), go(e.right), (l, r) => l + r)
    case 'minus': return pair(go(e.left), go(e.right), (l, r) => l - r)
    case 'times': return pair(go(e.left), go(e.right), (l, r) => l * r)
    case 'ratio': return pair(go(e.left), go(e.right), (l, r) => r === 0 ? NaN : l / r)
    case 'least': return pair(go(e.left), go(e.right), Math.min)
    case 'greatest': return pair(go(e.left), go(e.right), Math.max)
    case 'coalesce': return coalesceOf(e.of.map(go))
    case 'rounded': return roundedOf(go(e.of), e.decimals)
    case 'banded': return bandedOf(go(e.of), e.bands, e.above)
    case 'when': return whenOf(go(e.of), comparisons[e.is], e.than, go(e.yes), go(e.no))
    case 'sumOfPresent': return ofPresent(e.of.map(go), (a, b) => a + b)
    case 'maxOfPresent': return ofPresent(e.of.map(go), Math.max)
    case 'countMissing': return missingOf(e.of.map(go))
    case 'missingRate': case 'members': throw new LatidoError('VIEW_INVALID', `${e.op} cannot be planned into a stream`, 'leave it out')
  }
}

function seen (c: Context, time: number): void { if (time < c.time) c.time = time }

function lastOf (index: number, withinMs: DurationMs | undefined, back: 0 | 1): Evaluate {
  return c => {
    const series = c.series[index]
    if (series === undefined) return NaN
    const time = back === 0 ? series.lastTime : series.previousTime
    if (time < 0 || (withinMs !== undefined && c.asOf - time > withinMs)) return NaN
    seen(c, time)
    return back === 0 ? series.lastValue : series.previousValue
  }
}

function ageOf (index: number): Evaluate {
  return c => {
    const time = c.series[index]?.lastTime ?? -1
    if (time < 0) return NaN
    seen(c, time)
    return (c.asOf - time) / HOUR_MS
  }
}

function countOf (index: number): Evaluate { return c => c.series[index]?.count ?? 0 }

/** A window's statistics, merged at most once an evaluation however many features use it. */
type SharedWindow = (c: Context) => WindowStats & { first: number }

function sharedWindow (e: Extract<Expression, { op: 'window' | 'sampled' }>, plan: Plan, shared: Map<string, SharedWindow>): SharedWindow {
  const key = e.op === 'sampled' ? `sampled ${e.concept} ${e.windowMs} ${e.sampleMs}` : `${e.kept} ${e.concept} ${e.windowMs}`
  const existing = shared.get(key)
  if (existing !== undefined) return existing
  const index = plan.indexOf(e.concept)!
  const merge = e.op === 'window' && e.kept === 'sparse' ? mergeReadings(e.windowMs) : mergeRing(e, plan, index)
  const stats = emptyStats()
  let evaluated = -1
  const window: SharedWindow = c => {
    if (evaluated === c.evaluation) return stats
    evaluated = c.evaluation
    const series = c.series[index]
    if (series === undefined) { resetStats(stats); stats.first = NaN } else merge(series, c.asOf, stats)
    return stats
  }
  shared.set(key, window)
  return window
}

type Merge = (series: Series, asOf: ArrivalTimeMs, into: WindowStats & { first: number }) => void

function mergeRing (e: Extract<Expression, { op: 'window' | 'sampled' }>, plan: Plan, index: number): Merge {
  const place = plan.ringOf(e.concept, e.op === 'sampled' ? e.sampleMs : tileMsOf(e.windowMs))
  const ring = plan.series[index]!.rings[place]!
  return e.op === 'sampled'
    ? (series, asOf, into) => { sampleTiles(ring, series.rings, asOf, e.windowMs, into) }
    : (series, asOf, into) => { mergeTiles(ring, series.rings, asOf, e.windowMs, into) }
}

function mergeReadings (windowMs: DurationMs): Merge {
  return (series, asOf, into) => {
    resetStats(into)
    into.first = NaN
    for (let i = 0; i < series.times.length; i++) {
      const time = series.times[i]!
      if (time < asOf - windowMs || time > asOf) continue
      addPoint(into, (time - asOf) / HOUR_MS, series.values[i]!)
      if (into.n === 1) into.first = series.values[i]!
      into.newest = time
    }
  }
}

const ofStats: Readonly<Partial<Record<Aggregate, (s: WindowStats & { first: number }) => number>>> = {
  count: s => s.n,
  sum: s => s.mean * s.n,
  mean: s => s.mean,
  min: s => s.min,
  max: s => s.max,
  variance: s => s.n < 2 ? NaN : Math.max(0, s.m2) / (s.n - 1),
  deviation: s => s.n < 2 ? NaN : Math.sqrt(Math.max(0, s.m2) / (s.n - 1)),
  first: s => s.first,
  slope: s => s.n < 2 || s.mtt <= 0 ? NaN : s.mty / s.mtt,
  range: s => s.max - s.min,
}

function aggregateOf (aggregate: Aggregate, window: SharedWindow): Evaluate {
  const read = ofStats[aggregate]
  if (read === undefined) throw new LatidoError('VIEW_INVALID', `${aggregate} cannot be planned into a stream`, 'leave it out')
  return c => {
    const stats = window(c)
    if (stats.n === 0) return aggregate === 'count' ? 0 : NaN
    seen(c, stats.newest)
    return read(stats)
  }
}

function pair (left: Evaluate, right: Evaluate, join: (l: number, r: number) => number): Evaluate { return c => join(left(c), right(c)) }

function coalesceOf (of: readonly Evaluate[]): Evaluate {
  return c => {
    for (const part of of) {
      const before = c.time
      const value = part(c)
      if (!Number.isNaN(value)) return value
      c.time = before
    }
    return NaN
  }
}

function roundedOf (of: Evaluate, decimals: number): Evaluate {
  const scale = 10 ** decimals
  return c => Math.round(of(c) * scale + 1e-9) / scale
}

function bandedOf (of: Evaluate, bands: readonly { readonly upTo: number, readonly points: number }[], above: number): Evaluate {
  return c => {
    const value = of(c)
    if (Number.isNaN(value)) return NaN
    for (const band of bands) if (value <= band.upTo) return band.points
    return above
  }
}

const comparisons: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b, '<=': (a, b) => a <= b, '>': (a, b) => a > b, '>=': (a, b) => a >= b, '=': (a, b) => a === b,
}

function whenOf (of: Evaluate, holds: (a: number, b: number) => boolean, than: number, yes: Evaluate, no: Evaluate): Evaluate {
  return c => {
    const value = of(c)
    return Number.isNaN(value) ? NaN : holds(value, than) ? yes(c) : no(c)
  }
}

function ofPresent (of: readonly Evaluate[], join: (a: number, b: number) => number): Evaluate {
  return c => {
    let all = NaN
    for (const part of of) {
      const before = c.time
      const value = part(c)
      if (Number.isNaN(value)) c.time = before
      else all = Number.isNaN(all) ? value : join(all, value)
    }
    return all
  }
}

function missingOf (of: readonly Evaluate[]): Evaluate {
  return c => {
    const before = c.time
    let missing = 0
    for (const part of of) if (Number.isNaN(part(c))) missing++
    c.time = before
    return missing
  }
}
