import fc from 'fast-check'
import { expect, it } from 'vitest'
import { featuresMachine } from '../../../features/compute/index.ts'
import {
  age, count, countSinceAdmission, deviation, featureView, first, last, max, mean, min, range, slope, sum, variance, type Feature, type FeatureView, type WindowBuilder,
} from '../../../features/define/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import type { ConceptId } from '../../../streams/events/index.ts'
import { arrivals, type Arrival } from './lattice.ts'
import { Oracle } from './oracle.ts'

const BUILDERS: Readonly<Record<string, (c: ConceptId) => WindowBuilder>> = { count, sum, mean, min, max, variance, deviation, first, slope, range }
const EXACT: ReadonlySet<string> = new Set(['last', 'age', 'countSinceAdmission', 'count', 'first', 'min', 'max', 'range'])
const RUNS = 250

const cap = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

type Kept = 'dense' | 'sparse' | 'sampled'

function ofConcept (c: ConceptId, kept: readonly Kept[]): Record<string, Feature> {
  const features: Record<string, Feature> = {
    [`${c}Last`]: last(c), [`${c}LastWithin`]: last(c).within('20 s'), [`${c}Before`]: { expression: { op: 'last', concept: c, withinMs: undefined, back: 1 } }, [`${c}Age`]: age(c), [`${c}Total`]: countSinceAdmission(c),
  }
  for (const [aggregate, builder] of Object.entries(BUILDERS)) {
    const build = builder(c)
    if (kept.includes('sparse')) Object.assign(features, { [`${c}Sparse30s${cap(aggregate)}`]: build.overReadings('30 s'), [`${c}Sparse2m${cap(aggregate)}`]: build.overReadings('2 m') })
    if (kept.includes('sampled')) Object.assign(features, { [`${c}Sampled${cap(aggregate)}`]: build.overSamples('1 m', '10 s') })
    if (kept.includes('dense') && aggregate !== 'first') for (const window of ['30 s', '1 m', '2 m'] as const) features[`${c}Dense${window.replace(' ', '')}${cap(aggregate)}`] = build.over(window)
  }
  return features
}

function viewOf (concepts: readonly ConceptId[], kept: readonly Kept[]): FeatureView {
  return featureView({
    name: 'everything', version: 1, owner: 'test', description: 'every aggregate', ttl: '1 m',
    emit: { every: '5 s', on: ['device', 'charted', 'laboratory'] },
    features: Object.assign({}, ...concepts.map(c => ofConcept(c, kept))) as Record<string, Feature>,
  })
}

function agrees (op: string, got: number, expected: number): boolean {
  if (Object.is(got, expected) || got === expected) return true
  return !EXACT.has(op) && Math.abs(got - expected) <= 1e-9 * Math.max(1, Math.abs(got), Math.abs(expected))
}

/** Runs the machine and the oracle side by side; every vector must say what the oracle says as of its time. Answers how many vectors there were. */
function compare (view: FeatureView, story: readonly Arrival[]): number {
  const machine = new KeyedMachine(featuresMachine([view]))
  const oracle = new Oracle()
  let vectors = 0
  const check = ({ out, at }: { readonly out: { readonly type: string }, readonly at: number }): void => {
    if (out.type !== 'vector') return
    vectors++
    const vector = out as unknown as { readonly asOf: number, readonly values: Float64Array, readonly times: Float64Array }
    expect(vector.asOf).toBe(at)
    view.expressions.forEach((e, i) => {
      const expected = oracle.answer(e, at)
      const op = e.op === 'window' ? e.aggregate : e.op === 'sampled' ? `sampled ${e.aggregate}` : e.op
      if (!agrees(op, vector.values[i]!, expected.value) || !Object.is(vector.times[i], expected.time)) {
        throw new Error(`${view.names[i]} as of ${at}: ${vector.values[i]} at ${vector.times[i]}, expected ${expected.value} at ${expected.time}`)
      }
    })
  }
  story.forEach(({ arrival, set }, offset) => {
    machine.tick(offset, arrival, check)
    for (const o of set.observations) oracle.observe(o, set.kind)
    machine.record(offset, arrival, 'p', set, check)
  })
  return vectors
}

function holds (view: FeatureView, stories: fc.Arbitrary<readonly Arrival[]>): void {
  let vectors = 0
  fc.assert(fc.property(stories, story => { vectors += compare(view, story) }), { numRuns: RUNS })
  expect(vectors).toBeGreaterThan(RUNS)
}

it('computes every aggregate over device numerics as the naive twin does, whatever their order and however often they come', () => {
  holds(viewOf(['heartRate', 'spo2'], ['dense', 'sampled']), arrivals({ concepts: ['heartRate', 'spo2'], kinds: ['device'], identities: 0, records: 40 }))
})

it('computes every aggregate over results as the naive twin does, through corrections and withdrawals, tiles and samples too', () => {
  holds(viewOf(['lactate'], ['sparse', 'dense', 'sampled']), arrivals({ concepts: ['lactate'], kinds: ['laboratory', 'charted'], identities: 8, records: 40 }))
})

it('finds the two newest of device numerics and charted values together, through corrections and withdrawals', () => {
  holds(viewOf(['temperature'], ['sparse']), arrivals({ concepts: ['temperature'], kinds: ['device', 'charted'], identities: 5, records: 40 }))
})

it('counts device numerics and uncorrected charted values in the same tiles', () => {
  holds(viewOf(['systolic'], ['dense', 'sampled', 'sparse']), arrivals({ concepts: ['systolic'], kinds: ['device', 'charted'], identities: 0, records: 40 }))
})
