import type { Observation, ObservationKind } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, EventTimeMs } from '../../streams/time/index.ts'
import { addDense, emptyDense, joinDense, type Dense } from './dense.ts'
import { BEFORE, NEWEST } from './dense-layout.ts'
import { emptyKept, expireKept, forgetKept, identityOf, insertKept, isSame, joinKept, ORDER, placeOf, READING, removeKept, uncount, type Kept } from './kept.ts'
import type { SeriesPlan } from './plan.ts'

/** One concept of one key: kept readings, device readings as tiles, and the two newest of both. */
export interface Series extends Kept {
  /** From the first device reading on. */
  device: Dense | undefined
  /** Place of the next reading in the log, within the series; from 1. */
  nextOrder: number
  lastTime: EventTimeMs
  lastValue: number
  previousTime: EventTimeMs
  previousValue: number
  /** Readings since the admission. */
  count: number
}

export function emptySeries (): Series {
  return { ...emptyKept(), device: undefined, nextOrder: 1, lastTime: -1, lastValue: NaN, previousTime: -1, previousValue: NaN, count: 0 }
}

/** What became of a reading. `none`: it says nothing of what is there. `truncated` is told besides, where the oldest had to go; `left-behind`, where its visit has gone to another patient. */
export type Applied = 'added' | 'replaced' | 'withdrawn' | 'duplicate' | 'late' | 'truncated' | 'left-behind' | 'none'

/** Takes one observation in, as docs/feature-semantics.md says. `late` of a kept reading: it counts, and every window has passed it. */
export function applyObservation (plan: SeriesPlan, series: Series, o: Observation, kind: ObservationKind, arrival: ArrivalTimeMs, onTruncated: () => void): Applied {
  const time = o.eventTime < arrival ? o.eventTime : arrival
  const stands = o.quality === 'valid' && o.status !== 'withdrawn'
  if (kind !== 'device' || o.resultId !== '') return applyKept(plan, series, identityOf(o.resultId), time, o.value, stands, arrival, onTruncated)
  if (!stands) return 'none' // without an identity nothing can be taken out
  const applied = addDense(plan, series.device ??= emptyDense(plan), time, o.value, series.nextOrder)
  if (applied !== 'added') return applied
  series.nextOrder++
  series.count++
  raise(series, time, o.value)
  return 'added'
}

function applyKept (plan: SeriesPlan, series: Series, identity: number, time: EventTimeMs, value: number, stands: boolean, arrival: ArrivalTimeMs, onTruncated: () => void): Applied {
  const at = placeOf(series, identity)
  if (at < 0) {
    if (!stands) return 'none'
    insert(plan, series, identity, time, value, true, arrival, onTruncated)
    raise(series, time, value)
    return time < arrival - plan.readingsMs ? 'late' : 'added'
  }
  const order = series.readings[at + ORDER]!
  if (stands && order !== 0 && isSame(series, at, time, value)) return 'duplicate'
  removeKept(series, at)
  if (order > 0) series.count--
  // Of what was told before the patient was forgotten, this is a first word.
  if (stands) insert(plan, series, identity, time, value, order >= 0, arrival, onTruncated)
  refresh(series)
  return stands ? order === 0 ? 'added' : 'replaced' : 'withdrawn'
}

function insert (plan: SeriesPlan, series: Series, identity: number, time: EventTimeMs, value: number, counted: boolean, arrival: ArrivalTimeMs, onTruncated: () => void): void {
  const order = series.nextOrder++
  if (counted) series.count++
  if (insertKept(series, time, value, counted ? order : -order, identity, arrival - plan.readingsMs) > 0) onTruncated()
}

/** A new reading is newer than all of its time. */
function raise (series: Series, time: EventTimeMs, value: number): void {
  if (time >= series.lastTime) {
    series.previousTime = series.lastTime
    series.previousValue = series.lastValue
    series.lastTime = time
    series.lastValue = value
  } else if (time >= series.previousTime) {
    series.previousTime = time
    series.previousValue = value
  }
}

interface Ranked { readonly time: EventTimeMs, readonly value: number, readonly order: number }

/** The two newest again, of both kinds: after a replacement, a withdrawal or a join. */
function refresh (series: Series): void {
  const { readings, held, device } = series
  const newest: Ranked[] = []
  for (let at = held * READING - READING; at >= 0 && newest.length < 2; at -= READING) {
    if (readings[at + ORDER] !== 0) newest.push({ time: readings[at]!, value: readings[at + 1]!, order: Math.abs(readings[at + ORDER]!) })
  }
  if (device !== undefined) for (const at of [NEWEST, BEFORE]) newest.push({ time: device.dense[at]!, value: device.dense[at + 1]!, order: device.dense[at + 2]! })
  const [last, previous] = newest.filter(r => r.order > 0).sort((a, b) => b.time - a.time || b.order - a.order)
  series.lastTime = last?.time ?? -1
  series.lastValue = last?.value ?? NaN
  series.previousTime = previous?.time ?? -1
  series.previousValue = previous?.value ?? NaN
}

/** An admission: counting begins anew. */
export function admitSeries (series: Series): void {
  series.count = 0
  uncount(series)
}

/** What is left when the patient is forgotten: kept readings, for as long as the longest window that outlives a discharge. undefined: nothing. */
export function forgetSeries (plan: SeriesPlan, series: Series, at: ArrivalTimeMs): Series | undefined {
  if (plan.keptAfterDischarge === 0) return undefined
  const left = emptySeries()
  left.readings = series.readings
  left.held = series.held
  forgetKept(left, at - plan.keptAfterDischarge)
  return left.held === 0 ? undefined : left
}

/** Drops what no window reaches any more of what outlived a discharge. Answers when to look again; Infinity: nothing is left of it. */
export function expireSeries (plan: SeriesPlan, series: Series, at: ArrivalTimeMs): ArrivalTimeMs {
  return expireKept(series, at - plan.keptAfterDischarge) + plan.keptAfterDischarge + 1
}

/** Nothing is held and nothing was. */
export function isBlank (series: Series): boolean { return series.held === 0 && series.device === undefined && series.nextOrder === 1 }

/** When something is to be dropped at the earliest, of what outlived a discharge. */
export function expiryOf (plan: SeriesPlan, series: Series): ArrivalTimeMs {
  for (let at = 0; at < series.held * READING; at += READING) if (series.readings[at + ORDER] === 0) return series.readings[at]! + plan.keptAfterDischarge + 1
  return Infinity
}

/**
 * Takes in what was kept of the same concept under another key, as if all of that had come before what is here. `admitted`: the survivor was
 * told an admission, so what the other had came before it. Answers how many readings were too many.
 */
export function joinSeries (plan: SeriesPlan, into: Series, from: Series, admitted: boolean): number {
  const raised = from.nextOrder - 1
  if (admitted) admitSeries(from)
  const { gone, uncounted } = joinKept(into, from, raised)
  if (from.device !== undefined) {
    into.device ??= emptyDense(plan)
    for (const at of [NEWEST, BEFORE]) if (into.device.dense[at + 2]! > 0) into.device.dense[at + 2]! += raised
    joinDense(plan, into.device, from.device)
  } else if (into.device !== undefined) for (const at of [NEWEST, BEFORE]) if (into.device.dense[at + 2]! > 0) into.device.dense[at + 2]! += raised
  into.nextOrder += raised
  into.count += from.count - uncounted
  refresh(into)
  return gone
}
