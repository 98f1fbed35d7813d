import fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeWithEngine } from '../clickhouse/kit.ts'
import { everything, LONG, SHORT } from './everything.ts'
import { asked, byLaw, differences, openTestStore } from './kit.ts'
import { merged, patients, story, type Drawn } from './stories.ts'
import type { FeatureView } from '../../../../features/define/index.ts'

const SEED = Number(process.env['LATIDO_SEED'] ?? 20_260_314)
const ALL = ['device', 'charted', 'laboratory'] as const

async function agrees ({ ledger, spine }: Drawn, view: FeatureView, options: { readonly merged: boolean }): Promise<void> {
  const known = byLaw(view, ledger.steps, spine)
  await using test = await openTestStore()
  await test.store.write(ledger.batch)
  // Twice, as after a crash between write and commit.
  await test.store.write({ ...ledger.batch, observations: ledger.batch.observations.slice(0, 5) })
  const found = differences(view, known, await asked(test.store, view, known, options))
  expect([...found].slice(0, 5).map(([name, examples]) => `${name}: ${examples.length} rows, ${examples[0]}`)).toEqual([])
  expect(known.length).toBeGreaterThan(200)
}

// Planning a query of 300 features takes a second or two, so one query asks of many patients.
describeWithEngine('SQL against the law, feature by feature', () => {
  it('agrees on every operator over short windows, through disorder, repetitions, corrections, withdrawals, faulty clocks and departures', async () => {
    const view = everything(['heartRate', 'lactate'], SHORT)
    const drawn = [{ kinds: ['device'] as const, identities: 0 }, { kinds: ['laboratory', 'charted'] as const, identities: 6 }, { kinds: ALL, identities: 3 }]
    const stories = drawn.flatMap(({ kinds, identities }, i) => fc.sample(story(['heartRate', 'lactate'], { kinds, identities, records: 30, pauses: i !== 1 }), { numRuns: 20, seed: SEED + i }))
    await agrees(patients('p', stories), view, { merged: false })
  })

  it('agrees on windows of a day and of two, which see past a departure differently', async () => {
    const stories = fc.sample(story(['lactate'], { kinds: ALL, identities: 3, records: 25, pauses: true }), { numRuns: 40, seed: SEED })
    await agrees(patients('p', stories), everything(['lactate'], LONG), { merged: false })
  })

  it('agrees on patients of two keys that were merged, before, at and after the merge', async () => {
    const one = story(['lactate'], { kinds: ALL, identities: 4, records: 15, pauses: true })
    const pairs = fc.sample(fc.tuple(one, one, fc.double({ min: 0, max: 1, noNaN: true })), { numRuns: 30, seed: SEED })
    await agrees(merged('m', pairs), everything(['lactate'], SHORT), { merged: true })
  })
})
