import { expect, it } from 'vitest'
import { NewestFirst, type KnownVersion, type VersionLimits } from '../../../connectors/fhir/newest-first.ts'
import { fhirMapper } from '../../../connectors/fhir/index.ts'
import { deletionOf, envelopeOf } from '../../../connectors/fhir/resources/index.ts'
import { Feed, LiveMapping, type FeedMapping } from '../../../connectors/kit/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { heartRate, MAPPING, MemoryTable, NOW_MS, patient } from './support.ts'

const OWN = { coding: [{ system: 'urn:ward', code: 'PULS' }] }
const MAPPED: FeedMapping = { ...MAPPING, codes: new Map([['URN:WARD|PULS', { concept: 'heartRate', unit: '' }]]) as never }

interface Place { readonly intake: FakeIntake, readonly feed: Feed, readonly newest: NewestFirst, readonly mapping: LiveMapping, readonly table: MemoryTable<KnownVersion>, values (): readonly number[] }

function place ({ table = new MemoryTable<KnownVersion>(), intake = new FakeIntake(), limits = {} as Partial<VersionLimits> } = {}): Place {
  const mapping = new LiveMapping({ mapping: MAPPING, now: () => NOW_MS, seen: [] })
  const feed = new Feed({ name: 'ehr', kind: 'fhir', intake, mapping, map: fhirMapper() })
  return { intake, feed, mapping, table, newest: new NewestFirst(feed, table, limits), values: () => intake.published.flatMap(({ event }) => event.type === 'observations' ? event.observations.map(({ value }) => value) : []) }
}

/** Version 1 has a code that nothing maps. */
const unmapped = (id: string, value: number, versionId: string): Buffer => envelopeOf({ ...heartRate(id, value), code: OWN, meta: { versionId } } as never, [patient('p1')] as never)
const standard = (id: string, value: number, versionId: string): Buffer => envelopeOf({ ...heartRate(id, value), meta: { versionId } } as never, [patient('p1')] as never)

