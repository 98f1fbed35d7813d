import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import { DENSE_HEAD, NEWEST } from './dense-layout.ts'
import { firstFrom, FORGOTTEN_AFTER_MS, ORDER, READING } from './kept.ts'
import { samplesOf, type SeriesPlan } from './plan.ts'
import type { Series } from './series.ts'
import { RING_HEAD, slotOf, type RingPlan } from './tile-ring.ts'
import type { Needs, WindowStats } from './window-stats.ts'

/** Fills what a window says of a series as of a time. */
export type Gather = (series: Series, asOf: ArrivalTimeMs, into: WindowStats) => void

/** What was told before the patient was forgotten is for windows longer than a day. */
function reaches (windowMs: DurationMs): boolean { return windowMs > FORGOTTEN_AFTER_MS }

/** Kept readings of `[asOf - windowMs, asOf]`, or `[asOf - windowMs, asOf - untilMs)`. */
export function overReadings (needs: Needs, windowMs: DurationMs, untilMs: DurationMs): Gather {
  const long = reaches(windowMs)
  return (series, asOf, into) => {
    into.reset(needs)
    const { readings } = series
    const end = asOf - untilMs
    for (let at = firstFrom(series, asOf - windowMs); at < series.held * READING; at += READING) {
      const time = readings[at]!
      if (time > end || (time === end && untilMs > 0)) break
      if (!long && readings[at + ORDER] === 0) continue
      if (into.n === 0) into.first = readings[at + 1]!
      else if (needs.held) into.hold(needs, into.last, time - into.newest)
      into.add(needs, time, readings[at + 1]!)
      if (needs.seen) into.see(needs, readings[at + 1]!, time)
      into.last = readings[at + 1]!
      into.newest = time
    }
    if (needs.held && into.n > 0) into.hold(needs, into.last, end - into.newest)
  }
}

/** Means of samples: those that begin after `asOf - windowMs` rounded down to a sample. */
export function overSamples (needs: Needs, ring: RingPlan, windowMs: DurationMs): Gather {
  const long = reaches(windowMs)
  const sampleMs = ring.tileMs
  return (series, asOf, into) => {
    into.reset(needs)
    const first = Math.floor((asOf - windowMs) / sampleMs) + 1
    const newest = Math.floor(asOf / sampleMs)
    const { readings, held } = series
    const dense = series.device?.dense
    let at = firstFrom(series, first * sampleMs)
    for (let id = first; id <= newest; id++) {
      let n = 0
      let sum = 0
      const slot = dense === undefined ? -1 : slotOf(ring, dense, id)
      if (slot >= 0) {
        const tile = ring.at + RING_HEAD + slot * ring.stride
        n = dense![tile]!
        if (n > 0) { sum = dense![tile + ring.sum]!; if (dense![NEWEST]! > into.newest) into.newest = dense![NEWEST]! }
      }
      for (const end = (id + 1) * sampleMs; at < held * READING && readings[at]! < end; at += READING) {
        if (!long && readings[at + ORDER] === 0) continue
        n++
        sum += readings[at + 1]!
        if (readings[at]! > into.newest) into.newest = readings[at]!
      }
      if (n === 0) continue
      const mean = sum / n
      if (into.n === 0) into.first = mean
      into.last = mean
      into.add(needs, id * sampleMs, mean)
    }
  }
}

