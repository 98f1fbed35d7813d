import { assert } from '../../streams/errors/index.ts'
import type { Expression } from '../define/index.ts'
import { seen, type Context } from './context.ts'
import type { Evaluate } from './derive.ts'
import { tileMsOf, type Plan } from './plan.ts'
import { distinctOf, noNeeds, quantileOf, WindowStats, type Needs } from './window-stats.ts'
import { missingSamples, overReadings, overSamples, overTiles, type Gather } from './windows.ts'

const HOUR_MS = 3_600_000

type Windowed = Extract<Expression, { op: 'window' | 'sampled' }>
/** A window that features share: what they ask of it, and what it says, merged at most once an evaluation. */
export interface SharedWindow {
  readonly needs: Needs
  /** Counts of a sketch's buckets, where one is asked for. */
  readonly counts: Float64Array
  look (context: Context): WindowStats
}
export type SharedWindows = Map<string, SharedWindow>

export function sharedWindow (e: Windowed | Extract<Expression, { op: 'missingRate' }>, plan: Plan, shared: SharedWindows): SharedWindow {
  const key = keyOf(e)
  let window = shared.get(key)
  if (window === undefined) shared.set(key, window = open(e, plan))
  return window
}

function keyOf (e: Windowed | Extract<Expression, { op: 'missingRate' }>): string {
  switch (e.op) {
    case 'sampled': return `sampled ${e.concept} ${e.windowMs} ${e.sampleMs}`
    case 'missingRate': return `missing ${e.concept} ${e.windowMs} ${e.everyMs}`
    case 'window': return `${e.kept} ${e.concept} ${e.windowMs} ${e.untilMs}`
  }
}

function open (e: Windowed | Extract<Expression, { op: 'missingRate' }>, plan: Plan): SharedWindow {
  const index = plan.indexOf(e.concept)!
  const needs = noNeeds()
  const counts = new Float64Array(plan.series[index]!.buckets?.length ?? 0)
  const stats = new WindowStats()
  let gather: Gather | undefined
  let evaluated = -1
  return {
    needs, counts,
    look: c => {
      if (evaluated === c.evaluation) return stats
      evaluated = c.evaluation
      const series = c.series[index]
      if (series === undefined) stats.reset(needs)
      else (gather ??= gathering(e, plan, index, needs, counts))(series, c.asOf, stats)
      return stats
    },
  }
}

/** Made when the window is first looked at: only then is everything asked of it. */
function gathering (e: Windowed | Extract<Expression, { op: 'missingRate' }>, plan: Plan, index: number, needs: Needs, counts: Float64Array): Gather {
  const series = plan.series[index]!
  const ring = (tileMs: number): (typeof series.rings)[number] => series.rings[plan.ringOf(e.concept, tileMs)]!
  switch (e.op) {
    case 'sampled': return overSamples(needs, ring(e.sampleMs), e.windowMs)
    case 'missingRate': return missingSamples(needs, ring(e.everyMs), e.windowMs)
    case 'window': return e.kept === 'sparse' ? overReadings(needs, e.windowMs, e.untilMs) : overTiles(needs, series, ring(tileMsOf(e.windowMs)), e.windowMs, counts)
  }
}

type Read = (stats: WindowStats, asOf: number) => number

/** One aggregate of a window; absent where the window is empty, except counts. */
export function aggregateOf (e: Windowed, window: SharedWindow, plan: Plan): Evaluate<Context> {
  const read = reader(e, window, plan)
  const empty = e.aggregate === 'count' || e.aggregate === 'distinctCount' ? 0 : NaN
  return c => {
    const stats = window.look(c)
    if (stats.n === 0) return empty
    seen(c, stats.newest)
    return read(stats, c.asOf)
  }
}

function reader (e: Windowed, { needs, counts }: SharedWindow, plan: Plan): Read {
  const overTime = e.op === 'window' && e.kept === 'dense'
  switch (e.aggregate) {
    case 'count': return s => s.n
    case 'sum': return s => s.sum
    case 'mean': return s => s.sum / s.n
    case 'min': return s => s.min
    case 'max': return s => s.max
    case 'range': return s => s.max - s.min
    case 'first': return s => s.first
    case 'last': return s => s.last
    case 'delta': return s => s.last - s.first
    case 'variance': needs.moments = true; return variance
    case 'deviation': needs.moments = true; return s => Math.sqrt(variance(s))
    case 'slope': needs.moments = true; return s => s.n < 2 || s.mtt <= 0 ? NaN : s.mty / s.mtt * HOUR_MS
    case 'distinctCount': needs.values = true; return s => distinctOf(s.values, s.n)
    case 'quantile': {
      const level = e.at!
      if (!overTime) { needs.values = true; return s => quantileOf(s.values, s.n, level) }
      needs.sketch = true
      return s => plan.series[plan.indexOf(e.concept)!]!.buckets!.valueOf(rankedBucket(counts, Math.floor(level * (s.n - 1))))
    }
    case 'timeWeightedMean': needs.held = true; return s => s.weights === 0 ? s.last : s.held / s.weights
    case 'timeAbove': { const i = limitAt(needs.above, e.at!); needs.held = true; return s => s.aboveMs[i]! / HOUR_MS }
    case 'timeBelow': { const i = limitAt(needs.below, e.at!); needs.held = true; return s => s.belowMs[i]! / HOUR_MS }
    case 'timeSinceAbove': { const i = limitAt(needs.above, e.at!); needs.seen = true; return (s, asOf) => s.newestAbove[i]! < 0 ? NaN : (asOf - s.newestAbove[i]!) / HOUR_MS }
    case 'timeSinceBelow': { const i = limitAt(needs.below, e.at!); needs.seen = true; return (s, asOf) => s.newestBelow[i]! < 0 ? NaN : (asOf - s.newestBelow[i]!) / HOUR_MS }
  }
}

function variance (s: WindowStats): number { return s.n < 2 ? NaN : Math.max(0, s.m2) / (s.n - 1) }

function limitAt (limits: number[], limit: number): number {
  if (!limits.includes(limit)) limits.push(limit)
  return limits.indexOf(limit)
}

function rankedBucket (counts: Float64Array, rank: number): number {
  let before = 0
  for (let i = 0; i < counts.length; i++) if ((before += counts[i]!) > rank) return i
  assert(false, 'a sketch holds fewer readings than its window')
}
