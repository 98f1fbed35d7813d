import { CONCEPTS, type ConceptId } from '../../streams/events/index.ts'

/** Relative accuracy of a quantile over tiles. */
const ACCURACY = 0.01
const GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
const LN_GROWTH = Math.log(GROWTH)
/** Where possible values reach 0, magnitudes below this share of the largest one count as 0. */
const ZERO_SHARE = 1e-3

/** Buckets of one concept's possible values, rising. */
export interface Buckets {
  readonly length: number
  indexOf (value: number): number
  /** What a value of the bucket is said to be. */
  valueOf (index: number): number
}

function powerOf (magnitude: number): number { return Math.ceil(Math.log(magnitude) / LN_GROWTH) }

/**
 * DDSketch (Masson, Rim and Lee, VLDB 2019) over the possible values of a concept: bucket i holds (g^(i-1), g^i] with g = 1.01 / 0.99, so that its
 * middle is within 1 % of every value in it. Counts add, so tiles merge. A heart rate takes 136 buckets.
 */
export function bucketsOf (concept: ConceptId): Buckets {
  const [low, high] = CONCEPTS[concept].possible
  const smallest = low > 0 ? low : Math.max(-low, high) * ZERO_SHARE
  const first = powerOf(smallest)
  const above = high >= smallest ? powerOf(high) - first + 1 : 0
  const below = low <= -smallest ? powerOf(-low) - first + 1 : 0
  const zero = low > 0 ? 0 : 1
  const within = (n: number, length: number): number => n < 0 ? 0 : n >= length ? length - 1 : n
  return {
    length: below + zero + above,
    indexOf: value => {
      const magnitude = value < 0 ? -value : value
      if (zero === 1 && (magnitude < smallest || (value < 0 && below === 0))) return below
      const place = powerOf(magnitude) - first
      return value < 0 ? below - 1 - within(place, below) : below + zero + within(place, above)
    },
    valueOf: index => {
      if (zero === 1 && index === below) return 0
      const power = index < below ? below - 1 - index : index - below - zero
      const magnitude = 2 * GROWTH ** (power + first) / (GROWTH + 1)
      return index < below ? -magnitude : magnitude
    },
  }
}
