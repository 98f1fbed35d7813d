import { expect, it } from 'vitest'
import { hl7Connector, type Hl7Fault } from '../../../connectors/hl7/index.ts'
import { Feed, lateResultsOf, LiveMapping, PLAIN_MAPPING, type CodeMapping, type LateLetter } from '../../../connectors/kit/index.ts'
import { anyKind } from '../../../ops/config/index.ts'
import type { Observation } from '../../../streams/events/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { MemoryTable } from '../fhir/support.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { hl7, NOW, oru } from './support.ts'

const LACTATE: CodeMapping = { concept: 'lactate', unit: '' }
const KEYS = ['L|XLAC', '|XLAC', 'XLAC']

interface Place { readonly intake: FakeIntake, readonly feed: Feed<Hl7Fault>, readonly table: MemoryTable<LateLetter>, map (): void, said (): readonly (readonly [number, string])[] }

/** A feed of HL7 as it is prepared for a start; on the same table and intake it is the same after a restart. */
function place ({ table = new MemoryTable<LateLetter>(), intake = new FakeIntake(NOW), namespaces = PLAIN_MAPPING.namespaces } = {}): Place {
  const mapping = new LiveMapping({ mapping: { ...PLAIN_MAPPING, namespaces }, now: () => NOW, seen: [] })
  const options = hl7Connector.options.parse({ port: 0 })
  const late = lateResultsOf(hl7Connector, options, { intake, mapping })!
  const feed = new Feed({ name: 'lab', kind: 'hl7', intake: late, mapping, map: hl7Connector.mapper(options) })
  late.guard(feed, table)
  const readings = (): readonly Observation[] => intake.published.flatMap(({ event }) => event.type === 'observations' ? event.observations : [])
  return { intake, feed, table, map: () => { mapping.replace({ ...PLAIN_MAPPING, codes: new Map(KEYS.map(key => [key, LACTATE])) as never }) }, said: () => readings().map(({ value, status }) => [value, status] as const) }
}

const POTASSIUM = 'OBX|2|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F'
const lactate = (value: string, status: string): string => `OBX|1|NM|XLAC^Laktat^L||${value}|mmol/L|||||${status}`

it.each([['a correction', 'C', 'corrected'], ['a withdrawal', 'W', 'withdrawn']])('a dead letter of a result does not undo %s that was taken since, also after a restart', async (_, code, status) => {
  const before = place()
  expect(await before.feed.take(oru('1', lactate('34', 'F'), POTASSIUM))).toMatchObject({ kind: 'taken', published: 1, refused: [{}] })
  before.map()
  expect(await before.feed.take(oru('2', lactate('3.4', code)))).toMatchObject({ kind: 'taken', published: 1 })
  const { feed, map, said, intake, table } = place(before)
  map()
  expect(await feed.retry(intake.refused[0]!.raw)).toEqual({ kind: 'superseded' })
  expect(said()).toEqual([[4.1, 'final'], [3.4, status]])
  expect(table.rows.size).toBe(0)
  expect(intake.counts.get('stale-result')).toBe(1)
})

it('of a whole message that is retried only the results are left out that something newer was said of', async () => {
  const { feed, intake, map, said } = place({ namespaces: new Map([['OTHER', '']]) })
  expect(await feed.take(oru('1', lactate('34', 'F'), POTASSIUM))).toMatchObject({ kind: 'refused', fault: { cause: 'patient-missing' } })
  map()
  await feed.take(oru('2', lactate('3.4', 'C')))
  expect(await feed.retry(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 1 })
  expect(said()).toEqual([[3.4, 'corrected'], [4.1, 'final']])
})

it('letters of one result are taken in the order in which they came, whichever is retried first', async () => {
  const { feed, intake, map, said } = place()
  await feed.take(oru('1', lactate('34', 'F')))
  await feed.take(oru('2', lactate('3.4', 'C')))
  map()
  const [first, second] = intake.refused
  expect(await feed.retry(second!.raw)).toMatchObject({ kind: 'taken', published: 1 })
  expect(await feed.retry(first!.raw)).toEqual({ kind: 'superseded' })
  expect(said()).toEqual([[3.4, 'corrected']])
})

it('the older letter, retried first, does not close the newer one', async () => {
  const { feed, intake, map, said } = place()
  await feed.take(oru('1', lactate('34', 'F')))
  await feed.take(oru('2', lactate('3.4', 'C')))
  map()
  for (const { raw } of intake.refused) expect(await feed.retry(raw)).toMatchObject({ kind: 'taken', published: 1 })
  expect(said()).toEqual([[34, 'final'], [3.4, 'corrected']])
})

it('a word that is said again is no newer one, and another patient, order, time or code is another result', async () => {
  const { feed, intake, map, said } = place()
  const taken = oru('1', 'OBX|1|NM|XLAC^Laktat^L||2.0|mmol/L|||||F')
  const other = place({ intake })
  other.map()
  await other.feed.take(taken)
  await feed.take(oru('2', lactate('3.4', 'C')))
  map()
  expect(await feed.take(taken)).toMatchObject({ kind: 'taken', duplicates: 1 })
  await feed.take(hl7(...oru('3', lactate('9', 'F')).toString().split('\r').filter(line => line !== '').map(line => line.replace('F-9', 'F-10'))))
  await feed.take(oru('4', 'OBX|1|NM|XLAC^Laktat^L||8|mmol/L|||||F|||20260314112900+0000'))
  expect(await feed.retry(intake.refused.at(-1)!.raw)).toMatchObject({ kind: 'taken', published: 1 })
  expect(said()).toEqual([[2, 'final'], [9, 'final'], [8, 'final'], [3.4, 'corrected']])
})

it('readings without an order are told apart by their patient', async () => {
  const { feed, intake, map, said } = place()
  const chart = (id: string, patient: string, value: string): Buffer => hl7(`MSH|^~\\&|EMR|W|LATIDO|HOSP|20260314115900+0000||ORU^R01|${id}|P|2.5.1`, `PID|1||${patient}^^^HOSP^MR`, 'OBR|1|||CHART', `OBX|1|NM|XLAC^Laktat^L||${value}|mmol/L|||||F|||20260314113000+0000`)
  await feed.take(chart('1', 'TEST-1', '1'))
  map()
  await feed.take(chart('2', 'TEST-2', '2'))
  expect(await feed.retry(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 1 })
  expect(said()).toEqual([[2, 'final'], [1, 'final']])
})

it('a feed that is started as its file says guards its retries', async () => {
  const intake = new FakeIntake(NOW)
  const mapping = new LiveMapping({ mapping: PLAIN_MAPPING, now: () => NOW, seen: [] })
  const configured = anyKind(hl7Connector).configure({ port: 0 })
  if (configured.kind !== 'ok') throw new Error('the options are right')
  const { feed, start } = configured.configured.prepare({ name: 'lab', intake, mapping })
  await using _ = await start({ clock: new ManualClock(NOW), table: () => new MemoryTable(), secret: () => '', say: () => {} })
  await feed.take(oru('1', lactate('34', 'F')))
  mapping.replace({ ...PLAIN_MAPPING, codes: new Map(KEYS.map(key => [key, LACTATE])) as never })
  await feed.take(oru('2', lactate('3.4', 'C')))
  expect(await feed.retry(intake.refused[0]!.raw)).toEqual({ kind: 'superseded' })
})
