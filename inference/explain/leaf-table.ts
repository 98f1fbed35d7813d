import { assert } from '../../streams/errors/index.ts'
import type { Forest } from './forest.ts'

/** Deeper paths would make the tables large: 2^depth masks a leaf. */
const PATH_FEATURES_MAX = 10

/** What a path asks of one feature: low <= float32(value) < high, or that it may be absent; `reach` is the share of the cover that the path keeps at this feature's splits. */
interface Condition { readonly feature: number, low: number, high: number, allowsMissing: boolean, reach: number }

/** One leaf, ready to explain: its conditions as columns, and for each mask of conditions that hold, each condition's part in the leaf's margin. */
export interface LeafTable {
  readonly features: Int32Array
  readonly low: Float64Array
  readonly high: Float64Array
  readonly allowsMissing: Uint8Array
  /** `phi[mask * features.length + i]` */
  readonly phi: Float64Array
}

export interface LeafTables {
  readonly leaves: readonly LeafTable[]
  /** Expected margin: what is left when nothing is known. */
  readonly base: number
}

/**
 * Path-dependent TreeSHAP (Lundberg et al., Nature Machine Intelligence 2020;2:56) by tables, after Fast TreeSHAP v2 (Yang 2021). A leaf's margin counts
 * for a row to the extent that the row meets the path's conditions; where a feature is unknown, the share of training cover that took the path
 * stands in. A leaf with d distinct features has 2^d outcomes, and the Shapley value of each feature in each is worked out once, here.
 * Then explaining a row is d comparisons and d additions a leaf. Exact; memory 8 * d * 2^d bytes a leaf: depth 5 and 300 trees, about 10 MB.
 */
export function leafTables (forest: Forest): LeafTables {
  const leaves: LeafTable[] = []
  let base = forest.base
  for (const root of forest.start) {
    walk(forest, root, [], (margin, conditions) => {
      base += margin * conditions.reduce((product, c) => product * c.reach, 1)
      if (conditions.length > 0 && margin !== 0) leaves.push(tableOf(margin, conditions))
    })
  }
  return { leaves, base }
}

function walk (forest: Forest, node: number, path: readonly Condition[], leaf: (margin: number, conditions: readonly Condition[]) => void): void {
  const feature = forest.feature[node] as number
  const threshold = forest.threshold[node] as number
  if (feature < 0) { leaf(threshold, path); return }
  for (const isLeft of [true, false]) {
    const child = (isLeft ? forest.left[node] : forest.right[node]) as number
    const known = path.find(c => c.feature === feature) ?? { feature, low: -Infinity, high: Infinity, allowsMissing: true, reach: 1 }
    const merged: Condition = {
      feature,
      low: isLeft ? known.low : Math.max(known.low, threshold),
      high: isLeft ? Math.min(known.high, threshold) : known.high,
      allowsMissing: known.allowsMissing && (forest.missingLeft[node] === 1) === isLeft,
      reach: known.reach * (forest.cover[child] as number) / (forest.cover[node] as number),
    }
    walk(forest, child, [...path.filter(c => c.feature !== feature), merged], leaf)
  }
}

function tableOf (margin: number, conditions: readonly Condition[]): LeafTable {
  const d = conditions.length
  assert(d <= PATH_FEATURES_MAX, `a path has ${d} distinct features, ${PATH_FEATURES_MAX} at most are explained`)
  const phi = new Float64Array(d << d)
  for (let mask = 0; mask < 1 << d; mask++) {
    for (let i = 0; i < d; i++) phi[mask * d + i] = margin * shapley(conditions, mask, i)
  }
  return {
    features: Int32Array.from(conditions, c => c.feature), low: Float64Array.from(conditions, c => c.low), high: Float64Array.from(conditions, c => c.high),
    allowsMissing: Uint8Array.from(conditions, c => c.allowsMissing ? 1 : 0), phi,
  }
}

/**
 * Condition i's Shapley value in the game whose worth of a set S is prod_{j in S} holds_j * prod_{j not in S} reach_j. The polynomial
 * prod_{j != i} (reach_j + holds_j t) has at t^s the sum over sets of size s, which weighs s! (d - s - 1)! / d!.
 */
function shapley (conditions: readonly Condition[], mask: number, i: number): number {
  const d = conditions.length
  const polynomial = new Float64Array(d)
  polynomial[0] = 1
  let degree = 0
  for (let j = 0; j < d; j++) {
    if (j === i) continue
    const reach = (conditions[j] as Condition).reach
    const holds = mask >> j & 1
    for (let s = ++degree; s > 0; s--) polynomial[s] = (polynomial[s] as number) * reach + holds * (polynomial[s - 1] as number)
    polynomial[0] = (polynomial[0] as number) * reach
  }
  let sum = 0
  let weight = 1 / d
  for (let s = 0; s < d; s++) {
    sum += weight * (polynomial[s] as number)
    weight *= (s + 1) / (d - s - 1)
  }
  return sum * ((mask >> i & 1) - (conditions[i] as Condition).reach)
}
