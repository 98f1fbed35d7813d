import { CONCEPTS } from '../../../streams/events/index.ts'
import type { DurationMs } from '../../../streams/time/index.ts'
import { tileMsOf } from '../../compute/index.ts'
import type { Aggregate, Expression } from '../../define/index.ts'
import { arrayOf, READING } from './gather.ts'
import { isLong } from './needs.ts'
import { float } from './text.ts'

const HOUR_MS = 3_600_000
/** Relative accuracy of a quantile over tiles (Masson et al. 2019). */
const ALPHA = 0.01

export type Windowed = Extract<Expression, { op: 'window' | 'sampled' | 'missingRate' }>

const item = (i: number): string => `tupleElement(x, ${i})`

/** The least multiple of `step` that is at least `at`. */
function roundedUp (at: string, step: number): string { return `intDiv(${at} + ${step - 1}, ${step}) * ${step}` }

/** The readings of a window as SQL: an array of readings by time. */
export function readingsIn (e: Windowed): string {
  const inside = (condition: string): string => `arrayFilter(x -> ${item(isLong(e) ? READING.long : READING.recent)} AND ${condition}, ${arrayOf(e.concept)})`
  const time = item(READING.time)
  switch (e.op) {
    case 'window': return e.kept === 'sparse'
      ? inside(`${item(READING.kept)} = 1 AND ${time} >= as_of - ${e.windowMs} AND ${e.untilMs === 0 ? `${time} <= as_of` : `${time} < as_of - ${e.untilMs}`}`)
      : inside(`${time} >= ${roundedUp(`as_of - ${e.windowMs}`, tileMsOf(e.windowMs))} AND ${time} <= as_of`)
    case 'sampled': return inside(`intDiv(${time}, ${e.sampleMs}) > intDiv(as_of - ${e.windowMs}, ${e.sampleMs}) AND ${time} <= as_of`)
    case 'missingRate': return inside(`intDiv(${time}, ${e.everyMs}) > intDiv(as_of, ${e.everyMs}) - ${Math.ceil(e.windowMs / e.everyMs)} AND ${time} <= as_of`)
  }
}

/** Columns that a window's aggregates share: `of` is the window's array of readings; `t`, `v` are what they are computed over. */
export interface WindowColumns { readonly of: string, readonly t: string, readonly v: string }

/** Event times and values that a window's aggregates run over: its readings, or its samples. */
export function pointsOf (e: Windowed, of: string): { readonly t: string, readonly v: string } {
  const t = `tupleElement(${of}, ${READING.time})`
  const v = `tupleElement(${of}, ${READING.value})`
  if (e.op !== 'sampled') return { t, v }
  const ids = `arrayMap(x -> intDiv(x, ${e.sampleMs}), ${t})`
  return { t: `arrayMap(x -> x * ${e.sampleMs}, arrayCompact(${ids}))`, v: means(ids, v) }
}

/** The mean of each run of equal ids. */
function means (ids: string, v: string): string { return `arrayMap(x -> arrayAvg(x), ${runs(ids, v)})` }
function runs (ids: string, v: string): string { return `arraySplit((x, d) -> d != 0, ${v}, arrayDifference(${ids}))` }

/** A window's feature as SQL; nan where it is absent. */
export function valueOf (e: Windowed, columns: WindowColumns): string {
  const n = `length(${columns.t})`
  if (e.op === 'missingRate') {
    const samples = Math.ceil(e.windowMs / e.everyMs)
    return `(${samples} - length(arrayCompact(arrayMap(x -> intDiv(x, ${e.everyMs}), ${columns.t})))) / ${samples}`
  }
  if (e.aggregate === 'count') return `toFloat64(${n})`
  if (e.aggregate === 'distinctCount') return `toFloat64(length(arrayDistinct(${columns.v})))`
  return `if(${n} = 0, nan, ${aggregated(e, columns)})`
}

/** The event time of a window's newest reading; inf where it has none. */
export function timeOf ({ of }: WindowColumns): string { return `if(empty(${of}), inf, toFloat64(tupleElement(${of}[-1], ${READING.time})))` }

