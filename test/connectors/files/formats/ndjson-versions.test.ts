import { expect, it } from 'vitest'
import { LiveMapping, type FeedMapping } from '../../../../connectors/kit/index.ts'
import { heartRate, MAPPING, patient } from '../../fhir/support.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'
import { TemporaryFolder } from '../folder.ts'
import { NOW_MS, Tables, trial } from '../support.ts'

const OWN: FeedMapping = { ...MAPPING, codes: new Map([['URN:WARD|PULS', { concept: 'heartRate', unit: '/min' }]]) }
const KNOWN = '8867-4'
const line = (versionId: string, value: number, code: string): string => JSON.stringify({ ...heartRate('o1', value), code: { coding: [{ system: code === KNOWN ? 'http://loinc.org' : 'urn:ward', code }] }, meta: { versionId } })
const said = ({ published }: FakeIntake): readonly unknown[] => published.flatMap(({ event }) => event.type === 'observations' ? event.observations.map(({ value, status }) => [value, status]) : [])

it('of a resource in NDJSON files the newest version holds: an older file, and a dead letter that is retried late, leave it, and what it no longer says is withdrawn', async () => {
  await using folder = await TemporaryFolder.of({
    'Patient.ndjson': `${JSON.stringify(patient('p1'))}\n`, 'a.ndjson': `${line('2', 80, KNOWN)}\n`, 'b.ndjson': `${line('1', 70, KNOWN)}\n`, 'c.ndjson': `${line('3', 90, 'PULS')}\n`, 'd.ndjson': `${line('4', 95, 'PULS')}\n`,
  })
  const table = new LiveMapping({ mapping: MAPPING, now: () => NOW_MS, seen: [] })
  const parts = { table, tables: new Tables(), intake: new FakeIntake(NOW_MS) } // of a feed that is started anew for each file
  for (const name of ['a', 'b', 'c']) await trial({ format: 'fhir-ndjson' }, parts).take(folder.file(`${name}.ndjson`))
  const { intake } = parts
  expect([said(intake), intake.counts.get('stale-version'), intake.causes()]).toEqual([[[80, 'final'], [0, 'withdrawn']], 1, ['code-unknown']])
  table.replace(OWN)
  const { feed, take } = trial({ format: 'fhir-ndjson' }, parts)
  await take(folder.file('d.ndjson'))
  expect(await feed.retry(intake.refused[0]!.raw)).toEqual({ kind: 'superseded' })
  expect(said(intake)).toEqual([[80, 'final'], [0, 'withdrawn'], [95, 'final']])
})
