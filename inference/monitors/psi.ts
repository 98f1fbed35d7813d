import { chiSquaredQuantile } from './chi-squared.ts'

/** Frozen bins of one feature: bin k holds edges[k - 1] <= value < edges[k], the outer ones are open; shares are of the rows that have the feature. */
export interface ReferenceBins { readonly edges: readonly number[], readonly shares: readonly number[], readonly missingShare: number }

/**
 * The value's bin, by bisection; an absent value (NaN) has the bin after the last: `edges.length + 1`. Compared as float32, as the bins were made
 * from float32 values: a reading that sits on an edge must fall on the same side of it live.
 */
export function binOf (edges: readonly number[], value: number): number {
  if (Number.isNaN(value)) return edges.length + 1
  const narrow = Math.fround(value)
  let [low, high] = [0, edges.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Math.fround(edges[middle] as number) <= narrow) low = middle + 1
    else high = middle
  }
  return low
}

/** Reference counts of all bins, the absent one last: what `psi` compares with. */
export function referenceCounts (reference: ReferenceBins, rows: number): Float64Array {
  const present = rows * (1 - reference.missingShare)
  return Float64Array.from([...reference.shares.map(share => share * present), rows * reference.missingShare])
}

/**
 * Population stability index over the same bins: sum of (p - q) ln(p / q). Half a reading is added to each bin of both, so an empty bin is
 * improbable and not infinitely so. 0 = same distribution. NaN when either side is empty.
 */
export function psi (reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const bins = reference.length
  const [m, n] = [total(reference), total(current)]
  if (m === 0 || n === 0) return NaN
  let sum = 0
  for (let k = 0; k < bins; k++) {
    const q = ((reference[k] as number) + 0.5) / (m + 0.5 * bins)
    const p = ((current[k] as number) + 0.5) / (n + 0.5 * bins)
    sum += (p - q) * Math.log(p / q)
  }
  return sum
}

export const PSI_DEFAULTS = {
  /** Smaller shifts are not worth a page, however sure one is of them. */
  floor: 0.1,
  /** The chance of an alarm without drift, one window of one feature, is 1 - confidence. */
  confidence: 0.99,
} as const

/**
 * The alarm threshold: without drift PSI is about (1/n + 1/m) chi-squared with bins - 1 degrees of freedom (Yurdakul 2018), so small windows need a higher one than the folklore's 0.1.
 * `n` and `m` count independent readings: where readings resemble their neighbours, pass the effective number.
 */
export function psiThreshold (n: number, m: number, bins: number, options: { readonly floor: number, readonly confidence: number } = PSI_DEFAULTS): number {
  if (bins < 2) return options.floor
  return Math.max(options.floor, (1 / n + 1 / m) * chiSquaredQuantile(options.confidence, bins - 1))
}

function total (counts: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < counts.length; k++) sum += counts[k] as number
  return sum
}