/** A panel: each component a standard code. */
const CODES = { a: '8480-6', b: '8462-4', c: '8478-0' } as const
function panel (id: string, versionId: string, values: Readonly<Partial<Record<keyof typeof CODES, number>>>, extra: object = {}, of = 'p1'): Buffer {
  const { valueQuantity: _, ...shell } = heartRate(id, 0) as Record<string, unknown>
  const component = Object.entries(values).map(([name, value]) => ({ code: { coding: [{ system: 'http://loinc.org', code: CODES[name as keyof typeof CODES] }] }, valueQuantity: { value, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' } }))
  return envelopeOf({ ...shell, code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] }, component, subject: { reference: `Patient/${of}` }, meta: { versionId }, ...extra } as never, [patient(of)] as never)
}

it('a dead letter of an old version does not overwrite the newer one that was taken meanwhile, also after a restart', async () => {
  const { intake, newest, table, values } = place()
  expect(await newest.take(unmapped('o1', 80, '1'))).toMatchObject({ kind: 'refused', fault: { cause: 'code-unknown' } })
  expect(await newest.take(standard('o1', 90, '2'))).toMatchObject({ kind: 'taken', published: 1 })
  const [letter] = intake.refused
  const { feed, mapping } = place({ table, intake })
  mapping.replace(MAPPED)
  expect(await feed.retry(letter!.raw)).toEqual({ kind: 'superseded' })
  expect([values(), intake.counts.get('stale-version')]).toEqual([[90], 1])
})

it('a dead letter of the newest version is taken, and is what the next one is compared with', async () => {
  const { intake, newest, feed, mapping, values } = place()
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
  const { intake, newest, feed, mapping, values } = place()
  await newest.take(unmapped('o1', 80, '1'))
  mapping.replace(MAPPED)
  let release!: () => void
  const held = new Promise<void>(resolve => { release = resolve })
  intake.beforePublish = async ({ messageId }) => { if (messageId.includes('_history/1')) await held }
  const both = Promise.all([feed.retry(intake.refused[0]!.raw), newest.take(standard('o1', 90, '2'))])
  await new Promise(setImmediate) // the newer one could go ahead, if it did not wait for its turn
  release()
  expect((await both).map(({ kind }) => kind)).toEqual(['taken', 'taken'])
  expect([values().slice(0, 2), standing(intake)]).toEqual([[80, 90], ['MRN-p1 heartRate 90']]) // of another code: the old one is withdrawn
})

it('versions are remembered up to a limit of resources and one of parts; what is forgotten is counted, also on disk', async () => {
  const few = place({ limits: { resourcesMax: 2 } })
  for (const id of ['o1', 'o2', 'o3']) await few.newest.take(standard(id, 80, '1'))
  expect([[...few.table.rows.keys()], few.intake.counts.get('versions-forgotten')]).toEqual([['Observation/o2', 'Observation/o3'], 1])
  const { newest, table, intake } = place({ limits: { partsMax: 3, partsPerResourceMax: 2 } })
  await newest.take(panel('o1', '1', { a: 120, b: 80, c: 90 }))
  expect(intake.counts.get('parts-not-remembered')).toBe(1)
  await newest.take(panel('o2', '1', { a: 120, b: 80 }))
  expect([...table.rows.keys()]).toEqual(['Observation/o2'])
})

it('a part that was refused of an old version is superseded too', async () => {
  const { intake, newest, feed, mapping, values } = place()
  const two = { ...heartRate('o1', 80), valueQuantity: undefined, component: [{ code: heartRate('x', 1)['code'], valueQuantity: heartRate('x', 80)['valueQuantity'] }, { code: OWN, valueQuantity: heartRate('x', 1)['valueQuantity'] }] }
  expect(await newest.take(envelopeOf({ ...two, meta: { versionId: '1' } } as never, [patient('p1')] as never))).toMatchObject({ kind: 'taken', published: 1, refused: [{}] })
  await newest.take(standard('o1', 90, '2'))
  mapping.replace(MAPPED)
  expect(await feed.retry(intake.refused[0]!.raw)).toEqual({ kind: 'superseded' })
  expect(values()).toEqual([80, 90])
})

/** What stands on the log, per patient: what was said last of each result and each statement. */
function standing ({ published }: FakeIntake): readonly string[] {
  const all = new Map<string, string | undefined>()
  for (const { event, patient: { id } } of published) {
    if (event.type === 'observations') for (const one of event.observations) all.set(`${id} ${one.concept} ${one.resultId}`, one.status === 'withdrawn' ? undefined : `${id} ${one.concept} ${one.value}`)
    if (event.type === 'statement') all.set(`${id} ${event.statementId}`, event.status === 'withdrawn' ? undefined : `${id} ${event.code} ${event.status}`)
  }
  return [...all.values()].filter(one => one !== undefined).sort()
}

it('a component that a newer version no longer has is withdrawn in the record of that version, at the time that it was of, once, also where the version comes again after a restart', async () => {
  const { intake, newest, table } = place()
  await newest.take(panel('o1', '1', { a: 120, b: 80 }))
  await newest.take(panel('o1', '2', { a: 121 }))
  expect(intake.published.length).toBe(2)
  expect(intake.published[1]!.event).toMatchObject({ observations: [{ value: 121 }, { concept: 'diastolic', status: 'withdrawn', eventTime: Date.parse('2031-05-06T09:30:00Z') }] })
  await place({ table, intake }).newest.take(panel('o1', '2', { a: 121 }))
  expect([intake.published.length, intake.counts.get('parts-withdrawn'), standing(intake)]).toEqual([2, 1, ['MRN-p1 systolic 121']])
})

it('a crash between the log and what is remembered withdraws nothing twice', async () => {
  const { intake, newest, table } = place()
  await newest.take(panel('o1', '1', { a: 120, b: 80 }))
  table.beforeSave = () => { throw new Error('no disk any more') }
  await expect(newest.take(panel('o1', '2', { a: 121 }))).rejects.toThrow('no disk')
  table.beforeSave = () => {}
  await place({ table, intake }).newest.take(panel('o1', '2', { a: 121 }))
  expect([intake.published.length, intake.duplicates, standing(intake)]).toEqual([2, 1, ['MRN-p1 systolic 121']])
})

it('a panel that is another patient\'s now is withdrawn of the first before the second has it', async () => {
  const { intake, newest } = place()
  await newest.take(panel('o1', '1', { a: 120, b: 80 }))
  await newest.take(panel('o1', '2', { a: 120, b: 80 }, {}, 'p2'))
  expect(intake.published.map(({ patient: { id }, event }) => [id, event.type === 'observations' ? event.observations.map(({ status }) => status) : []])).toEqual([['MRN-p1', ['final', 'final']], ['MRN-p1', ['withdrawn', 'withdrawn']], ['MRN-p2', ['final', 'final']]])
})

it('entered in error without its components, and a deletion of which nobody has a version, take back everything that stood', async () => {
  const { intake, newest } = place()
  for (const id of ['o1', 'o2']) await newest.take(panel(id, '1', { a: 120, b: 80 }))
  await newest.take(panel('o1', '2', {}, { status: 'entered-in-error' }))
  await newest.take(deletionOf('Observation', 'o2', '2031-05-06T09:40:00Z', undefined, []))
  expect([standing(intake), intake.refused]).toEqual([[], []])
})

it('a value that was refused in a newer version is still named by it, so it stays; what is not named goes at once', async () => {
  const { intake, newest } = place()
  await newest.take(panel('o1', '1', { a: 120, b: 80 }))
  await newest.take(panel('o1', '2', { a: 9_999 }))
  expect([intake.causes(), standing(intake)]).toEqual([['value-impossible'], ['MRN-p1 systolic 120']])
  await newest.take(panel('o1', '3', { a: 9_998, b: 81 }))
  expect([intake.causes().length, standing(intake)]).toEqual([2, ['MRN-p1 diastolic 81', 'MRN-p1 systolic 120']])
  await newest.take(panel('o1', '4', { b: 81 }))
  expect(standing(intake)).toEqual(['MRN-p1 diastolic 81'])
})

it('a whole version that was refused withdraws when its letter is retried, a part of a version only adds', async () => {
  const { intake, newest, feed, mapping, table } = place()
  await newest.take(panel('o1', '1', { a: 120, b: 80 }))
  await newest.take(panel('o1', '2', { a: 121 }, { subject: { identifier: { system: 'urn:other', value: '7' } } }))
  expect([intake.causes(), standing(intake)]).toEqual([['patient-missing'], ['MRN-p1 diastolic 80', 'MRN-p1 systolic 120']])
  mapping.replace({ ...MAPPING, namespaces: new Map([...MAPPING.namespaces, ['urn:other', '']]) })
  await place({ intake, table }).newest.take(standard('o9', 70, '1'))
  expect(await feed.retry(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken' })
  expect(standing(intake)).toEqual(['7 systolic 121', 'MRN-p1 heartRate 70'])
})

it('a deletion that is told again and again is one version: what is made anew of the resource is newer', async () => {
  const { intake, newest } = place()
  await newest.take(standard('o1', 80, '1'))
  const deletion = deletionOf('Observation', 'o1', '2031-05-06T09:40:00Z', undefined, [])
  for (let i = 0; i < 5; i++) await newest.take(deletion)
  await newest.take(standard('o1', 90, '3'))
  expect(standing(intake)).toEqual(['MRN-p1 heartRate 90'])
})

/** Written at a second of the minute after 09:40. */
const at = (second: number): string => new Date(Date.parse('2031-05-06T09:40:00Z') + second * 1_000).toISOString()
const written = (id: string, value: number, second: number, versionId?: string): Buffer => envelopeOf({ ...heartRate(id, value), meta: { lastUpdated: at(second), ...versionId === undefined ? {} : { versionId } } } as never, [patient('p1')] as never)
const deleted = (id: string, second?: number): Buffer => deletionOf('Observation', id, second === undefined ? '' : at(second), undefined, [])

it('a version that was written before the deletion and comes after it does not stand, however many of them never came; what is made anew does', async () => {
  const { intake, newest } = place()
  await newest.take(written('o1', 80, 1, '1'))
  await newest.take(deleted('o1', 5))
  for (const number of [2, 3, 4]) await newest.take(written('o1', 80 + number, number, String(number)))
  await newest.take(standard('o1', 80, '1')) // its number is enough
  expect([standing(intake), intake.counts.get('stale-version')]).toEqual([[], 4])
  await newest.take(written('o1', 90, 5, '6')) // within the same millisecond: what comes later holds
  await newest.take(deleted('o1', 5))
  await newest.take(written('o1', 91, 6, '7'))
  await newest.take(deleted('o1', 5))
  expect(standing(intake)).toEqual(['MRN-p1 heartRate 91'])
})

it('a deletion that does not say when is not before what it deletes', async () => {
  const { intake, newest, table } = place()
  await newest.take(written('o1', 80, 2))
  await newest.take(deleted('o1'))
  await place({ table, intake }).newest.take(written('o1', 79, 1))
  expect([standing(intake), intake.counts.get('stale-version')]).toEqual([[], 1])
  await newest.take(written('o1', 81, 3))
  expect(standing(intake)).toEqual(['MRN-p1 heartRate 81'])
})

it('of a server that does not number what is said again word for word, after something else or after a deletion, stands; said twice of one moment it is a duplicate', async () => {
  const { intake, newest } = place()
  for (const [value, second] of [[80, 1], [81, 2], [80, 3], [80, 3]] as const) await newest.take(written('o1', value, second))
  expect([standing(intake), intake.duplicates]).toEqual([['MRN-p1 heartRate 80'], 1])
  await newest.take(deleted('o1', 4))
  await newest.take(written('o1', 80, 5))
  expect(standing(intake)).toEqual(['MRN-p1 heartRate 80'])
  await newest.take(deleted('o1', 6))
  expect(standing(intake)).toEqual([])
})

it.each([['the next version', true], ['its letter, retried', false]])('a version that the log refuses whole took nothing back: what stood is known, and %s withdraws what it no longer says', async (_, isNext) => {
  const { intake, newest, table } = place()
  await newest.take(panel('o1', '1', { a: 120, b: 80 }))
  intake.beforePublish = () => Promise.reject(new LatidoError('RECORD_TOO_LARGE', 'the record is too large', 'make it smaller'))
  expect(await newest.take(panel('o1', '2', { a: 121 }))).toMatchObject({ kind: 'refused', fault: { cause: 'too-large' } })
  expect(standing(intake)).toEqual(['MRN-p1 diastolic 80', 'MRN-p1 systolic 120'])
  intake.beforePublish = () => Promise.resolve()
  const after = place({ table, intake })
  if (isNext) await after.newest.take(panel('o1', '3', { a: 121 }))
  else await after.feed.retry(intake.refused[0]!.raw)
  expect(standing(intake)).toEqual(['MRN-p1 systolic 121'])
})
