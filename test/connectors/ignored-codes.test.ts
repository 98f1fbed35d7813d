import { expect, it } from 'vitest'
import { envelopeOf, fhirMapper } from '../../connectors/fhir/index.ts'
import { writeBlock } from '../../connectors/files/wfdb/block.ts'
import { writeRow } from '../../connectors/files/csv/row.ts'
import { FILES_OPTIONS, formatOf } from '../../connectors/files/index.ts'
import { HL7_LIMITS, hl7Mapper } from '../../connectors/hl7/index.ts'
import { Feed, IGNORE, LiveMapping, PLAIN_MAPPING, type CodeMeaning, type MessageMapper } from '../../connectors/kit/index.ts'
import { DEVICE_OPTIONS, Devices, mqttMapper, toEnvelope } from '../../connectors/mqtt/index.ts'
import { telemedicineConnector, telemedicineOptions } from '../../connectors/telemedicine/index.ts'
import { writeEnvelope } from '../../connectors/telemedicine/envelope.ts'
import { connector as template } from '../../connectors/template/connector.ts'
import { FILES_PARTS } from '../../ops/run/intake/files-connector.ts'
import { heartRate, patient } from './fhir/support.ts'
import { FakeIntake, NOW_MS } from './kit/fake-intake.ts'
import { hl7, oru } from './hl7/support.ts'

const AT = new Date(NOW_MS - 60_000).toISOString()
const HL7_AT = AT.replace(/[-:T]|\.\d+Z/g, '')
const files = (csv: object): MessageMapper => formatOf(FILES_OPTIONS.parse({ format: 'csv', csv: { patient: 'p', time: 't', ...csv } }), FILES_PARTS).map
const csvRow = (header: readonly string[], fields: readonly string[]): Buffer => writeRow('f'.repeat(64), 1, 2, JSON.stringify(header), Buffer.from(fields.join(',')))
const device = new Devices(DEVICE_OPTIONS)
const mqtt = mqttMapper(DEVICE_OPTIONS, device)
const onMqtt = (channel: string, message: object): Buffer => toEnvelope(`latido/devices/m1/${channel}`, Buffer.from(JSON.stringify({ time: NOW_MS - 20_000, seq: 1, patient: 'P1', ...message })))
const pcd = (...rows: readonly string[]): Buffer => hl7('MSH|^~\\&|GW|GE|||20310506095900+0000||ORU^R01^ORU_R01|D1|P|2.6|||NE|AL|||||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO', 'PID|1||T1', `OBR|1||G|1^m^SCT|||${HL7_AT}+0000`, ...rows)
const row = (code: string, value = '80'): string => `OBX|1|NM|${code}||${value}||||||F|||${HL7_AT}+0000`
const bundle = (...code: readonly string[]): Buffer => envelopeOf({ ...heartRate('o1', 0), valueQuantity: undefined, component: code.map(one => ({ code: { coding: [{ system: one === 'X-1' ? 'urn:local' : 'http://loinc.org', code: one }] }, valueQuantity: { value: 80, code: '/min' } })) } as never, [patient('p1')] as never)
const readings = (...codes: readonly string[]): Buffer => writeEnvelope({ kind: 'observations', id: 'r', patient: { id: 'P1', authority: '' }, items: codes.map(code => ({ code, value: 80, unit: '/min', takenAt: AT })) })
const block = (...names: readonly string[]): Buffer => writeBlock({ identity: 'w', record: 1, patient: 'P1', startsAt: NOW_MS - 60_000, zoned: true, firstMs: 0, everyMs: 1_000, signals: names.map(name => ({ name, unit: '/min', values: [80] })) })

interface Mapper {
  readonly map: MessageMapper
  /** One part of code X-1 alone. */
  readonly alone: Buffer
  /** It, and a good one. */
  readonly beside?: Buffer
  /** It, with a value that cannot be read. */
  readonly broken?: Buffer
}

