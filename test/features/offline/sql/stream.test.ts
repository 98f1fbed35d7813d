import fc from 'fast-check'
import { expect, it } from 'vitest'
import { featuresMachine } from '../../../../features/compute/index.ts'
import { KeyedMachine } from '../../../../streams/engine/index.ts'
import { describeWithEngine } from '../clickhouse/kit.ts'
import { everything, SHORT } from './everything.ts'
import { asked, differences, openTestStore, type Known } from './kit.ts'
import { patients, story } from './stories.ts'

describeWithEngine('SQL against the stream', () => {
  it('says of every vector that the stream emitted what the stream said, timers and silence included', async () => {
    const view = everything(['heartRate'], SHORT)
    const stories = fc.sample(story(['heartRate'], { kinds: ['device', 'charted', 'laboratory'], identities: 3, records: 25, pauses: true }), { numRuns: 40, seed: 5 })
    const { ledger } = patients('p', stories)
    const machines = new Map<string, KeyedMachine<unknown, never, { readonly type: string }>>()
    const known: Known[] = []
    for (const { patient, arrival, offset, event } of ledger.steps) {
      const machine = machines.get(patient) ?? new KeyedMachine(featuresMachine([view])) as never
      machines.set(patient, machine)
      machine.record(offset, arrival, patient, event as never, ({ out, at, through }) => {
        const vector = out as unknown as Known
        if (out.type === 'vector') known.push({ patient, asOf: at, through, values: vector.values, times: vector.times })
      })
    }
    await using test = await openTestStore()
    await test.store.write(ledger.batch)
    const found = differences(view, known, await asked(test.store, view, known, { merged: false }))
    expect([...found].slice(0, 5).map(([name, examples]) => `${name}: ${examples.length} rows, ${examples[0]}`)).toEqual([])
    expect(known.length).toBeGreaterThan(300)
  })
})
