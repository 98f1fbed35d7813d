import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { InboundEncounter, InboundMessage, Intake } from '../../../connectors/kit/index.ts'
import { TOPICS, type PatientKey } from '../../../streams/events/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { openHouse, read, type House } from './house.ts'

const HOUR = 3_600_000
const NOW = 1_800_000_000_000
let directory: ReturnType<typeof tempDir>
let house: House
let intake: Intake & AsyncDisposable
const clock = new ManualClock(NOW)
const open = async (): Promise<void> => {
  const identify = ({ id }: { readonly id: string }): Promise<PatientKey> => Promise.resolve(`key-${id}` as PatientKey)
  house = await openHouse(directory.path, clock, { identify, visits: text => `token(${text})` })
  intake = house.intake
}
const restart = async (): Promise<void> => { await house.close(); await open() }
beforeEach(async () => { directory = tempDir(); await open() })
afterEach(async () => { await house.close(); directory.remove() })

let sent = 0
const said = (id: string, more: Partial<InboundEncounter>, messageId = `M${++sent}`): InboundMessage => ({
  patient: { id }, messageId, source: 'hl7:his', content: Buffer.from(JSON.stringify(more)),
  event: { type: 'encounter', action: 'update', eventTime: NOW, source: 'hl7:his', ward: '', bed: '', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1, ...more },
})
const admission = (id: string, visitNumber: string, bed: string): InboundMessage => said(id, { action: 'admit', ward: 'W', bed, visitNumber, ageYears: 60 })
const move = (from: string, visitNumber: string, to: string, messageId?: string, numberAfter?: string): InboundMessage => said(from, { visitNumber, move: { to: { id: to }, ...numberAfter === undefined ? {} : { numberAfter } } }, messageId)
const result = (id: string, visitNumber: string): InboundMessage => ({
  patient: { id }, messageId: `M${++sent}`, source: 'hl7:lab', content: Buffer.from(`${sent}`),
  event: { type: 'observations', kind: 'laboratory', source: 'hl7:lab', observations: [{ concept: 'lactate', value: 2, comparator: '=', eventTime: NOW, status: 'final', quality: 'valid', resultId: 'r' }], visitNumber },
})
/** Key and kind of every event, as the log has them. */
const records = async (): Promise<readonly string[]> => (await read(house.log, TOPICS.events, r => ({ key: r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd), at: r.timestamp, event: house.codecs.decode(r) }))).map(({ key, event }) => {
  if (event.kind !== 'ok') return event.kind
  const { value } = event
  if (value.type === 'statement') return `${key} ${value.kind} ${value.status} ${value.code} ${value.statementId}`
  if (value.type !== 'encounter') return `${key} ${value.type}`
  return `${key} ${value.action} ${value.visit ?? '-'}${value.movedTo === undefined ? '' : ` to ${value.movedTo}`}${value.visitAfter === undefined ? '' : ` as ${value.visitAfter}`} ${value.ageYears}`
}).toSorted()

it('says visits on the log by their pseudonyms, and a move by the key of its patient', async () => {
  await intake.publish(admission('wrong', 'V7', '1'))
  await intake.publish(move('wrong', 'V7', 'right', undefined, 'V8'))
  expect(await records()).toEqual(['key-wrong admit token(visit|V7) 60', 'key-wrong update token(visit|V7) to key-right as token(visit|V8) -1'])
  expect(intake.patientInBed('W', '1')).toBe('right')
})

it('takes what is said of a moved visit under the old name to whom it belongs, also after a restart, and counts it', async () => {
  await intake.publish(move('wrong', 'V7', 'right'))
  await restart()
  await intake.publish(admission('wrong', 'V7', '1')) // out of order
  await intake.publish(result('wrong', 'V7'))
  await intake.publish(result('wrong', 'another'))
  expect(await records()).toEqual(['key-right admit token(visit|V7) -1', 'key-right observations', 'key-wrong observations', 'key-wrong update token(visit|V7) to key-right -1'])
  expect([intake.patientInBed('W', '1'), house.counts.get('visit-followed')]).toEqual(['right', 2])
})

it('follows a visit from one to the next, back to where it was, and under its new number; an old move that comes again changes nothing', async () => {
  const whose = async (id: string, visit: string): Promise<string | undefined> => { const before = await records(); await intake.publish(result(id, visit)); const after = [...await records()]; for (const one of before) after.splice(after.indexOf(one), 1); return after[0] }
  await intake.publish(move('a', 'V', 'b', 'first'))
  await intake.publish(move('b', 'V', 'c', undefined, 'W'))
  expect([await whose('a', 'V'), await whose('b', 'V'), await whose('c', 'W'), await whose('c', 'V')]).toEqual(['key-c observations', 'key-c observations', 'key-c observations', 'key-c observations'])
  await intake.publish(move('c', 'W', 'a', undefined, 'V'))
  expect([await whose('a', 'V'), await whose('b', 'V')]).toEqual(['key-a observations', 'key-a observations'])
  expect(await intake.publish(move('a', 'V', 'b', 'first'))).toEqual({ kind: 'duplicate' })
  expect([await whose('a', 'V'), await whose('b', 'V')]).toEqual(['key-a observations', 'key-a observations'])
})

it('remembers a move for three days', async () => {
  await intake.publish(move('wrong', 'V7', 'right'))
  clock.advance(73 * HOUR)
  await intake.publish(move('x', 'y', 'z'))
  await intake.publish(result('wrong', 'V7'))
  expect((await records()).filter(one => one.endsWith('observations'))).toEqual(['key-wrong observations'])
})

it('leaves no visit number readable on the disk', async () => {
  await house.close()
  house = await openHouse(directory.path, clock, { visits: text => createHash('sha256').update(text).digest('hex') })
  await house.intake.publish(admission('wrong', 'VISIT-88172', '1'))
  await house.intake.publish(move('wrong', 'VISIT-88172', 'right'))
  await house.close()
  const files = readdirSync(directory.path, { recursive: true, withFileTypes: true }).filter(one => one.isFile()).map(one => readFileSync(join(one.parentPath, one.name)))
  expect([files.length > 0, files.some(bytes => bytes.includes('VISIT-88172'))]).toEqual([true, false])
  await open()
})

it('says of a link that two are one person, of each by the key of the other, and moves nothing', async () => {
  const link = (id: string, other: string, status: 'active' | 'withdrawn'): InboundMessage => ({ patient: { id }, messageId: `M${++sent}`, source: 'hl7:his', content: Buffer.from(`${sent}`), event: { type: 'statement', kind: 'link', source: 'hl7:his', statementId: 'link', status, system: 'latido:patient', code: '', eventTime: NOW, endTime: -1, value: NaN, unit: '', linkedWith: { id: other } } })
  await intake.publish(admission('a', 'V', '1'))
  for (const [one, other] of [['a', 'b'], ['b', 'a']] as const) await intake.publish(link(one, other, 'active'))
  await intake.publish(link('a', 'b', 'withdrawn'))
  expect((await records()).filter(one => one.includes('link'))).toEqual(['key-a link active key-b link|key-b', 'key-a link withdrawn key-b link|key-b', 'key-b link active key-a link|key-a'])
  expect(intake.patientInBed('W', '1')).toBe('a')
})