const MAPPERS: Readonly<Record<string, Mapper>> = {
  'HL7 results': { map: hl7Mapper({ limits: HL7_LIMITS }) as MessageMapper, alone: oru('M1', row('X-1^Glosse^L')), beside: oru('M1', row('X-1^Glosse^L'), row('8867-4^^LN')), broken: oru('M1', row('X-1^Glosse^L', 'see below').replace('|F|', '|?|')) },
  'HL7 rows of a device': { map: hl7Mapper({ limits: HL7_LIMITS }) as MessageMapper, alone: pcd(row('X-1^^MDC')), beside: pcd(row('X-1^^MDC'), row('147842^^MDC')) },
  'FHIR': { map: fhirMapper(), alone: bundle('X-1'), beside: bundle('X-1', '8867-4') },
  'MQTT numerics': { map: mqtt, alone: onMqtt('numerics', { numerics: [{ code: 'X-1', value: 80, unit: '/min' }] }), beside: onMqtt('numerics', { numerics: [{ code: 'X-1', value: 80, unit: '/min' }, { code: '147842', value: 80, unit: '/min' }] }), broken: onMqtt('numerics', { numerics: [{ code: 'X-1', value: 'high' }] }) },
  'MQTT waves': { map: mqtt, alone: onMqtt('waves', { intervalMs: 15_000, waves: [{ code: 'X-1', mean: 1, min: 0, max: 2, unit: 'mV' }] }), beside: onMqtt('waves', { intervalMs: 15_000, waves: [{ code: 'X-1', mean: 1, min: 0, max: 2, unit: 'mV' }, { code: '150032', mean: 90, min: 70, max: 120, unit: 'mmHg' }] }) },
  'CSV, long': { map: files({ code: 'c', value: 'v', unit: 'u' }), alone: csvRow(['p', 't', 'c', 'v', 'u'], ['P1', AT, 'X-1', '80', '/min']), broken: csvRow(['p', 't', 'c', 'v', 'u'], ['P1', AT, 'X-1', 'high', '/min']) },
  'CSV, wide': { map: files({ columns: { A: { code: 'X-1', unit: '/min' }, B: { code: 'HR', unit: '/min' } } }), alone: csvRow(['p', 't', 'A', 'B'], ['P1', AT, '80', '']), beside: csvRow(['p', 't', 'A', 'B'], ['P1', AT, '80', '80']) },
  'WFDB': { map: formatOf(FILES_OPTIONS.parse({ format: 'wfdb' }), FILES_PARTS).map, alone: block('X-1'), beside: block('X-1', 'HR') },
  'telemedicine': { map: telemedicineConnector.mapper(telemedicineOptions.parse({})) as MessageMapper, alone: readings('X-1'), beside: readings('X-1', 'HR') },
  'a connector from the template': { map: template.mapper({ url: 'http://127.0.0.1', pollEveryMs: 1_000 }) as MessageMapper, alone: Buffer.from(JSON.stringify({ id: 'r', patient: 'P1', code: 'X-1', value: 80, at: AT })) },
}

function open (map: MessageMapper): { readonly feed: Feed, readonly intake: FakeIntake, readonly table: LiveMapping, readonly say: (meaning: CodeMeaning) => void } {
  const intake = new FakeIntake(NOW_MS)
  const table = new LiveMapping({ mapping: PLAIN_MAPPING, now: () => NOW_MS })
  return { intake, table, feed: new Feed({ name: 'lab', kind: 'toy', intake, mapping: table, map }), say: meaning => { table.replace({ ...PLAIN_MAPPING, codes: new Map([['X-1', meaning]]) }) } }
}

it.each(Object.entries(MAPPERS))('%s: a code that nothing maps is a dead letter and listed; ignored it is neither, and is counted; the letter is closed by a retry', async (_, { map, alone }) => {
  const { feed, intake, table, say } = open(map)
  await feed.take(alone)
  expect([intake.causes(), table.seen.map(({ code }) => code)]).toEqual([['code-unknown'], ['X-1']])
  const [letter] = intake.refused
  say(IGNORE)
  expect([table.seen, await feed.retry(letter!.raw)]).toEqual([[], { kind: 'taken', published: 0, duplicates: 0, refused: [] }])
  expect(await feed.take(alone)).toEqual({ kind: 'taken', published: 0, duplicates: 0, refused: [] })
  expect([intake.refused.length, intake.published.length, table.seen, intake.counts.get('codes-ignored')]).toEqual([1, 0, [], 1])
})

it.each(Object.entries(MAPPERS).filter(([, { beside }]) => beside !== undefined))('%s: the rest of its message goes on', async (_, { map, beside }) => {
  const { feed, intake, say } = open(map)
  say(IGNORE)
  expect(await feed.take(beside!)).toMatchObject({ kind: 'taken', published: 1, refused: [] })
  expect([intake.published.flatMap(({ event }) => event.type === 'observations' ? event.observations : []).length, intake.causes(), intake.counts.get('codes-ignored')]).toEqual([1, [], 1])
})

it.each(Object.entries(MAPPERS).filter(([, { broken }]) => broken !== undefined))('%s: whatever else is wrong with it, it is passed over', async (_, { map, broken }) => {
  const { feed, intake, say } = open(map)
  say(IGNORE)
  expect([await feed.take(broken!), intake.causes()]).toEqual([{ kind: 'taken', published: 0, duplicates: 0, refused: [] }, []])
})

it('what was ignored and is wanted again counts from its next message on', async () => {
  const { map, alone } = MAPPERS['HL7 results']!
  const { feed, intake, say } = open(map)
  say(IGNORE)
  await feed.take(alone)
  say({ concept: 'heartRate' })
  await feed.take(alone)
  say(IGNORE)
  await feed.take(alone)
  expect([intake.published.length, intake.counts.get('codes-ignored')]).toEqual([1, 2])
})
