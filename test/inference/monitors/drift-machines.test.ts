import fc from 'fast-check'
import { viewKey } from '../../../features/define/index.ts'
import { driftCountsMachine, type DriftCounts, type WatchedVector } from '../../../inference/monitors/drift-counts.ts'
import { driftMachine } from '../../../inference/monitors/drift.ts'
import type { DriftReference } from '../../../inference/monitors/reference.ts'
import { stateMachineSuite, type Story } from '../../kit/state-machine-suite.ts'

const WINDOW_MS = 60_000
const START = Date.UTC(2030, 0, 7)
const reference = (view: string): DriftReference => ({
  view, version: 1, features: [
    { name: 'a', place: 0, edges: [1, 2], shares: [0.5, 0.25, 0.25], missingShare: 0.2, count: 400 },
    { name: 'b', place: 2, edges: [], shares: [1], missingShare: 0, count: 400 },
  ],
})
const REFERENCES = [reference('one'), reference('two')]

const watched = fc.record({ view: fc.constantFrom('one', 'two'), patient: fc.constantFrom('p', 'q', 'r'), a: fc.constantFrom(NaN, 0, 1, 2, 3), b: fc.constantFrom(NaN, 5), wait: fc.nat(8) })
const vectors: fc.Arbitrary<Story<WatchedVector>> = fc.array(watched, { minLength: 1, maxLength: 40 }).map(draws => {
  let arrival = START
  return draws.map(({ view, patient, a, b, wait }) => {
    arrival += wait * 10_000
    return { arrival, key: viewKey({ view, version: 1 }), value: { patient, vector: { type: 'vector', view, version: 1, asOf: arrival, trigger: 'timer', values: Float64Array.of(a, 0, b), times: Float64Array.of(arrival, arrival, arrival) } } }
  })
})
stateMachineSuite({ name: 'drift counts', machine: () => driftCountsMachine(REFERENCES, WINDOW_MS), stories: vectors })

const counted = fc.record({ view: fc.constantFrom('one', 'two'), late: fc.nat(5), wait: fc.nat(8), counts: fc.array(fc.nat(40), { minLength: 6, maxLength: 6 }) })
const counts: fc.Arbitrary<Story<DriftCounts>> = fc.array(counted, { minLength: 1, maxLength: 40 }).map(draws => {
  let arrival = START
  return draws.map(({ view, late, wait, counts: [c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0] }) => {
    arrival += wait * 10_000
    const windowEnd = Math.floor(arrival / WINDOW_MS) * WINDOW_MS - (late > 3 ? (late - 3) * 2 * WINDOW_MS : 0)
    return { arrival, key: viewKey({ view, version: 1 }), value: { view, version: 1, windowStart: windowEnd - WINDOW_MS, windowEnd, counts: [[c0, c1, c2, c3], [c4, c5]] } }
  })
})
stateMachineSuite({ name: 'drift', machine: () => driftMachine(REFERENCES, 20_000), stories: counts })