/** Of the newest samples, `n` that hold a reading; `sum` is how many there are. */
export function missingSamples (needs: Needs, ring: RingPlan, windowMs: DurationMs): Gather {
  const long = reaches(windowMs)
  const everyMs = ring.tileMs
  const samples = samplesOf(windowMs, everyMs)
  return (series, asOf, into) => {
    into.reset(needs)
    const newest = Math.floor(asOf / everyMs)
    const { readings, held } = series
    const dense = series.device?.dense
    let at = firstFrom(series, (newest - samples + 1) * everyMs)
    for (let id = newest - samples + 1; id <= newest; id++) {
      const slot = dense === undefined ? -1 : slotOf(ring, dense, id)
      let present = slot >= 0 && dense![ring.at + RING_HEAD + slot * ring.stride]! > 0
      if (present && dense![NEWEST]! > into.newest) into.newest = dense![NEWEST]!
      for (const end = (id + 1) * everyMs; at < held * READING && readings[at]! < end; at += READING) {
        if (!long && readings[at + ORDER] === 0) continue
        present = true
        if (readings[at]! > into.newest) into.newest = readings[at]!
      }
      if (present) into.n++
    }
  }
}

/** Tiles from the first that begins at or after `asOf - windowMs`, and kept readings from its start. */
export function overTiles (needs: Needs, plan: SeriesPlan, ring: RingPlan, windowMs: DurationMs, counts: Float64Array): Gather {
  const long = reaches(windowMs)
  const { tileMs } = ring
  const limits = limitsOf(needs, plan)
  return (series, asOf, into) => {
    into.reset(needs)
    if (needs.sketch) counts.fill(0)
    const first = Math.ceil((asOf - windowMs) / tileMs)
    const device = series.device
    const from = firstFrom(series, first * tileMs)
    if (device !== undefined && device.dense[NEWEST]! >= first * tileMs) {
      mergeTiles(needs, ring, device.dense, first, asOf, into)
      into.newest = device.dense[NEWEST]!
      into.last = device.dense[NEWEST + 1]!
      if (needs.sketch) mergeSketches(ring, device.dense, device.words, first, counts)
      for (const { places, newest, at } of limits) if (device.dense[places]! >= first * tileMs) into[newest][at] = device.dense[places]!
    }
    if (needs.held) perTile(needs, ring, series, long, first, Math.floor(asOf / tileMs), from, into)
    for (let at = from; at < series.held * READING; at += READING) {
      if (!long && series.readings[at + ORDER] === 0) continue
      addReading(needs, series.readings[at]!, series.readings[at + 1]!, into)
      if (needs.sketch) { const bucket = ring.buckets!.indexOf(series.readings[at + 1]!); counts[bucket] = counts[bucket]! + 1 }
    }
  }
}

interface LimitPlace { readonly places: number, readonly newest: 'newestAbove' | 'newestBelow', readonly at: number }

/** Where the newest device reading beyond each limit stands; of limits that nobody asks the time since, nowhere. */
function limitsOf ({ above, below }: Needs, plan: SeriesPlan): readonly LimitPlace[] {
  const of = (asked: readonly number[], kept: readonly number[], from: number, newest: LimitPlace['newest']): readonly LimitPlace[] => asked.flatMap((limit, at) => kept.includes(limit) ? [{ places: from + kept.indexOf(limit), newest, at }] : [])
  return [...of(above, plan.above, DENSE_HEAD, 'newestAbove'), ...of(below, plan.below, DENSE_HEAD + plan.above.length, 'newestBelow')]
}

/** A kept reading beside the tiles: it comes after a device reading of its time. */
function addReading (needs: Needs, time: EventTimeMs, value: number, into: WindowStats): void {
  if (into.firstTime < 0 || time < into.firstTime) { into.firstTime = time; into.first = value }
  if (time >= into.newest) { into.newest = time; into.last = value }
  into.add(needs, time, value)
  if (needs.seen) into.see(needs, value, time)
}

