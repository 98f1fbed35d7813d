import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chiSquaredQuantile } from '../../../inference/monitors/chi-squared.ts'
import { binOf, psi, PSI_DEFAULTS, psiThreshold, referenceCounts } from '../../../inference/monitors/psi.ts'

describe('binOf', () => {
  const edges = [36.5, 37, 38.5]

  it('is half-open: a value on an edge belongs to the bin right of it', () => {
    expect([36.4, 36.5, 36.9, 37, 38.4, 38.5, 99].map(v => binOf(edges, v))).toEqual([0, 1, 1, 2, 2, 3, 3])
  })

  it('gives absent values a bin of their own, after the last', () => { expect(binOf(edges, NaN)).toBe(4) })

  it('puts a live reading on the same side of an edge as the float32 value the edge was made from', () => {
    const edge = Math.fround(36.7)
    expect(edge).toBeGreaterThan(36.7)
    expect(binOf([edge], 36.7)).toBe(1)
  })

  it('equals counting the edges at or below the value', () => {
    const value = fc.integer({ min: -6, max: 6 })
    fc.assert(fc.property(fc.uniqueArray(value), value, (unsorted, v) => {
      const sorted = unsorted.toSorted((a, b) => a - b)
      expect(binOf(sorted, v)).toBe(sorted.filter(e => e <= v).length)
    }))
  })

  it('has one bin when the training set never had the feature', () => { expect([binOf([], 5), binOf([], NaN)]).toEqual([0, 1]) })
})

describe('psi', () => {
  it('agrees with a worked example', () => { expect(psi([100, 200, 300, 0], [50, 60, 10, 5])).toBeCloseTo(1.1683157027977904, 12) })
  it('is zero for the same counts', () => { expect(psi([5, 0, 7], [5, 0, 7])).toBe(0) })
  it('is not a number when either side is empty', () => { expect([psi([0, 0], [1, 2]), psi([1, 2], [0, 0])]).toEqual([NaN, NaN]) })
  it('sees a feature that stopped coming, though no value changed', () => {
    const reference = referenceCounts({ edges: [0], shares: [0.5, 0.5], missingShare: 0.1 }, 1000)
    expect(Array.from(reference)).toEqual([450, 450, 100])
    expect(psi(reference, [50, 50, 900])).toBeGreaterThan(2)
  })

  it('is never negative and does not care which side is which', () => {
    const counts = fc.array(fc.nat(50), { minLength: 5, maxLength: 5 }).filter(c => c.some(n => n > 0))
    fc.assert(fc.property(counts, counts, (a, b) => {
      expect(psi(a, b)).toBeGreaterThanOrEqual(0)
      expect(psi(a, b)).toBeCloseTo(psi(b, a), 12)
    }))
  })
})

describe('psiThreshold', () => {
  it('is the null distribution\'s quantile in small windows and the floor in large ones', () => {
    expect(psiThreshold(100, 100, 10)).toBeCloseTo(0.02 * 21.665994333461924, 10)
    expect(psiThreshold(10_000, 10_000, 10)).toBe(PSI_DEFAULTS.floor)
  })

  it('is the floor where there is one bin', () => { expect(psiThreshold(10, 10, 1)).toBe(PSI_DEFAULTS.floor) })
})

describe('chiSquaredQuantile', () => {
  it.each([
    [1, [0.454936423119572, 3.841458820694124, 6.6348966010212145, 10.827566170662733]],
    [2, [1.386294361119891, 5.991464547107979, 9.21034037197618, 13.815510557964274]],
    [9, [8.342832692252955, 16.918977604620448, 21.665994333461924, 27.877164871256568]],
    [10, [9.34181776559197, 18.307038053275146, 23.209251158954356, 29.58829844507442]],
    [100, [99.33412923598846, 124.34211340400407, 135.80672317102676, 149.44925277903886]],
  ])('agrees with scipy for %i degrees of freedom', (degrees, expected) => {
    for (const [i, p] of [0.5, 0.95, 0.99, 0.999].entries()) expect(chiSquaredQuantile(p, degrees)).toBeCloseTo(expected[i] as number, 8)
  })
})
