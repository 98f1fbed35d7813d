/** Randomness, injected: the same seed gives the same ward. */
export interface Random {
  /** Uniform in [0, 1). */
  next (): number
  /** Uniform in [low, high). */
  between (low: number, high: number): number
  /** Standard normal. */
  normal (): number
  /** One of `items`, which is not empty. */
  pick<T> (items: readonly T[]): T
  /** True with this probability. */
  chance (probability: number): boolean
  /** An independent generator, so that what one patient draws changes nothing for another. */
  fork (): Random
}

/** xoshiro128** (Blackman and Vigna 2018), its state filled from the seed by splitmix32. Period 2^128 - 1. */
export function seededRandom (seed: number): Random {
  let mix = seed >>> 0
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  let a = splitmix(), b = splitmix(), c = splitmix(), d = splitmix()
  const rotate = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0
  const word = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5) >>> 0, 7), 9) >>> 0
    const shifted = (b << 9) >>> 0
    c = (c ^ a) >>> 0
    d = (d ^ b) >>> 0
    b = (b ^ c) >>> 0
    a = (a ^ d) >>> 0
    c = (c ^ shifted) >>> 0
    d = rotate(d, 11)
    return result
  }
  const next = (): number => ((word() >>> 5) * 67_108_864 + (word() >>> 6)) / 9_007_199_254_740_992
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: items => items[Math.floor(next() * items.length)] as (typeof items)[number],
    chance: probability => next() < probability,
    fork: () => seededRandom(word()),
  }
}