/** Merges tiles (Chan, Golub and LeVeque 1979 for moments). */
function mergeTiles (needs: Needs, ring: RingPlan, dense: Float64Array, first: number, asOf: ArrivalTimeMs, into: WindowStats): void {
  const { stride, tiles } = ring
  const head = dense[ring.at]!
  const newest = Math.min(head, Math.floor(asOf / ring.tileMs))
  const oldest = Math.max(first, head - tiles + 1)
  let slot = slotOf(ring, dense, oldest)
  for (let id = oldest; id <= newest; id++, slot = slot + 1 === tiles ? 0 : slot + 1) {
    const at = ring.at + RING_HEAD + slot * stride
    const n = dense[at]!
    if (n === 0) continue
    if (needs.moments) mergeMoments(ring, dense, at, n, id * ring.tileMs, into)
    if (ring.first >= 0 && into.n === 0) { into.firstTime = dense[at + ring.first]!; into.first = dense[at + ring.first + 1]! }
    into.n += n
    if (ring.sum >= 0) into.sum += dense[at + ring.sum]!
    if (ring.extremes >= 0) {
      if (dense[at + ring.extremes]! < into.min) into.min = dense[at + ring.extremes]!
      if (dense[at + ring.extremes + 1]! > into.max) into.max = dense[at + ring.extremes + 1]!
    }
  }
}

/** Before the count has the tile's. */
function mergeMoments (ring: RingPlan, dense: Float64Array, at: number, n: number, start: number, into: WindowStats): void {
  if (into.n === 0) into.origin = start
  const total = into.n + n
  const weight = into.n * n / total
  const off = dense[at + ring.sum]! / n - into.mean
  if (ring.spread >= 0) into.m2 += dense[at + ring.spread]! + off * off * weight
  if (ring.trend >= 0) {
    const dt = start - into.origin + dense[at + ring.trend]! / n - into.meanT
    into.mtt += dense[at + ring.trend + 1]! + dt * dt * weight
    into.mty += dense[at + ring.trend + 2]! + dt * off * weight
    into.meanT += dt * n / total
  }
  into.mean += off * n / total
}

function mergeSketches (ring: RingPlan, dense: Float64Array, words: Uint32Array, first: number, counts: Float64Array): void {
  const { length } = ring.buckets!
  const head = dense[ring.at]!
  for (let id = Math.max(first, head - ring.tiles + 1); id <= head; id++) {
    const slot = slotOf(ring, dense, id)
    if (dense[ring.at + RING_HEAD + slot * ring.stride] === 0) continue
    for (let i = 0, at = ring.wordAt + slot * length; i < length; i++, at++) counts[i] = counts[i]! + words[at]!
  }
}

/** Of each tile, device and kept readings together: the mean of its means, and how much of it lies beyond the limits. */
function perTile (needs: Needs, ring: RingPlan, series: Series, long: boolean, first: number, newest: number, from: number, into: WindowStats): void {
  const { readings, held } = series
  const dense = series.device?.dense
  let at = from
  for (let id = first; id <= newest; id++) {
    const slot = dense === undefined ? -1 : slotOf(ring, dense, id)
    const tile = ring.at + RING_HEAD + slot * ring.stride
    const begin = at
    let n = slot < 0 ? 0 : dense![tile]!
    let sum = n === 0 || ring.sum < 0 ? 0 : dense![tile + ring.sum]!
    for (const end = (id + 1) * ring.tileMs; at < held * READING && readings[at]! < end; at += READING) if (long || readings[at + ORDER] !== 0) { n++; sum += readings[at + 1]! }
    if (n === 0) continue
    into.held += sum / n
    into.weights++
    const share = (limits: readonly number[], kept: readonly number[], column: number, sums: number[], sign: 1 | -1): void => {
      for (let i = 0; i < limits.length; i++) {
        const place = kept.indexOf(limits[i]!)
        let beyond = place < 0 || slot < 0 || dense![tile] === 0 ? 0 : dense![tile + column + place]!
        for (let r = begin; r < at; r += READING) if ((long || readings[r + ORDER] !== 0) && sign * readings[r + 1]! > sign * limits[i]!) beyond++
        sums[i] = sums[i]! + beyond / n * ring.tileMs
      }
    }
    share(needs.above, ring.columns.above, ring.above, into.aboveMs, 1)
    share(needs.below, ring.columns.below, ring.below, into.belowMs, -1)
  }
}
