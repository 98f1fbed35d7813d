import fc from 'fast-check'
import { expect, it } from 'vitest'
import { count, first, last, max, mean, min, Plan, populationDeviation, sampleDeviation, slope, sum } from '../../../streams/windows/index.ts'

const plan = new Plan({ n: count(), sum: sum(), mean: mean(), min: min(), max: max(), population: populationDeviation(), sample: sampleDeviation(), first: first(), last: last(), slope: slope() })

interface Reading { readonly value: number, readonly time: number }
/** Times on a coarse lattice, so that ties are common. */
const readings = fc.array(fc.record({ value: fc.integer({ min: -400, max: 400 }).map(v => v / 4), time: fc.nat(12).map(t => 1_767_225_600_000 + t * 1_000) }), { maxLength: 12 })

function filled (of: readonly Reading[]): Float64Array {
  const cells = new Float64Array(plan.width)
  plan.empty(cells, 0)
  for (const { value, time } of of) plan.add(cells, 0, value, time)
  return cells
}

function figures (cells: Float64Array): Readonly<Record<string, number>> {
  const values = new Float64Array(plan.names.length)
  plan.results(cells, 0, values)
  return Object.fromEntries(plan.names.map((name, i) => [name, values[i]!]))
}

/** Equal up to rounding. */
function agree (a: Float64Array, b: Float64Array): void {
  const [one, other] = [figures(a), figures(b)]
  for (const name of plan.names) {
    const [x, y] = [one[name]!, other[name]!]
    if (Number.isNaN(x) || Number.isNaN(y)) expect([name, x]).toEqual([name, y])
    else expect(Math.abs(x - y), `${name}: ${x} and ${y}`).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(y)))
  }
}

it('halves merged equal the whole, for every aggregate, wherever it is cut', () => {
  fc.assert(fc.property(readings, readings, readings, (a, b, c) => {
    if (a.length + b.length + c.length === 0) return
    const merged = filled(a)
    plan.merge(merged, 0, filled(b), 0)
    plan.merge(merged, 0, filled(c), 0)
    agree(merged, filled([...a, ...b, ...c]))
  }), { numRuns: 500 })
})

it('an empty part changes nothing, on either side', () => {
  fc.assert(fc.property(readings.filter(r => r.length > 0), a => {
    const [left, right] = [filled([]), filled(a)]
    plan.merge(left, 0, filled(a), 0)
    plan.merge(right, 0, filled([]), 0)
    agree(left, filled(a))
    agree(right, filled(a))
  }))
})
