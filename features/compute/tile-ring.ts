import type { DurationMs, EventTimeMs } from '../../streams/time/index.ts'

/** Which partials a ring keeps beyond count, mean and newest time. */
export interface TileColumns { readonly spread: boolean, readonly extremes: boolean, readonly trend: boolean }
/** A ring of `tiles` tiles of `tileMs` each, from place `at` of the array that all rings of a series share. */
export interface RingPlan { readonly at: number, readonly tileMs: DurationMs, readonly tiles: number, readonly columns: TileColumns }

// Column places in a tile; later ones exist only where the plan has them.
const ID = 0
const COUNT = 1
const MEAN = 2
const NEWEST = 3
const BASE = 4
const HOUR_MS = 3_600_000

/** Result of merging tiles. Times in ms; slope per hour; m2 is the sum of squared deviations. */
export interface WindowStats { n: number, mean: number, m2: number, min: number, max: number, newest: EventTimeMs, meanT: number, mtt: number, mty: number }

function strideOf ({ spread, extremes, trend }: TileColumns): number { return BASE + (spread ? 1 : 0) + (extremes ? 2 : 0) + (trend ? 3 : 0) }

/** Doubles that a ring takes. */
export function ringLength ({ tiles, columns }: Pick<RingPlan, 'tiles' | 'columns'>): number { return tiles * strideOf(columns) }

/** The rings of one series in one array: a patient has thousands of tiles, and the collector should see few arrays. */
export function emptyRings (plans: readonly RingPlan[]): Float64Array { return new Float64Array(plans.reduce((n, plan) => n + ringLength(plan), 0)).fill(-1) }

/**
 * Adds one reading to its tile: commutative partials (Welford; co-moments for the trend), so order does not matter. False: older than the ring.
 * O(1); about 15 ns.
 */
export function addToRing (plan: RingPlan, ring: Float64Array, time: EventTimeMs, value: number): boolean {
  const { columns } = plan
  const id = Math.floor(time / plan.tileMs)
  const at = plan.at + (id % plan.tiles) * strideOf(columns)
  if (ring[at + ID]! > id) return false
  if (ring[at + ID] !== id) openTile(columns, ring, at, id)
  const n = ring[at + COUNT]! + 1
  const mean = ring[at + MEAN]!
  const deviation = value - mean
  const newMean = mean + deviation / n
  ring[at + COUNT] = n
  ring[at + MEAN] = newMean
  if (time > ring[at + NEWEST]!) ring[at + NEWEST] = time
  let place = at + BASE
  if (columns.spread) ring[place] = ring[place++]! + deviation * (value - newMean)
  if (columns.extremes) {
    if (value < ring[place]!) ring[place] = value
    if (value > ring[place + 1]!) ring[place + 1] = value
    place += 2
  }
  if (columns.trend) {
    const t = (time - id * plan.tileMs) / HOUR_MS
    const dt = t - ring[place]!
    ring[place]! += dt / n
    const after = t - ring[place]!
    ring[place + 1]! += dt * after
    ring[place + 2]! += deviation * after
  }
  return true
}

function openTile (columns: TileColumns, ring: Float64Array, at: number, id: number): void {
  ring.fill(0, at, at + strideOf(columns))
  ring[at + ID] = id
  ring[at + NEWEST] = -1
  if (columns.extremes) {
    const place = at + BASE + (columns.spread ? 1 : 0)
    ring[place] = Infinity
    ring[place + 1] = -Infinity
  }
}

/** Empties the tile of `time`, for rebuilding it from readings. */
export function clearTile (plan: RingPlan, ring: Float64Array, time: EventTimeMs): void {
  const id = Math.floor(time / plan.tileMs)
  const at = plan.at + (id % plan.tiles) * strideOf(plan.columns)
  if (ring[at + ID] === id) openTile(plan.columns, ring, at, id)
}

/** Count of readings in the tile of `time`. */
export function tileCount (plan: RingPlan, ring: Float64Array, time: EventTimeMs): number {
  const id = Math.floor(time / plan.tileMs)
  const at = plan.at + (id % plan.tiles) * strideOf(plan.columns)
  return ring[at + ID] === id ? ring[at + COUNT]! : 0
}

/** Merges the tiles whose start lies in [asOf - windowMs, asOf] (Chan et al. 1979 for moments): the head is exact, the tail moves by a tile. */
export function mergeTiles (plan: RingPlan, ring: Float64Array, asOf: EventTimeMs, windowMs: DurationMs, into: WindowStats): WindowStats {
  const { columns, tileMs, tiles } = plan
  const stride = strideOf(columns)
  const newest = Math.floor(asOf / tileMs)
  const oldest = Math.max(Math.ceil((asOf - windowMs) / tileMs), newest - tiles + 1)
  resetStats(into)
  for (let id = oldest; id <= newest; id++) {
    const at = plan.at + (id % tiles) * stride
    if (ring[at + ID] !== id || ring[at + COUNT] === 0) continue
    mergeOne(into, columns, ring, at, (id * tileMs - asOf) / HOUR_MS)
  }
  return into
}

