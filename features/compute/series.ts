import type { Observation, ObservationKind } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, EventTimeMs } from '../../streams/time/index.ts'
import type { SeriesPlan } from './plan.ts'
import { addToRing, clearTile, emptyRings, joinRing, tileCount } from './tile-ring.ts'

/** At most so many readings of a sparse series; the oldest go first. */
const READINGS_MAX = 96
/** Event times of the last so many dense readings, against duplicates. */
const RECENT = 16

/** One concept of one patient. Sparse readings stand in event-time order, ties in order of arrival. */
export interface Series {
  readonly times: EventTimeMs[]
  readonly values: number[]
  readonly ids: string[]
  /** Place of each reading in the order of arrival. */
  readonly orders: number[]
  /** Every ring of the plan, one behind the other. */
  readonly rings: Float64Array
  readonly recent: EventTimeMs[]
  recentAt: number
  /** The two newest dense readings, newest first: what is left when a newer sparse one is withdrawn. */
  readonly newestDense: Ranked[]
  /** Place of the next reading in the order of arrival. */
  nextOrder: number
  lastTime: EventTimeMs
  lastValue: number
  previousTime: EventTimeMs
  previousValue: number
  /** Readings since the encounter began. */
  count: number
}

/** A reading with its rank: event time, then arrival. */
interface Ranked { time: EventTimeMs, value: number, order: number }

export function emptySeries (plan: SeriesPlan): Series {
  return {
    times: [], values: [], ids: [], orders: [], rings: emptyRings(plan.rings), recent: [], recentAt: 0, newestDense: [], nextOrder: 0,
    lastTime: -1, lastValue: NaN, previousTime: -1, previousValue: NaN, count: 0,
  }
}

export type Applied = 'added' | 'replaced' | 'withdrawn' | 'duplicate' | 'late'

/** Takes one observation in: a result identity seen before is replaced or withdrawn; a dense reading seen before (same event time) is a duplicate. */
export function applyObservation (plan: SeriesPlan, series: Series, o: Observation, kind: ObservationKind, arrival: ArrivalTimeMs): Applied {
  return kind === 'device' && o.resultId === '' ? applyDense(plan, series, o) : applySparse(plan, series, o, arrival)
}

/** True if a reading with this identity is kept, so that it can be replaced or withdrawn. */
export function holds (series: Series | undefined, resultId: string): boolean { return resultId !== '' && series !== undefined && series.ids.includes(resultId) }

function applyDense (plan: SeriesPlan, series: Series, o: Observation): Applied {
  if (o.status === 'withdrawn') return 'late' // without an identity nothing can be taken out of a tile; it must not count a second time
  if (series.recent.includes(o.eventTime)) return 'duplicate'
  series.recent[series.recentAt] = o.eventTime
  series.recentAt = (series.recentAt + 1) % RECENT
  series.count++
  rankDense(series.newestDense, o.eventTime, o.value, series.nextOrder++)
  raise(series, o.eventTime, o.value)
  return addToRings(plan, series, o.eventTime, o.value) ? 'added' : 'late'
}

function applySparse (plan: SeriesPlan, series: Series, o: Observation, arrival: ArrivalTimeMs): Applied {
  const known = o.resultId === '' ? -1 : series.ids.indexOf(o.resultId)
  if (known >= 0) {
    const same = series.times[known] === o.eventTime && series.values[known] === o.value
    if (same && o.status !== 'withdrawn') return 'duplicate'
    remove(plan, series, known)
  }
  if (o.status === 'withdrawn') {
    if (known >= 0) { refresh(series); series.count = Math.max(0, series.count - 1) }
    return 'withdrawn'
  }
  if (known < 0) series.count++
  insert(plan, series, o, arrival)
  if (known >= 0) refresh(series)
  const kept = addToRings(plan, series, o.eventTime, o.value)
  return known >= 0 ? 'replaced' : kept || plan.rings.length === 0 ? 'added' : 'late'
}

function insert (plan: SeriesPlan, series: Series, o: Observation, arrival: ArrivalTimeMs): void {
  let at = series.times.length
  while (at > 0 && series.times[at - 1]! > o.eventTime) at--
  series.times.splice(at, 0, o.eventTime)
  series.values.splice(at, 0, o.value)
  series.ids.splice(at, 0, o.resultId)
  series.orders.splice(at, 0, series.nextOrder++)
  while (series.times.length > READINGS_MAX || (series.times.length > 2 && series.times[0]! < arrival - plan.readingsMs)) {
    series.times.shift()
    series.values.shift()
    series.ids.shift()
    series.orders.shift()
  }
  raise(series, o.eventTime, o.value)
}

