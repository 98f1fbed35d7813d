import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { avroTopic, defineProcessor, fields, merged, testProcessor, type DefinedProcessor } from '../../../streams/processors/index.ts'
import { count, join, tumbling } from '../../../streams/windows/index.ts'

const SATURATION = { type: 'record', name: 'Saturation', fields: [{ name: 'patient', type: 'string' }, { name: 'ts', type: 'long' }, { name: 'id', type: 'int' }] } as const
const OXYGEN = { type: 'record', name: 'Oxygen', fields: [{ name: 'id', type: 'int' }, { name: 'patient', type: 'string' }, { name: 'ts', type: 'long' }] } as const
type Side = typeof SATURATION | typeof OXYGEN

const joined = (kind: 'inner' | 'left'): DefinedProcessor<Side> => {
  const windows = join({ within: '10 s', grace: '15 s' }).eventTime('ts')
  const shared = { name: 'joined', input: merged('both', SATURATION, OXYGEN), key: fields('patient'), late: 'late' } as const
  return kind === 'inner'
    ? defineProcessor({ ...shared, machine: windows.inner(), output: { topic: 'out', json: (l, r) => [l.id, r.id] } })
    : defineProcessor({ ...shared, machine: windows.left(), output: { topic: 'out', json: (l, r) => [l.id, r === undefined ? null : r.id] } })
}

interface Moment { readonly at: number, readonly side: number, readonly patient: string | undefined, readonly ts: number }
const STEP_MS = 5_000
const stories: fc.Arbitrary<readonly Moment[]> = fc.array(fc.record({ step: fc.nat(20), jitter: fc.constantFrom(0, 0, 1, 2, 3, 4, 8), side: fc.nat(1), patient: fc.constantFrom('a', 'a', 'b', undefined) }), { minLength: 1, maxLength: 40 })
  .map(drawn => [...drawn].sort((a, b) => a.step + a.jitter - b.step - b.jitter).map(({ step, jitter, side, patient }) => ({ at: (step + jitter + 1) * STEP_MS, ts: (step + 1) * STEP_MS, side, patient })))

interface Told { readonly pairs: readonly unknown[], readonly late: boolean }

async function tell (kind: 'inner' | 'left', story: readonly Moment[], restarts: ReadonlyMap<number, number> = new Map()): Promise<readonly Told[]> {
  const t = await testProcessor(joined(kind))
  const told: Told[] = []
  for (const [id, { at, side, patient, ts }] of story.entries()) {
    const rows = restarts.get(id)
    if (rows !== undefined) await t.restart(rows)
    if (patient === undefined) await t.sendRaw(null, null, at)
    else await t.send({ patient, ts, id }, { at, side })
    const late = t.read('late').length > 0
    told.push({ late, pairs: t.read('out').map(w => w.value) })
  }
  return told
}

/** The twin: every pair of taken records, when the second arrives; a lone left one when nothing taken could match it. */
function naive (kind: 'inner' | 'left', story: readonly Moment[]): readonly Told[] {
  const taken: (Moment & { readonly id: number, matched: boolean, gone: boolean })[] = []
  let clock = 0
  return story.map((moment, id) => {
    clock = Math.max(clock, moment.at)
    const pairs: unknown[] = []
    const alone = taken.filter(m => !m.gone && m.ts + 25_001 <= clock).sort((a, b) => a.ts - b.ts || (a.patient! < b.patient! ? -1 : a.patient! > b.patient! ? 1 : a.id - b.id))
    for (const m of alone) { m.gone = true; if (m.side === 0 && !m.matched && kind === 'left') pairs.push([m.id, null]) }
    if (moment.patient === undefined) return { pairs, late: false }
    if (moment.ts + 15_000 < clock) return { pairs, late: true }
    const mine = { ...moment, id, matched: false, gone: false }
    for (const other of taken.filter(m => m.patient === mine.patient && m.side !== mine.side && Math.abs(m.ts - mine.ts) <= 10_000).sort((a, b) => a.ts - b.ts || a.id - b.id)) {
      mine.matched = other.matched = true
      pairs.push(mine.side === 0 ? [mine.id, other.id] : [other.id, mine.id])
    }
    taken.push(mine)
    return { pairs, late: false }
  })
}

describe.each(['inner', 'left'] as const)('%s join', kind => {
  const check = (property: (story: readonly Moment[], dice: readonly number[]) => Promise<void>): Promise<void> => fc.assert(fc.asyncProperty(stories, fc.array(fc.nat(9), { minLength: 4, maxLength: 4 }), property), { numRuns: 60 })

  it('emits what its naive twin emits, on the same record', () => check(async story => { expect(await tell(kind, story)).toEqual(naive(kind, story)) }))

  it('goes on the same from rows and replay, wherever it was cut', () => check(async (story, dice) => {
    expect(await tell(kind, story, new Map(dice.map((d, i) => [Math.floor(story.length * (i + d / 10) / dice.length), d % 3])))).toEqual(await tell(kind, story))
  }))
})

it('a record of another name than the two sides is refused', async () => {
  const t = await testProcessor(joined('inner'))
  await t.sendRaw(Buffer.from('k'), Buffer.from([0, 0, 0, 0, 99]))
  expect(t.read('joined.dead-letters')).toHaveLength(1)
})

it('windows and joins do not read each other\'s rows', async () => {
  const one = defineProcessor({ name: 'same', input: avroTopic('both', SATURATION), key: fields('patient'), machine: tumbling({ size: '10 s' }).eventTime('ts').of('id').aggregate({ n: count() }).onClose(), output: { topic: 'out', json: {} } })
  const schemas = { known: () => Promise.resolve([]), idOf: () => Promise.resolve({ id: 1 }) }
  expect((await one.open(schemas)).snapshots.version).not.toBe((await joined('inner').open(schemas)).snapshots.version)
})