function mergeOne (into: WindowStats, columns: TileColumns, ring: Float64Array, at: number, startHours: number): void {
  const n = ring[at + COUNT]!
  const total = into.n + n
  const d = ring[at + MEAN]! - into.mean
  const weight = into.n * n / total
  let place = at + BASE
  if (columns.spread) into.m2 += ring[place++]! + d * d * weight
  if (columns.extremes) {
    if (ring[place]! < into.min) into.min = ring[place]!
    if (ring[place + 1]! > into.max) into.max = ring[place + 1]!
    place += 2
  }
  if (columns.trend) {
    const dt = startHours + ring[place]! - into.meanT
    into.mtt += ring[place + 1]! + dt * dt * weight
    into.mty += ring[place + 2]! + dt * d * weight
    into.meanT += dt * n / total
  }
  into.mean += d * n / total
  into.n = total
  if (ring[at + NEWEST]! > into.newest) into.newest = ring[at + NEWEST]!
}

export interface RingTile { readonly start: EventTimeMs, readonly count: number, readonly mean: number, readonly newest: EventTimeMs }

/** The tiles that hold something, oldest first. */
export function ringTiles (plan: RingPlan, ring: Float64Array): readonly RingTile[] {
  const tiles: RingTile[] = []
  for (let at = plan.at; at < plan.at + ringLength(plan); at += strideOf(plan.columns)) {
    if (ring[at + ID]! >= 0 && ring[at + COUNT]! > 0) tiles.push({ start: ring[at + ID]! * plan.tileMs, count: ring[at + COUNT]!, mean: ring[at + MEAN]!, newest: ring[at + NEWEST]! })
  }
  return tiles.sort((a, b) => a.start - b.start)
}

/** Takes the tiles of another series into these: of two that share a place the newer stays, the same tile is the sum of both (Chan et al. 1979). */
export function joinRing (plan: RingPlan, into: Float64Array, from: Float64Array): void {
  const stride = strideOf(plan.columns)
  for (let at = plan.at; at < plan.at + ringLength(plan); at += stride) {
    if (from[at + ID]! < 0 || from[at + ID]! < into[at + ID]!) continue
    if (from[at + ID] !== into[at + ID] || into[at + COUNT] === 0) into.set(from.subarray(at, at + stride), at)
    else if (from[at + COUNT] !== 0) joinTile(plan.columns, into, from, at)
  }
}

function joinTile (columns: TileColumns, into: Float64Array, from: Float64Array, at: number): void {
  const [a, b] = [into[at + COUNT]!, from[at + COUNT]!]
  const n = a + b
  const d = from[at + MEAN]! - into[at + MEAN]!
  const weight = a * b / n
  into[at + COUNT] = n
  into[at + MEAN] = into[at + MEAN]! + d * b / n
  into[at + NEWEST] = Math.max(into[at + NEWEST]!, from[at + NEWEST]!)
  let place = at + BASE
  if (columns.spread) into[place] = into[place]! + from[place++]! + d * d * weight
  if (columns.extremes) {
    into[place] = Math.min(into[place]!, from[place]!)
    into[place + 1] = Math.max(into[place + 1]!, from[place + 1]!)
    place += 2
  }
  if (columns.trend) {
    const dt = from[place]! - into[place]!
    into[place] = into[place]! + dt * b / n
    into[place + 1] = into[place + 1]! + from[place + 1]! + dt * dt * weight
    into[place + 2] = into[place + 2]! + from[place + 2]! + dt * d * weight
  }
}

/** Statistics over the tiles' means, each one point at its tile's start: the present tile and those that began less than windowMs ago. */
export function sampleTiles (plan: RingPlan, ring: Float64Array, asOf: EventTimeMs, windowMs: DurationMs, into: WindowStats & { first: number }): WindowStats & { first: number } {
  const { columns, tileMs, tiles } = plan
  const stride = strideOf(columns)
  const newest = Math.floor(asOf / tileMs)
  const oldest = Math.max(Math.floor((asOf - windowMs) / tileMs) + 1, newest - tiles + 1)
  resetStats(into)
  into.first = NaN
  for (let id = oldest; id <= newest; id++) {
    const at = plan.at + (id % tiles) * stride
    if (ring[at + ID] !== id || ring[at + COUNT] === 0) continue
    addPoint(into, (id * tileMs - asOf) / HOUR_MS, ring[at + MEAN]!)
    if (into.n === 1) into.first = ring[at + MEAN]!
    if (ring[at + NEWEST]! > into.newest) into.newest = ring[at + NEWEST]!
  }
  return into
}

/** One more point (time in hours) into running moments. */
export function addPoint (into: WindowStats, tHours: number, value: number): void {
  const n = ++into.n
  const d = value - into.mean
  const dt = tHours - into.meanT
  into.mean += d / n
  into.meanT += dt / n
  into.m2 += d * (value - into.mean)
  into.mtt += dt * (tHours - into.meanT)
  into.mty += d * (tHours - into.meanT)
  if (value < into.min) into.min = value
  if (value > into.max) into.max = value
}

export function emptyStats (): WindowStats & { first: number } {
  return { n: 0, mean: 0, m2: 0, min: Infinity, max: -Infinity, newest: -1, meanT: 0, mtt: 0, mty: 0, first: NaN }
}

export function resetStats (s: WindowStats): void {
  s.n = 0
  s.mean = 0
  s.m2 = 0
  s.min = Infinity
  s.max = -Infinity
  s.newest = -1
  s.meanT = 0
  s.mtt = 0
  s.mty = 0
}
