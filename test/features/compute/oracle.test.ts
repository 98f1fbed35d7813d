import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { FeatureView } from '../../../features/define/index.ts'
import { everyFeature } from './every-feature.ts'
import { patientStories, type LatticeOptions } from './lattice.ts'
import { compareStory } from './run-story.ts'

const RUNS = 120

function holds (view: FeatureView, options: LatticeOptions): void {
  let vectors = 0
  fc.assert(fc.property(patientStories(options), fc.integer({ min: 2, max: 9 }), (story, every) => { vectors += compareStory(view, story, every) }), { numRuns: RUNS })
  expect(vectors).toBeGreaterThan(RUNS)
}

it('computes every operator and aggregate over device numerics as the naive twin does, whatever their order and however often they come', () => {
  holds(everyFeature(['heartRate', 'baseExcess']), { concepts: ['heartRate', 'baseExcess'], kinds: ['device'], identities: 0, records: 40 })
})

it('computes them over results as the naive twin does, through corrections and withdrawals, in tiles and samples too', () => {
  holds(everyFeature(['lactate']), { concepts: ['lactate'], kinds: ['laboratory', 'charted'], identities: 8, records: 40 })
})

it('computes them where device numerics and corrected results share tiles', () => {
  holds(everyFeature(['baseExcess']), { concepts: ['baseExcess'], kinds: ['device', 'device', 'charted'], identities: 5, records: 40 })
})

it('computes what is read without windows alone, where nothing outlives a discharge', () => {
  // Without identities: what is held for a day alone may be gone when a word about it comes, and is then new.
  const view = everyFeature(['heartRate'], e => (e.op !== 'window' && e.op !== 'sampled' && e.op !== 'missingRate') || e.windowMs <= 120_000)
  holds(view, { concepts: ['heartRate'], kinds: ['device', 'charted', 'laboratory'], identities: 0, records: 30 })
})
