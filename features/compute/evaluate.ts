import { LatidoError } from '../../streams/errors/index.ts'
import type { DurationMs } from '../../streams/time/index.ts'
import type { Expression } from '../define/index.ts'
import { aggregateOf, sharedWindow, type SharedWindows } from './aggregates.ts'
import { seen, type Context } from './context.ts'
import { derive, type Evaluate } from './derive.ts'
import { samplesOf, type Plan } from './plan.ts'

const HOUR_MS = 3_600_000

/** What features of one machine have in common: windows, and parts that several are made of. */
export interface Shared { readonly windows: SharedWindows, readonly parts: Map<Expression, Evaluate<Context>> }
export function nothingShared (): Shared { return { windows: new Map(), parts: new Map() } }

/**
 * Compiles an expression against a plan. NaN is absence. Windows and parts are shared through `shared`, and computed at most once an evaluation:
 * what features ask of a window is settled when all are compiled.
 */
export function compile (e: Expression, plan: Plan, shared: Shared = nothingShared()): Evaluate<Context> {
  if (!REMEMBERED.has(e.op)) return compiled(e, plan, shared)
  let evaluate = shared.parts.get(e)
  if (evaluate === undefined) shared.parts.set(e, evaluate = onceAnEvaluation(compiled(e, plan, shared)))
  return evaluate
}

/** Scores are made of these, and asked for part by part, as a sum, and as a maximum. */
const REMEMBERED: ReadonlySet<Expression['op']> = new Set(['banded', 'when', 'coalesce', 'sumOfPresent', 'maxOfPresent'])

function onceAnEvaluation (of: Evaluate<Context>): Evaluate<Context> {
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

function compiled (e: Expression, plan: Plan, shared: Shared): Evaluate<Context> {
  const go = (part: Expression): Evaluate<Context> => compile(part, plan, shared)
  switch (e.op) {
    case 'fact': return c => c.facts[e.fact]
    case 'last': return lastOf(plan.indexOf(e.concept)!, e.withinMs, e.back)
    case 'age': return ageOf(plan.indexOf(e.concept)!)
    case 'countSinceAdmission': return countOf(plan.indexOf(e.concept)!)
    case 'window': case 'sampled': return aggregateOf(e, sharedWindow(e, plan, shared.windows), plan)
    case 'missingRate': return missingRateOf(e, plan, shared.windows)
    case 'members': throw new LatidoError('VIEW_INVALID', 'an aggregate of patients cannot be planned for one key', 'compute it from the patients\' vectors')
    default: return derive(e, go)
  }
}

function lastOf (index: number, withinMs: DurationMs | undefined, back: 0 | 1): Evaluate<Context> {
  return c => {
    const series = c.series[index]
    if (series === undefined) return NaN
    const time = back === 0 ? series.lastTime : series.previousTime
    if (time < 0 || (withinMs !== undefined && c.asOf - time > withinMs)) return NaN
    seen(c, time)
    return back === 0 ? series.lastValue : series.previousValue
  }
}

function ageOf (index: number): Evaluate<Context> {
  return c => {
    const time = c.series[index]?.lastTime ?? -1
    if (time < 0) return NaN
    seen(c, time)
    return (c.asOf - time) / HOUR_MS
  }
}

function countOf (index: number): Evaluate<Context> { return c => c.series[index]?.count ?? 0 }

function missingRateOf (e: Extract<Expression, { op: 'missingRate' }>, plan: Plan, shared: SharedWindows): Evaluate<Context> {
  const { look } = sharedWindow(e, plan, shared)
  const samples = samplesOf(e.windowMs, e.everyMs)
  return c => {
    const stats = look(c)
    if (stats.n > 0) seen(c, stats.newest)
    return (samples - stats.n) / samples
  }
}
