import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { systemClock } from '../../streams/time/index.ts'
import { everyFeature } from '../features/compute/every-feature.ts'
import { patientStories, type LatticeOptions } from '../features/compute/lattice.ts'
import { compareMerge } from '../features/compute/merge-story.ts'
import { compareStory } from '../features/compute/run-story.ts'

/**
 * The long lane of the streaming operator: many generated patients, every operator and aggregate, stream against naive oracle.
 * `node --import tsx test/long/features.ts [--patients 10000] [--seed 1]`. Ends with 1 at the first difference, and prints the seed and the story.
 */
const { values } = parseArgs({ options: { patients: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } } })
const patients = Number(values.patients)
const seed = Number(values.seed)

const short = everyFeature(['heartRate'], e => (e.op !== 'window' && e.op !== 'sampled' && e.op !== 'missingRate') || e.windowMs <= 120_000)
const LANES: readonly (readonly [name: string, share: number, options: LatticeOptions, view: ReturnType<typeof everyFeature>])[] = [
  ['device numerics', 0.25, { concepts: ['heartRate', 'baseExcess'], kinds: ['device'], identities: 0, records: 40 }, everyFeature(['heartRate', 'baseExcess'])],
  ['results', 0.2, { concepts: ['lactate'], kinds: ['laboratory', 'charted'], identities: 8, records: 60 }, everyFeature(['lactate'])],
  ['both', 0.25, { concepts: ['baseExcess', 'heartRate'], kinds: ['device', 'device', 'charted'], identities: 5, records: 50 }, everyFeature(['baseExcess', 'heartRate'])],
  ['nothing outlives a discharge', 0.15, { concepts: ['heartRate'], kinds: ['device', 'charted', 'laboratory'], identities: 0, records: 30 }, short],
]
const MERGES = 0.15

async function main (): Promise<void> {
  const startedMs = systemClock.monotonicMs()
  let vectors = 0
  const said = (name: string, runs: number): void => { process.stdout.write(`${name}: ${runs} patients, ${vectors} vectors so far, ${Math.round((systemClock.monotonicMs() - startedMs) / 1_000)} s\n`) }
  for (const [name, share, options, view] of LANES) {
    const numRuns = Math.ceil(patients * share)
    fc.assert(fc.property(patientStories(options), fc.integer({ min: 3, max: 9 }), (story, every) => { vectors += compareStory(view, story, every) }), { numRuns, seed })
    said(name, numRuns)
    await systemClock.sleep(0)
  }
  const numRuns = Math.ceil(patients * MERGES / 2)
  const view = everyFeature(['heartRate', 'baseExcess'])
  const merges = fc.record({ story: patientStories({ concepts: ['heartRate', 'baseExcess'], kinds: ['device', 'charted', 'laboratory'], identities: 6, records: 30 }), mine: fc.array(fc.boolean(), { minLength: 5, maxLength: 9 }), mergedAfter: fc.integer({ min: 5, max: 30 }) })
  fc.assert(fc.property(merges, story => { vectors += compareMerge(view, story) }), { numRuns, seed })
  said('merged pairs', numRuns)
}

await main()
