import { LatidoError } from '../../streams/errors/index.ts'
import type { DurationMs } from '../../streams/time/index.ts'
import type { Comparison, Expression } from '../define/index.ts'
import { aggregateOf, sharedWindow, type SharedWindows } from './aggregates.ts'
import { seen, type Evaluate } from './context.ts'
import { samplesOf, type Plan } from './plan.ts'

const HOUR_MS = 3_600_000

/** What features of one machine have in common: windows, and parts that several are made of. */
export interface Shared { readonly windows: SharedWindows, readonly parts: Map<Expression, Evaluate> }
export function nothingShared (): Shared { return { windows: new Map(), parts: new Map() } }

/**
 * Compiles an expression against a plan. NaN is absence. Windows and parts are shared through `shared`, and computed at most once an evaluation:
 * what features ask of a window is settled when all are compiled.
 */
export function compile (e: Expression, plan: Plan, shared: Shared = nothingShared()): Evaluate {
  if (!REMEMBERED.has(e.op)) return compiled(e, plan, shared)
  let evaluate = shared.parts.get(e)
  if (evaluate === undefined) shared.parts.set(e, evaluate = onceAnEvaluation(compiled(e, plan, shared)))
  return evaluate
}

/** Scores are made of these, and asked for part by part, as a sum, and as a maximum. */
const REMEMBERED: ReadonlySet<Expression['op']> = new Set(['banded', 'when', 'coalesce', 'sumOfPresent', 'maxOfPresent'])

function onceAnEvaluation (of: Evaluate): Evaluate {
  let evaluated = -1
  let value = NaN
  let time = Infinity
  return c => {
    if (evaluated !== c.evaluation) {
      const before = c.time
      c.time = Infinity
      value = of(c)
      time = c.time
      c.time = before
      evaluated = c.evaluation
    }
    if (time < c.time) c.time = time
    return value
  }
}

function compiled (e: Expression, plan: Plan, shared: Shared): Evaluate {
  const go = (part: Expression): Evaluate => compile(part, plan, shared)
  switch (e.op) {
    case 'constant': return () => e.value
    case 'fact': return c => c.facts[e.fact]
    case 'last': return lastOf(plan.indexOf(e.concept)!, e.withinMs, e.back)
    case 'age': return ageOf(plan.indexOf(e.concept)!)
    case 'countSinceAdmission': return countOf(plan.indexOf(e.concept)!)
    case 'window': case 'sampled': return aggregateOf(e, sharedWindow(e, plan, shared.windows), plan)
    case 'missingRate': return missingRateOf(e, plan, shared.windows)
    case 'members': throw new LatidoError('VIEW_INVALID', 'an aggregate of patients cannot be planned for one key', 'compute it from the patients\' vectors')
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
  }
}

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

function missingRateOf (e: Extract<Expression, { op: 'missingRate' }>, plan: Plan, shared: SharedWindows): Evaluate {
  const { look } = sharedWindow(e, plan, shared)
  const samples = samplesOf(e.windowMs, e.everyMs)
  return c => {
    const stats = look(c)
    if (stats.n > 0) seen(c, stats.newest)
    return (samples - stats.n) / samples
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
  return c => Math.floor(of(c) * scale + 0.5 + 1e-9) / scale
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