function aggregated (e: Exclude<Windowed, { op: 'missingRate' }>, { t, v }: WindowColumns): string {
  const aggregate: Exclude<Aggregate, 'count' | 'distinctCount'> = e.aggregate as Exclude<Aggregate, 'count' | 'distinctCount'>
  const variance = `arraySum(x -> (x - arrayAvg(${v})) * (x - arrayAvg(${v})), ${v}) / (length(${v}) - 1)`
  switch (aggregate) {
    case 'sum': return `arraySum(${v})`
    case 'mean': return `arrayAvg(${v})`
    case 'min': return `arrayMin(${v})`
    case 'max': return `arrayMax(${v})`
    case 'range': return `arrayMax(${v}) - arrayMin(${v})`
    case 'variance': return `if(length(${v}) < 2, nan, ${variance})`
    case 'deviation': return `if(length(${v}) < 2, nan, sqrt(${variance}))`
    case 'first': return `${v}[1]`
    case 'last': return `${v}[-1]`
    case 'delta': return `${v}[-1] - ${v}[1]`
    case 'slope': return slope(t, v)
    case 'quantile': return e.op === 'window' && e.kept === 'dense' ? sketched(v, e.at!, CONCEPTS[e.concept].possible) : interpolated(v, e.at!)
    case 'timeWeightedMean': return e.op === 'window' && e.kept === 'dense' ? `arrayAvg(${means(tiles(t, e.windowMs), v)})` : weighted(t, v, endOf(e))
    case 'timeAbove': return timeBeyond(e, t, v, '>')
    case 'timeBelow': return timeBeyond(e, t, v, '<')
    case 'timeSinceAbove': return timeSince(t, v, '>', e.at!)
    case 'timeSinceBelow': return timeSince(t, v, '<', e.at!)
  }
}

/** Least squares by centred sums, per hour. */
function slope (t: string, v: string): string {
  const hours = `arrayMap(x -> (x - as_of) / ${HOUR_MS}, ${t})`
  const centred = `arrayMap(x -> x - arrayAvg(${hours}), ${hours})`
  return `if(${t}[1] = ${t}[-1], nan, arraySum((x, y) -> x * (y - arrayAvg(${v})), ${centred}, ${v}) / arraySum(x -> x * x, ${centred}))`
}

/** Between order statistics (Hyndman and Fan 1996, type 7). */
function interpolated (v: string, level: number): string {
  const sorted = `arraySort(${v})`
  const h = `(length(${v}) - 1) * ${float(level)}`
  const low = `${sorted}[toInt64(floor(${h})) + 1]`
  return `${low} + (${h} - floor(${h})) * (${sorted}[least(toInt64(floor(${h})) + 2, toInt64(length(${v})))] - ${low})`
}

/**
 * The value of the bucket in which the order statistic lies (Masson et al. 2019): buckets grow by gamma, negative ones mirror the positive. Where
 * values may reach 0, a thousandth of the largest counts as 0.
 */
function sketched (v: string, level: number, [low, high]: readonly [number, number]): string {
  const gamma = (1 + ALPHA) / (1 - ALPHA)
  const zero = low <= 0 ? Math.max(Math.abs(low), Math.abs(high)) / 1_000 : 0
  const x = `arraySort(${v})[toInt64(floor((length(${v}) - 1) * ${float(level)})) + 1]`
  return `if(abs(${x}) ${zero === 0 ? '=' : '<'} ${float(zero)}, 0, sign(${x}) * 2 * pow(${float(gamma)}, ceil(log(abs(${x})) / ${float(Math.log(gamma))})) / ${float(gamma + 1)})`
}

function tiles (t: string, windowMs: DurationMs): string { return `arrayMap(x -> intDiv(x, ${tileMsOf(windowMs)}), ${t})` }

type OverReadings = Exclude<Windowed, { op: 'missingRate' }>
function endOf (e: OverReadings): string { return e.op === 'window' && e.untilMs > 0 ? `(as_of - ${e.untilMs})` : 'as_of' }

/** How long each reading holds, in ms. */
function holds (t: string, end: string): string { return `arrayMap((x, y) -> y - x, ${t}, arrayPushBack(arrayPopFront(${t}), ${end}))` }

function weighted (t: string, v: string, end: string): string {
  return `if(${t}[1] = ${end}, ${v}[-1], arraySum((x, w) -> x * w, ${v}, ${holds(t, end)}) / arraySum(${holds(t, end)}))`
}

function timeBeyond (e: OverReadings, t: string, v: string, is: '>' | '<'): string {
  const limit = float(e.at!)
  if (e.op === 'window' && e.kept === 'dense') return `arraySum(arrayMap(x -> arrayAvg(x), ${runs(tiles(t, e.windowMs), `arrayMap(x -> x ${is} ${limit}, ${v})`)})) * ${float(tileMsOf(e.windowMs) / HOUR_MS)}`
  return `arraySum((x, w) -> (x ${is} ${limit}) * w, ${v}, ${holds(t, endOf(e))}) / ${HOUR_MS}`
}

function timeSince (t: string, v: string, is: '>' | '<', limit: number): string {
  const newest = `arrayLastIndex(x -> x ${is} ${float(limit)}, ${v})`
  return `if(${newest} = 0, nan, (as_of - ${t}[${newest}]) / ${HOUR_MS})`
}
