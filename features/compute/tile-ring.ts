import type { DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import type { Buckets } from './sketch.ts'

/** Which partials a ring keeps beyond the count. */
export interface TileColumns {
  readonly sum: boolean
  readonly spread: boolean
  readonly extremes: boolean
  readonly first: boolean
  readonly trend: boolean
  readonly sketch: boolean
  /** A count of readings above, or below, each of these. */
  readonly above: readonly number[]
  readonly below: readonly number[]
}

/**
 * A ring of `tiles` tiles of `tileMs` each, from place `at` of the array that all rings of a series share: the newest tile's number and slot, then
 * the tiles. Places are within a tile, -1 where the column is not kept. A tile's sketch is `buckets.length` words, from `wordAt` on.
 */
export interface RingPlan {
  readonly tileMs: DurationMs
  readonly tiles: number
  readonly at: number
  readonly wordAt: number
  readonly stride: number
  readonly sum: number
  readonly spread: number
  readonly extremes: number
  readonly first: number
  readonly trend: number
  readonly above: number
  readonly below: number
  readonly columns: TileColumns
  readonly buckets: Buckets | undefined
}

/** Before the tiles: the number of the newest (time / tileMs), and its slot. */
export const RING_HEAD = 2

export function layRing ({ tileMs, tiles, at, wordAt, buckets, columns }: Pick<RingPlan, 'tileMs' | 'tiles' | 'at' | 'wordAt' | 'buckets' | 'columns'>): RingPlan {
  let stride = 1
  const place = (kept: boolean, length: number): number => {
    const from = kept ? stride : -1
    if (kept) stride += length
    return from
  }
  const sum = place(columns.sum, 1)
  const spread = place(columns.spread, 1)
  const extremes = place(columns.extremes, 2)
  const first = place(columns.first, 2)
  const trend = place(columns.trend, 3)
  const above = place(columns.above.length > 0, columns.above.length)
  const below = place(columns.below.length > 0, columns.below.length)
  return { tileMs, tiles, at, wordAt, stride, sum, spread, extremes, first, trend, above, below, columns, buckets }
}

/** Doubles that a ring takes. */
export function ringLength ({ tiles, stride }: Pick<RingPlan, 'tiles' | 'stride'>): number { return RING_HEAD + tiles * stride }

/** The slot of tile `id`, or -1 where the ring does not hold it. */
export function slotOf (ring: RingPlan, dense: Float64Array, id: number): number {
  const back = dense[ring.at]! - id
  if (back < 0 || back >= ring.tiles) return -1
  const slot = dense[ring.at + 1]! - back
  return slot < 0 ? slot + ring.tiles : slot
}

/**
 * Adds one reading to its tile; what is older than the ring is passed over. Partials are commutative (moments by Welford, about the tile's own
 * mean and start), so order does not matter. O(1), and no division where only sums, counts or extremes are kept; a few nanoseconds.
 */
export function addToRing (ring: RingPlan, dense: Float64Array, words: Uint32Array, time: EventTimeMs, value: number): void {
  const id = Math.floor(time / ring.tileMs)
  let slot = dense[ring.at + 1]!
  if (id !== dense[ring.at]!) {
    slot = id > dense[ring.at]! ? advance(ring, dense, id) : slotOf(ring, dense, id)
    if (slot < 0) return
  }
  const at = ring.at + RING_HEAD + slot * ring.stride
  const before = dense[at]!
  dense[at] = before + 1
  if (before === 0) openTile(ring, dense, words, at, slot)
  if (ring.trend >= 0) addTrend(ring, dense, at, time - id * ring.tileMs, value, before)
  if (ring.spread >= 0 && before > 0) {
    const off = value - dense[at + ring.sum]! / before
    dense[at + ring.spread] = dense[at + ring.spread]! + off * off * (before / (before + 1))
  }
  if (ring.sum >= 0) dense[at + ring.sum] = dense[at + ring.sum]! + value
  if (ring.extremes >= 0) {
    if (value < dense[at + ring.extremes]!) dense[at + ring.extremes] = value
    if (value > dense[at + ring.extremes + 1]!) dense[at + ring.extremes + 1] = value
  }
  if (ring.first >= 0 && time < dense[at + ring.first]!) { dense[at + ring.first] = time; dense[at + ring.first + 1] = value }
  if (ring.above >= 0) for (let i = 0; i < ring.columns.above.length; i++) if (value > ring.columns.above[i]!) dense[at + ring.above + i] = dense[at + ring.above + i]! + 1
  if (ring.below >= 0) for (let i = 0; i < ring.columns.below.length; i++) if (value < ring.columns.below[i]!) dense[at + ring.below + i] = dense[at + ring.below + i]! + 1
  if (ring.buckets !== undefined) {
    const word = ring.wordAt + slot * ring.buckets.length + ring.buckets.indexOf(value)
    words[word] = words[word]! + 1
  }
}

/** Sum of times since the tile's start (whole milliseconds, so exact), and the co-moments. Before the sum has the value. */
function addTrend (ring: RingPlan, dense: Float64Array, at: number, t: number, value: number, before: number): void {
  const place = at + ring.trend
  if (before > 0) {
    const weight = before / (before + 1)
    const dt = t - dense[place]! / before
    const off = value - dense[at + ring.sum]! / before
    dense[place + 1] = dense[place + 1]! + dt * dt * weight
    dense[place + 2] = dense[place + 2]! + dt * off * weight
  }
  dense[place] = dense[place]! + t
}

/** Moves on to tile `id`: what lies between is empty. Answers its slot. */
function advance (ring: RingPlan, dense: Float64Array, id: number): number {
  let slot = dense[ring.at + 1]!
  for (let n = Math.min(id - dense[ring.at]!, ring.tiles); n > 0; n--) {
    slot = slot + 1 === ring.tiles ? 0 : slot + 1
    dense[ring.at + RING_HEAD + slot * ring.stride] = 0
  }
  dense[ring.at] = id
  dense[ring.at + 1] = slot
  return slot
}

/** The columns of a tile whose count has just become other than 0. */
function openTile (ring: RingPlan, dense: Float64Array, words: Uint32Array, at: number, slot: number): void {
  for (let place = at + 1; place < at + ring.stride; place++) dense[place] = 0
  if (ring.extremes >= 0) { dense[at + ring.extremes] = Infinity; dense[at + ring.extremes + 1] = -Infinity }
  if (ring.first >= 0) dense[at + ring.first] = Infinity
  if (ring.buckets !== undefined) words.fill(0, ring.wordAt + slot * ring.buckets.length, ring.wordAt + (slot + 1) * ring.buckets.length)
}

/** A ring that holds nothing. */
export function emptyRing (ring: RingPlan, dense: Float64Array): void { dense[ring.at] = -1 }

/** One side of a join: the dense state of one series. */
export interface Rings { readonly dense: Float64Array, readonly words: Uint32Array }

/** Takes the tiles of another series into these: the same tile is the sum of both (Chan, Golub and LeVeque 1979), the ring moves on to the newer head. */
export function joinRing (ring: RingPlan, into: Rings, from: Rings): void {
  const head = from.dense[ring.at]!
  if (head < 0) return
  if (head > into.dense[ring.at]!) advance(ring, into.dense, head)
  for (let id = head - ring.tiles + 1; id <= head; id++) {
    const to = slotOf(ring, into.dense, id)
    const of = slotOf(ring, from.dense, id)
    if (to >= 0 && of >= 0 && from.dense[ring.at + RING_HEAD + of * ring.stride] !== 0) joinTile(ring, into, to, from, of)
  }
}

function joinTile (ring: RingPlan, into: Rings, to: number, from: Rings, of: number): void {
  const [d, f] = [into.dense, from.dense]
  const at = ring.at + RING_HEAD + to * ring.stride
  const theirs = ring.at + RING_HEAD + of * ring.stride
  if (d[at] === 0) openTile(ring, d, into.words, at, to)
  const [a, b] = [d[at]!, f[theirs]!]
  const weight = a * b / (a + b)
  const off = a === 0 || ring.sum < 0 ? 0 : f[theirs + ring.sum]! / b - d[at + ring.sum]! / a
  if (ring.spread >= 0) d[at + ring.spread] = d[at + ring.spread]! + f[theirs + ring.spread]! + off * off * weight
  if (ring.trend >= 0) {
    const dt = a === 0 ? 0 : f[theirs + ring.trend]! / b - d[at + ring.trend]! / a
    d[at + ring.trend] = d[at + ring.trend]! + f[theirs + ring.trend]!
    d[at + ring.trend + 1] = d[at + ring.trend + 1]! + f[theirs + ring.trend + 1]! + dt * dt * weight
    d[at + ring.trend + 2] = d[at + ring.trend + 2]! + f[theirs + ring.trend + 2]! + dt * off * weight
  }
  if (ring.sum >= 0) d[at + ring.sum] = d[at + ring.sum]! + f[theirs + ring.sum]!
  if (ring.extremes >= 0) {
    d[at + ring.extremes] = Math.min(d[at + ring.extremes]!, f[theirs + ring.extremes]!)
    d[at + ring.extremes + 1] = Math.max(d[at + ring.extremes + 1]!, f[theirs + ring.extremes + 1]!)
  }
  // Of two at the same time theirs is the older one.
  if (ring.first >= 0 && f[theirs + ring.first]! <= d[at + ring.first]!) { d[at + ring.first] = f[theirs + ring.first]!; d[at + ring.first + 1] = f[theirs + ring.first + 1]! }
  for (let i = 0; i < ring.columns.above.length; i++) d[at + ring.above + i] = d[at + ring.above + i]! + f[theirs + ring.above + i]!
  for (let i = 0; i < ring.columns.below.length; i++) d[at + ring.below + i] = d[at + ring.below + i]! + f[theirs + ring.below + i]!
  for (let i = 0, n = ring.buckets?.length ?? 0; i < n; i++) into.words[ring.wordAt + to * n + i] = into.words[ring.wordAt + to * n + i]! + from.words[ring.wordAt + of * n + i]!
  d[at] = a + b
}

export interface RingTile { readonly start: EventTimeMs, readonly count: number, readonly mean: number | undefined }

/** The tiles that hold something, oldest first. */
export function ringTiles (ring: RingPlan, dense: Float64Array): readonly RingTile[] {
  const head = dense[ring.at]!
  if (head < 0) return []
  return Array.from({ length: ring.tiles }, (_, i) => head - ring.tiles + 1 + i).flatMap((id): readonly RingTile[] => {
    const slot = slotOf(ring, dense, id)
    const at = ring.at + RING_HEAD + slot * ring.stride
    return slot < 0 || dense[at] === 0 ? [] : [{ start: id * ring.tileMs, count: dense[at]!, mean: ring.sum < 0 ? undefined : dense[at + ring.sum]! / dense[at]! }]
  })
}
