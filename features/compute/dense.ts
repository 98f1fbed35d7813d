import type { EventTimeMs } from '../../streams/time/index.ts'
import { BEFORE, BITMAP_WORDS, BITS, CORRECTION_HORIZON_MS, DENSE_HEAD, NEWEST, QUARTER_MS } from './dense-layout.ts'
import type { SeriesPlan } from './plan.ts'
import { addToRing, emptyRing, joinRing, type Rings } from './tile-ring.ts'

export type Dense = Rings

export function emptyDense (plan: SeriesPlan): Dense {
  const dense = new Float64Array(plan.denseLength)
  dense.fill(-1, 0, DENSE_HEAD + plan.above.length + plan.below.length)
  for (const ring of plan.rings) emptyRing(ring, dense)
  return { dense, words: new Uint32Array(plan.wordsLength) }
}

/** Takes a device reading in, unless it is late or a duplicate: docs/feature-semantics.md, dense readings. */
export function addDense (plan: SeriesPlan, { dense, words }: Dense, time: EventTimeMs, value: number, order: number): 'added' | 'late' | 'duplicate' {
  const newest = dense[NEWEST]!
  const quarter = Math.floor(time / QUARTER_MS)
  if (time > newest) {
    pass(words, Math.floor(newest / QUARTER_MS), quarter)
    place(dense, BEFORE, newest, dense[NEWEST + 1]!, dense[NEWEST + 2]!)
    place(dense, NEWEST, time, value, order)
  } else {
    if (time < newest - CORRECTION_HORIZON_MS || time < 0) return 'late'
    if (taken(words, quarter)) return 'duplicate'
    if (time >= dense[BEFORE]!) place(dense, BEFORE, time, value, order)
  }
  take(words, quarter)
  for (let i = 0, at = DENSE_HEAD; i < plan.above.length; i++, at++) if (value > plan.above[i]! && time > dense[at]!) dense[at] = time
  for (let i = 0, at = DENSE_HEAD + plan.above.length; i < plan.below.length; i++, at++) if (value < plan.below[i]! && time > dense[at]!) dense[at] = time
  for (let i = 0; i < plan.rings.length; i++) addToRing(plan.rings[i]!, dense, words, time, value)
  return 'added'
}

function place (dense: Float64Array, at: number, time: EventTimeMs, value: number, order: number): void {
  dense[at] = time
  dense[at + 1] = value
  dense[at + 2] = order
}

// The bitmap: bit (quarter mod BITS) stands for the newest quarter of that place.
function bitOf (quarter: number): number { return quarter - Math.floor(quarter / BITS) * BITS }
function take (words: Uint32Array, quarter: number): void { const bit = bitOf(quarter); words[bit >> 5] = words[bit >> 5]! | 1 << (bit & 31) }
function taken (words: Uint32Array, quarter: number): boolean { const bit = bitOf(quarter); return (words[bit >> 5]! >> (bit & 31) & 1) === 1 }

/** Clears the quarters after `from` up to `to`. */
function pass (words: Uint32Array, from: number, to: number): void {
  let left = to - from
  if (left >= BITS) { words.fill(0, 0, BITMAP_WORDS); return }
  for (let bit = bitOf(from + 1); left > 0;) {
    if ((bit & 31) === 0 && left >= 32) { words[bit >> 5] = 0; bit += 32; left -= 32 } else { words[bit >> 5] = words[bit >> 5]! & ~(1 << (bit & 31)); bit++; left-- }
    if (bit === BITS) bit = 0
  }
}

/** Takes in what another key's device readings left, as if they had come before: none is compared with another, the orders here have been raised above theirs. */
export function joinDense (plan: SeriesPlan, into: Dense, from: Dense): void {
  joinBitmaps(into, from)
  for (const ring of plan.rings) joinRing(ring, into, from)
  for (let at = DENSE_HEAD; at < DENSE_HEAD + plan.above.length + plan.below.length; at++) into.dense[at] = Math.max(into.dense[at]!, from.dense[at]!)
  const four = [into.dense, from.dense].flatMap(d => [NEWEST, BEFORE].map(at => ({ time: d[at]!, value: d[at + 1]!, order: d[at + 2]! }))).sort((a, b) => b.time - a.time || b.order - a.order)
  for (const [i, at] of [NEWEST, BEFORE].entries()) place(into.dense, at, four[i]!.time, four[i]!.value, four[i]!.order)
}

function joinBitmaps (into: Dense, from: Dense): void {
  const mine = Math.floor(into.dense[NEWEST]! / QUARTER_MS)
  const theirs = Math.floor(from.dense[NEWEST]! / QUARTER_MS)
  if (theirs > mine) pass(into.words, mine, theirs)
  for (let quarter = Math.max(mine, theirs) - BITS + 1; quarter <= theirs; quarter++) if (quarter > theirs - BITS && quarter >= 0 && taken(from.words, quarter)) take(into.words, quarter)
}
