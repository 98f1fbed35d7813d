import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orthancConnector, orthancOptions } from '../../../connectors/dicom/index.ts'
import { Archive } from '../../../connectors/dicom/archive.ts'
import type { Rest } from '../../../connectors/dicom/client.ts'
import { codeOf } from '../../../connectors/dicom/codes.ts'
import type { KnownStudy } from '../../../connectors/dicom/known-studies.ts'
import { OrthancSource } from '../../../connectors/dicom/source.ts'
import { dicomTime } from '../../../connectors/dicom/time.ts'
import { Feed, fixedMapping, type ConnectorContext, type KeptTable } from '../../../connectors/kit/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'

describe('times', () => {
  it.each([
    ['20310506', '081500', '+0200', Date.UTC(2031, 4, 6, 6, 15)], ['20310506', '081500.5', '-0330', Date.UTC(2031, 4, 6, 11, 45, 0, 500)], ['20310506', '0815', '', Date.UTC(2031, 4, 6, 6, 15)],
    ['20310106', '08', '', Date.UTC(2031, 0, 6, 7)], ['20310506', '', '', Date.UTC(2031, 4, 5, 22)], ['2031.05.06', '08:15:00', '+0000', Date.UTC(2031, 4, 6, 8, 15)], ['20310506', '235960', '+0000', Date.UTC(2031, 4, 6, 23, 59, 59)],
  ])('reads %s %s %s, in the zone of the feed where there is no offset', (date, time, offset, at) => {
    expect(dicomTime(date, time, offset, 'Europe/Madrid')).toEqual({ kind: 'time', at })
  })

  it.each([['', ''], ['2031', ''], ['20310231', ''], ['20311306', ''], ['20310506', '24'], ['20310506', '0860'], ['20310506', 'noon'], ['20310506', '08:15:00 AM']])('does not read %s %s', (date, time) => {
    expect(dicomTime(date, time, '', 'UTC').kind).toBe('unparsable')
  })

  it('does not believe an X-ray before Röntgen', () => { expect(dicomTime('18940506', '', '', 'UTC').kind).toBe('implausible') })
})

describe('codes', () => {
  const tags = { studyInstanceUid: '1', studyDate: '', studyTime: '', timezoneOffset: '', patientId: '', issuer: '', series: 1 }
  it.each([
    [['CT'], [], 'http://dicom.nema.org/resources/ontology/DCM', 'CT'], [['CT', 'CT', 'SR', 'SR', 'SR'], ['CHEST'], 'urn:latido:dicom:modality-body-part', 'CT/CHEST'],
    [['CT', 'PT'], [], 'http://dicom.nema.org/resources/ontology/DCM', 'CT'], [['SR'], [], 'http://dicom.nema.org/resources/ontology/DCM', 'SR'],
  ])('are the modality of most series of images: %j %j', (modalities, bodyParts, system, code) => { expect(codeOf({ ...tags, modalities, bodyParts })).toEqual({ system, code }) })

  it('are the procedure\'s where it has one', () => {
    expect(codeOf({ ...tags, modalities: ['CT'], bodyParts: [], procedure: { scheme: 'SCT', code: '169069000' } })).toEqual({ system: 'http://snomed.info/sct', code: '169069000' })
    expect(codeOf({ ...tags, modalities: [], bodyParts: [], procedure: { scheme: '99LOCAL', code: 'TH1' } })).toEqual({ system: '99LOCAL', code: 'TH1' })
    expect(codeOf({ ...tags, modalities: [], bodyParts: [] })).toBeUndefined()
  })
})

