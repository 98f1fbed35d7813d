/**
 * The long lane of the SQL that views compile to: many generated patients, every operator, SQL against the naive law, many patients a query.
 * `node --import tsx test/long/sql.ts [--patients 2000] [--seed 1]`. Ends with 1 where they differ, and prints the seed and examples.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { everything, LONG, SHORT, type Lengths } from '../features/offline/sql/everything.ts'
import { asked, byLaw, differences, openTestStore, type Asked } from '../features/offline/sql/kit.ts'
import { merged, patients, story, type Drawn } from '../features/offline/sql/stories.ts'
import { systemClock } from '../../streams/time/index.ts'

const { values } = parseArgs({ options: { patients: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } } })
const PATIENTS = Number(values.patients)
const SEED = Number(values.seed)
const PATIENTS_A_BATCH = 100
const ROWS_A_QUERY = 1_000
const ALL = ['device', 'charted', 'laboratory'] as const

const mixed = story(['lactate'], { kinds: ALL, identities: 4, records: 30, pauses: true })
const dense = story(['heartRate'], { kinds: ['device'], identities: 0, records: 40, pauses: true })
const pairs = fc.tuple(mixed, mixed, fc.double({ min: 0, max: 1, noNaN: true }))

interface Lane { readonly name: string, readonly share: number, readonly concept: 'heartRate' | 'lactate', readonly lengths: Lengths, readonly merged: boolean, draw (runs: number, seed: number): Drawn }
const LANES: readonly Lane[] = [
  { name: 'readings and devices', share: 0.35, concept: 'lactate', lengths: SHORT, merged: false, draw: (numRuns, seed) => patients('p', fc.sample(mixed, { numRuns, seed })) },
  { name: 'devices', share: 0.25, concept: 'heartRate', lengths: SHORT, merged: false, draw: (numRuns, seed) => patients('d', fc.sample(dense, { numRuns, seed })) },
  { name: 'windows of days', share: 0.2, concept: 'lactate', lengths: LONG, merged: false, draw: (numRuns, seed) => patients('l', fc.sample(mixed, { numRuns, seed })) },
  { name: 'merges', share: 0.2, concept: 'lactate', lengths: SHORT, merged: true, draw: (numRuns, seed) => merged('m', fc.sample(pairs, { numRuns: Math.ceil(numRuns / 2), seed })) },
]

/** Answers how many rows were compared, and how many features differ. */
async function batch (lane: Lane, runs: number, seed: number): Promise<readonly [rows: number, different: number]> {
  const view = everything([lane.concept], lane.lengths)
  const { ledger, spine } = lane.draw(runs, seed)
  await using test = await openTestStore()
  await test.store.write(ledger.batch)
  let different = 0
  const inOrder: readonly Asked[] = spine.toSorted((a, b) => a.patient.localeCompare(b.patient) || a.asOf - b.asOf)
  for (let at = 0; at < inOrder.length; at += ROWS_A_QUERY) {
    const known = byLaw(view, ledger.steps, inOrder.slice(at, at + ROWS_A_QUERY))
    const found = differences(view, known, await asked(test.store, view, known, { merged: lane.merged }))
    different += found.size
    for (const [name, examples] of [...found].slice(0, 3)) console.log(`seed ${seed}, ${lane.name}, ${name}: ${examples.length} rows, ${examples[0]}`)
  }
  return [spine.length, different]
}

let rows = 0
let different = 0
for (const lane of LANES) {
  const startedMs = systemClock.monotonicMs()
  const runs = Math.ceil(PATIENTS * lane.share)
  for (let done = 0; done < runs; done += PATIENTS_A_BATCH) {
    const [more, wrong] = await batch(lane, Math.min(PATIENTS_A_BATCH, runs - done), SEED * 10_000 + done)
    rows += more
    different += wrong
  }
  console.log(`${lane.name}: ${runs} patients, ${rows} rows so far, ${different} features different, ${((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(0)} s`)
}
process.exitCode = different > 0 ? 1 : 0
