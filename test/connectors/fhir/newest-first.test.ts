import { expect, it } from 'vitest'
import { NewestFirst, type KnownVersion } from '../../../connectors/fhir/newest-first.ts'
import { fhirMapper } from '../../../connectors/fhir/index.ts'
import { envelopeOf } from '../../../connectors/fhir/resources/index.ts'
import { Feed, LiveMapping, type FeedMapping } from '../../../connectors/kit/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { heartRate, MAPPING, MemoryTable, NOW_MS, patient } from './support.ts'

const OWN = { coding: [{ system: 'urn:ward', code: 'PULS' }] }
const MAPPED: FeedMapping = { ...MAPPING, codes: new Map([['URN:WARD|PULS', { concept: 'heartRate', unit: '' }]]) as never }

interface Place { readonly intake: FakeIntake, readonly feed: Feed, readonly newest: NewestFirst, readonly mapping: LiveMapping, readonly table: MemoryTable<KnownVersion>, values (): readonly number[] }

function place (keeps: 'all' | 'refused', { table = new MemoryTable<KnownVersion>(), intake = new FakeIntake(), keptMax = 100 } = {}): Place {
  const mapping = new LiveMapping({ mapping: MAPPING, now: () => NOW_MS, seen: [] })
  const feed = new Feed({ name: 'ehr', kind: 'fhir', intake, mapping, map: fhirMapper() })
  return { intake, feed, mapping, table, newest: new NewestFirst(feed, table, keptMax, keeps), values: () => intake.published.flatMap(({ event }) => event.type === 'observations' ? event.observations.map(({ value }) => value) : []) }
}

/** Version 1 has a code that nothing maps. */
const unmapped = (id: string, value: number, versionId: string): Buffer => envelopeOf({ ...heartRate(id, value), code: OWN, meta: { versionId } } as never, [patient('p1')] as never)
const standard = (id: string, value: number, versionId: string): Buffer => envelopeOf({ ...heartRate(id, value), meta: { versionId } } as never, [patient('p1')] as never)

it.each(['all', 'refused'] as const)('a dead letter of an old version does not overwrite the newer one that was taken meanwhile, also after a restart; versions kept: %s', async keeps => {
  const { intake, newest, table, values } = place(keeps)
  expect(await newest.take(unmapped('o1', 80, '1'))).toMatchObject({ kind: 'refused', fault: { cause: 'code-unknown' } })
  expect(await newest.take(standard('o1', 90, '2'))).toMatchObject({ kind: 'taken', published: 1 })
  const [letter] = intake.refused
  const { feed, mapping } = place(keeps, { table, intake })
  mapping.replace(MAPPED)
  expect(await feed.retry(letter!.raw)).toEqual({ kind: 'superseded' })
  expect([values(), intake.counts.get('stale-version')]).toEqual([[90], 1])
})

it('a dead letter of the newest version is taken, and is what the next one is compared with', async () => {
  const { intake, newest, feed, mapping, values } = place('refused')
  await newest.take(unmapped('o1', 80, '1'))
  await newest.take(unmapped('o1', 81, '2'))
  mapping.replace(MAPPED)
  const [first, second] = intake.refused
  expect(await feed.retry(first!.raw)).toEqual({ kind: 'superseded' }) // the newer one waits for its own retry
  expect(await feed.retry(second!.raw)).toMatchObject({ kind: 'taken', published: 1 })
  expect(await feed.retry(first!.raw)).toEqual({ kind: 'superseded' })
  expect(values()).toEqual([81])
})

it('a retry and a newer version at once: whichever comes first, the newer one stands at the end', async () => {
  const { intake, newest, feed, mapping, values } = place('refused')
  await newest.take(unmapped('o1', 80, '1'))
  mapping.replace(MAPPED)
  let release!: () => void
  const held = new Promise<void>(resolve => { release = resolve })
  intake.beforePublish = async ({ messageId }) => { if (messageId.includes('_history/1')) await held }
  const both = Promise.all([feed.retry(intake.refused[0]!.raw), newest.take(standard('o1', 90, '2'))])
  await new Promise(setImmediate) // the newer one could go ahead, if it did not wait for its turn
  release()
  expect((await both).map(({ kind }) => kind)).toEqual(['taken', 'taken'])
  expect(values()).toEqual([80, 90])
})

it('of a source that sends nothing old only what was refused is kept, up to a limit', async () => {
  const { newest, table } = place('refused', { keptMax: 2 })
  await newest.take(standard('o1', 80, '1'))
  expect(table.rows.size).toBe(0)
  for (const id of ['o2', 'o3', 'o4']) await newest.take(unmapped(id, 80, '1'))
  expect([...table.rows.keys()]).toEqual(['Observation/o3', 'Observation/o4'])
})

it('a part that was refused of an old version is superseded too', async () => {
  const { intake, newest, feed, mapping, values } = place('refused')
  const two = { ...heartRate('o1', 80), valueQuantity: undefined, component: [{ code: heartRate('x', 1)['code'], valueQuantity: heartRate('x', 80)['valueQuantity'] }, { code: OWN, valueQuantity: heartRate('x', 1)['valueQuantity'] }] }
  expect(await newest.take(envelopeOf({ ...two, meta: { versionId: '1' } } as never, [patient('p1')] as never))).toMatchObject({ kind: 'taken', published: 1, refused: [{}] })
  await newest.take(standard('o1', 90, '2'))
  mapping.replace(MAPPED)
  expect(await feed.retry(intake.refused[0]!.raw)).toEqual({ kind: 'superseded' })
  expect(values()).toEqual([80, 90])
})