/** Takes a reading out, and builds its tiles again from the readings where they hold nothing else. */
function remove (plan: SeriesPlan, series: Series, at: number): void {
  const time = series.times[at]!
  plan.rings.forEach(ring => {
    const tile = Math.floor(time / ring.tileMs)
    const inTile = series.times.map((t, j) => [t, j] as const).filter(([t]) => Math.floor(t / ring.tileMs) === tile)
    if (tileCount(ring, series.rings, time) !== inTile.length) return // shared with dense readings: they outweigh it
    clearTile(ring, series.rings, time)
    for (const [t, j] of inTile) if (j !== at) addToRing(ring, series.rings, t, series.values[j]!)
  })
  series.times.splice(at, 1)
  series.values.splice(at, 1)
  series.ids.splice(at, 1)
  series.orders.splice(at, 1)
}

/** The two newest again, of both kinds: after a replacement or a withdrawal. */
function refresh (series: Series): void {
  const { times, values, orders, newestDense } = series
  const sparse = [times.length - 1, times.length - 2].filter(i => i >= 0).map((i): Ranked => ({ time: times[i]!, value: values[i]!, order: orders[i]! }))
  const [last, previous] = [...sparse, ...newestDense].sort(newestFirst)
  series.lastTime = last?.time ?? -1
  series.lastValue = last?.value ?? NaN
  series.previousTime = previous?.time ?? -1
  series.previousValue = previous?.value ?? NaN
}

/**
 * Takes in what was kept of the same concept under another key, as if all of that had arrived before what is here: at the same event time the
 * reading here is the newer one, and of two readings with one identity the one here stands. A device reading that both have counts twice.
 */
export function joinSeries (plan: SeriesPlan, into: Series, from: Series, arrival: ArrivalTimeMs): void {
  for (let at = from.ids.length - 1; at >= 0; at--) if (holds(into, from.ids[at]!)) { remove(plan, from, at); from.count = Math.max(0, from.count - 1); refresh(from) }
  for (const ring of plan.rings) joinRing(ring, into.rings, from.rings)
  const shift = from.nextOrder
  const mine = into.times.map((time, i) => ({ time, value: into.values[i]!, id: into.ids[i]!, order: into.orders[i]! + shift }))
  const theirs = from.times.map((time, i) => ({ time, value: from.values[i]!, id: from.ids[i]!, order: from.orders[i]! }))
  const all = [...theirs, ...mine].sort((a, b) => a.time - b.time || a.order - b.order)
  const first = Math.max(0, all.length - READINGS_MAX, Math.min(all.length - 2, all.filter(r => r.time < arrival - plan.readingsMs).length))
  const kept = all.slice(first)
  into.times.splice(0, into.times.length, ...kept.map(r => r.time))
  into.values.splice(0, into.values.length, ...kept.map(r => r.value))
  into.ids.splice(0, into.ids.length, ...kept.map(r => r.id))
  into.orders.splice(0, into.orders.length, ...kept.map(r => r.order))
  const dense = [...from.newestDense, ...into.newestDense.map(r => ({ ...r, order: r.order + shift }))].sort(newestFirst).slice(0, 2)
  into.newestDense.splice(0, into.newestDense.length, ...dense)
  const recent = [...new Set([...from.recent, ...into.recent])].sort((a, b) => a - b).slice(-RECENT)
  into.recent.splice(0, into.recent.length, ...recent)
  into.recentAt = recent.length % RECENT
  joinNewest(into, from)
  into.nextOrder += shift
  into.count += from.count
}

/** The two newest of the two newest of both. */
function joinNewest (into: Series, from: Series): void {
  const newest = [
    { time: from.previousTime, value: from.previousValue, order: 0 }, { time: from.lastTime, value: from.lastValue, order: 1 },
    { time: into.previousTime, value: into.previousValue, order: 2 }, { time: into.lastTime, value: into.lastValue, order: 3 },
  ].sort(newestFirst)
  into.lastTime = newest[0]!.time
  into.lastValue = newest[0]!.value
  into.previousTime = newest[1]!.time
  into.previousValue = newest[1]!.value
}

function newestFirst (a: Ranked, b: Ranked): number { return b.time - a.time || b.order - a.order }

/** Keeps the two newest, newest first; a reading takes the place of the one that goes. */
function rankDense (newest: Ranked[], time: EventTimeMs, value: number, order: number): void {
  if (newest.length < 2) {
    newest.push({ time, value, order })
    newest.sort(newestFirst)
    return
  }
  const [first, second] = newest as [Ranked, Ranked]
  if (second.time > time || (second.time === time && second.order > order)) return
  second.time = time
  second.value = value
  second.order = order
  if (newestFirst(first, second) < 0) return
  newest[0] = second
  newest[1] = first
}

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

function addToRings (plan: SeriesPlan, series: Series, time: EventTimeMs, value: number): boolean {
  let kept = plan.rings.length === 0
  for (const ring of plan.rings) kept = addToRing(ring, series.rings, time, value) || kept
  return kept
}