it('a password goes to another machine over TLS alone', async () => {
  const start = (options: Readonly<Record<string, unknown>>): Promise<unknown> => Promise.resolve().then(() => orthancConnector.start({ secret: () => 'x' } as unknown as ConnectorContext, orthancOptions.parse(options)))
  await expect(start({ url: 'http://pacs.hospital.test', username: 'u', password: { env: 'P' } })).rejects.toMatchObject({ code: 'UNSAFE_CREDENTIALS' })
  await expect(start({ url: 'https://pacs.hospital.test', username: 'u' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

interface ModelStudy { series: number, stable: boolean }

/** What the REST API of an Orthanc does, as measured on 1.10.1: the rows of a study's changes go with it, deletions leave none, and a restart makes everything stable in silence. */
class ModelArchive implements Rest {
  readonly studies = new Map<string, ModelStudy>()
  #changes: { Seq: number, ChangeType: string, ResourceType: string, ID: string, Date: string, study: string }[] = []
  #last = 0
  #era = 0

  #change (ChangeType: string, ResourceType: string, ID: string, study: string): void { this.#changes.push({ Seq: ++this.#last, ChangeType, ResourceType, ID, Date: `era ${this.#era}`, study }) }

  addSeries (id: string): void {
    const study = this.studies.get(id)
    if (study === undefined) this.studies.set(id, { series: 1, stable: false })
    else { study.series++; study.stable = false }
    this.#change('NewSeries', 'Series', `${id}.${this.studies.get(id)?.series ?? 0}`, id)
    if (study === undefined) this.#change('NewStudy', 'Study', id, id)
  }

  settle (which?: string): void { for (const [id, study] of this.studies) if (!study.stable && (which ?? id) === id) { study.stable = true; this.#change('StableStudy', 'Study', id, id) } }
  restart (): void { for (const study of this.studies.values()) study.stable = true }
  delete (id: string): void { this.studies.delete(id); this.#changes = this.#changes.filter(c => c.study !== id) }
  prune (): void { this.#changes = [] }
  exchange (): void { this.studies.clear(); this.#changes = []; this.#last = 0; this.#era++ }

  get (path: string): Promise<unknown> { return Promise.resolve(this.#answer(path)) }

  #answer (path: string): unknown {
    const url = new URL(path, 'http://archive')
    const [since, limit] = [Number(url.searchParams.get('since') ?? 0), Number(url.searchParams.get('limit') ?? 100)]
    const [, kind = '', id = '', part] = url.pathname.split('/')
    if (kind === 'changes') {
      const page = this.#changes.filter(c => c.Seq > since).slice(0, limit)
      return url.search === '?last' ? { Changes: [], Done: true, Last: this.#last } : { Changes: page, Done: page.length < limit, Last: page.at(-1)?.Seq ?? this.#last }
    }
    if (kind === 'studies' && id === '') return [...this.studies.keys()].slice(since, since + limit)
    if (kind === 'instances') return { '0008,0201': { Type: 'String', Value: '+0000' } }
    const study = this.studies.get(kind === 'series' ? id.split('.')[0]! : id)
    if (study === undefined) return undefined
    if (kind === 'series') return { ParentStudy: id.split('.')[0] }
    if (part === 'series') return Array.from({ length: study.series }, (_, i) => ({ ID: `${id}.${i}`, Instances: [`${id}.${i}.1`], MainDicomTags: { Modality: 'CT' } }))
    return { IsStable: study.stable, MainDicomTags: { StudyInstanceUID: id, StudyDate: '20310101', StudyTime: '' }, PatientMainDicomTags: { PatientID: 'PX' } }
  }
}

/** A table on a disk that outlives its reader. */
function tableOn<T> (disk: Map<string, T>): KeptTable<T> { return { load: () => [...disk], save: (key, value) => { if (value === undefined) disk.delete(key); else disk.set(key, value); return Promise.resolve() } } }

const STUDIES = ['a', 'b', 'c'] as const
const study = fc.constantFrom(...STUDIES)
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom('add' as const, 'settle' as const), study }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('delete' as const, 'restart' as const, 'prune' as const), study }) },
  // Reads; ends after so many steps, each of which is a message taken, a position kept, or a message acknowledged.
  { weight: 4, arbitrary: fc.record({ what: fc.constant('read' as const), study, steps: fc.constantFrom(0, 1, 2, 3, 4, 99) }) },
)

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never
const does = (what: 'add' | 'settle' | 'delete' | 'prune', study: (typeof STUDIES)[number]): Operation => ({ what, study })
const reads = (steps: 0 | 3 | 99): Operation => ({ what: 'read', study: 'a', steps })
/** Found once in some thousand runs. */
const FOUND: [Operation[]][] = [
  [[does('add', 'c'), does('settle', 'c'), reads(0), does('delete', 'c'), reads(99), does('add', 'c'), does('settle', 'c'), reads(0), does('delete', 'c')]],
  [[does('add', 'c'), does('prune', 'a'), does('delete', 'c'), reads(3), does('add', 'c'), does('settle', 'c'), reads(0)]],
]

it('whatever an archive does, and wherever the connector ends, what is said last of a study is how it stands, and nothing is said twice', async () => {
  await fc.assert(fc.asyncProperty(fc.array(operation, { maxLength: 40, size: 'max' }), async operations => {
    const archive = new ModelArchive()
    const intake = new FakeIntake()
    const clock = new ManualClock(NOW_MS)
    const feed = new Feed({ name: 'pacs', kind: 'orthanc', intake, mapping: fixedMapping(), map: orthancConnector.mapper(orthancOptions.parse({ url: 'http://archive' })) })
    const disk = new Map<string, KnownStudy>()
    let position: string | undefined
    const options = { ...orthancOptions.parse({ url: 'http://archive' }), compareEveryMs: 1_000 }
    const open = (): OrthancSource => new OrthancSource({ archive: new Archive(archive), endpoint: '', options, table: tableOn(disk), clock, feed, say: () => {} })
    let source = open()
    /** Reads as the kit does; false where it was killed. */
    const read = async (steps: number): Promise<boolean> => {
      clock.advance(1_000)
      for await (const message of source.read({ position, clock, signal: new AbortController().signal })) {
        if (steps-- === 0) return false
        await feed.take(message.raw)
        if (steps-- === 0) return false
        position = message.position ?? position
        if (steps-- === 0) return false
        await message.acknowledge?.()
      }
      return true
    }
    for (const { what, study, ...more } of [...operations, { what: 'settle' as const, study: '' }, { what: 'read' as const, study: '', steps: 99 }]) {
      switch (what) {
        case 'add': archive.addSeries(study); break
        case 'delete': archive.delete(study); break
        case 'settle': archive.settle(study === '' ? undefined : study); break
        case 'restart': archive.restart(); break
        case 'prune': { // what grew before a feed was emptied unread is not told; what is new then is
          archive.settle()
          if (!await read(99)) break
          if (!archive.studies.has(study)) { archive.addSeries(study); archive.settle() }
          archive.prune()
          break
        }
        case 'read': if (!await read('steps' in more ? more.steps : 99)) source = open()
      }
    }
    const said = intake.published.flatMap(({ event }) => event.type === 'statement' ? [event] : [])
    for (const study of STUDIES) {
      const here = archive.studies.get(study)
      const of = said.filter((_, i) => intake.published[i]!.messageId.startsWith(`${study}.`))
      const last = of.at(-1)
      expect(last === undefined || last.status === 'withdrawn' ? undefined : last.value).toBe(here?.series)
      for (const [i, one] of of.entries()) if (i > 0) expect([one.status, one.value]).not.toEqual([of[i - 1]!.status, of[i - 1]!.value])
    }
  }), { numRuns: 400, examples: FOUND })
})

it.each([
  ['by a connector that goes on', { again: false, killedAfter: Infinity }], ['by one that was started again', { again: true, killedAfter: Infinity }],
  ['by one that was killed on the way', { again: true, killedAfter: 2 }], ['by one that was killed on the way, before it kept where it was', { again: true, killedAfter: 1 }],
])('an archive that was exchanged for another is read anew %s, and what it lacks is not withdrawn', async (_, { again, killedAfter }) => {
  const archive = new ModelArchive()
  const intake = new FakeIntake()
  const feed = new Feed({ name: 'pacs', kind: 'orthanc', intake, mapping: fixedMapping(), map: orthancConnector.mapper(orthancOptions.parse({ url: 'http://archive' })) })
  const clock = new ManualClock(NOW_MS)
  const disk = new Map<string, KnownStudy>()
  let position: string | undefined
  const open = (): OrthancSource => new OrthancSource({ archive: new Archive(archive), endpoint: '', options: { ...orthancOptions.parse({ url: 'http://archive' }), compareEveryMs: 1_000 }, table: tableOn(disk), clock, feed, say: () => {} })
  let source = open()
  const read = async (steps: number = Infinity): Promise<void> => {
    clock.advance(1_000)
    for await (const message of source.read({ position, clock, signal: new AbortController().signal })) {
      if (steps-- === 0) return
      await feed.take(message.raw)
      if (steps-- === 0) return
      position = message.position ?? position
      await message.acknowledge?.()
    }
  }
  const fill = (...studies: readonly string[]): void => { for (const study of studies) { archive.addSeries(study); archive.settle() } }
  fill('a', 'b')
  await read()
  archive.exchange()
  fill('c', 'd', 'b', 'f', 'g') // more changes than the position says: only the mark tells
  if (again) source = open()
  if (killedAfter < Infinity) { await read(killedAfter); source = open() }
  await read()
  await read()
  expect(intake.counts.get('archive-exchanged')).toBe(killedAfter < Infinity ? 2 : 1)
  expect(intake.counts.get('not-in-new-archive')).toBe(1)
  expect(intake.published.map(m => [m.messageId.split('.')[0], m.event.type === 'statement' ? m.event.status : ''])).toEqual(['a', 'b', 'c', 'd', 'f', 'g'].map(study => [study, 'completed']))
})
