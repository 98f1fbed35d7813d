import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { hl7Mapper, readHl7File, sendHl7, startHl7 } from '../../../connectors/hl7/index.ts'
import { Feed, fixedMapping, type Connector, type SourceIdentity } from '../../../connectors/kit/index.ts'
import { TOPICS, type PatientKey } from '../../../streams/events/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { describeWith, startHapiHl7, startPythonHl7, type Hl7Peer } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { openHouse, read, type House } from '../kit/house.ts'

const NOW = Date.UTC(2026, 10, 1)
const CORPUS = new URL('../../../../shared/data/hl7/messages.jsonl', import.meta.url).pathname
const present = existsSync(CORPUS)
if (!present) console.log('SKIPPED: the corpus of public HL7 messages is absent (../shared/data/hl7/messages.jsonl)')

const NAME = 'Müller-Łuczak'
const oru = (id: string, value: string, charset: string): string => [
  `MSH|^~\\&|LAB|W7|LATIDO|HOSP|20260314115900+0000||ORU^R01^ORU_R01|${id}|P|2.5.1||||||${charset}`, `PID|1||TEST-1^^^HOSP^MR||${NAME}^Ana||19500412|F`,
  `OBR|1|P-9|${id}|PANEL^Panel^L|||20260314113000+0000`, `OBX|1|NM|8867-4^Heart rate^LN||${value}|/min|||||F`, 'OBX|2|NM|2524-7^Lactate^LN||1.2|mmol/L|||||F', '',
].join('\r')

let directory: ReturnType<typeof tempDir>
let house: House
let connector: Connector
let port: number
const patients: SourceIdentity[] = []

beforeEach(async () => {
  directory = tempDir()
  patients.length = 0
  const clock = new ManualClock(NOW)
  house = await openHouse(directory.path, clock, { identify: patient => { patients.push(patient); return Promise.resolve(`key-${patient.id}` as PatientKey) } })
  const feed = new Feed({ name: 'hl7', kind: 'hl7', intake: house.intake, mapping: fixedMapping(), map: hl7Mapper() })
  connector = await startHl7({ host: '127.0.0.1', port: 0, feed, clock })
  port = Number(connector.endpoint.split(':').at(-1))
})
afterEach(async () => {
  await connector[Symbol.asyncDispose]()
  await house.close()
  directory.remove()
})

async function heartRates (): Promise<readonly number[]> {
  const events = await read(house.log, TOPICS.events, record => house.codecs.decode(record))
  return events.flatMap(e => e.kind === 'ok' && e.value.type === 'observations' ? e.value.observations.filter(o => o.concept === 'heartRate').map(o => o.value) : [])
}
const recordsOf = async (topic: string): Promise<number> => (await read(house.log, topic, record => record.offset)).length
const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i)

/** What a sender of others must see, and what must be in the log then. */
function senderSuite (start: () => Promise<Hl7Peer>, hows: readonly { readonly how: string, readonly declares: string, readonly name: string }[]): void {
  let peer: Hl7Peer
  beforeAll(async () => { peer = await start() }, 60_000)
  afterAll(async () => { await peer[Symbol.asyncDispose]() })

  it.each(hows)('is answered each message, which is in the log once and in order, and its characters as they were sent ($how)', async ({ how, declares, name }) => {
    const connection = await peer.connect(port, how)
    for (let n = 0; n < 50; n++) {
      const answer = await connection.send(oru(`M-${n}`, String(60 + n), declares))
      expect([answer.code, answer.controlId]).toEqual(['AA', `M-${n}`])
    }
    expect(await heartRates()).toEqual(numbers(60, 50))
    expect(new Set(patients.map(patient => patient.familyName))).toEqual(new Set([name]))
    for (const n of [0, 49]) expect((await connection.send(oru(`M-${n}`, String(60 + n), declares))).code).toBe('AA') // it did not hear the answer
    await connection.close()
    expect(await heartRates()).toEqual(numbers(60, 50))
    expect(await recordsOf(TOPICS.deadLetters)).toBe(0)
  }, 30_000)

  it.skipIf(!present)('is answered each public message that it can send, and a second time the same, with nothing new in the log', async () => {
    const connection = await peer.connect(port, hows[0]!.how)
    const first = new Map<number, string>()
    const texts: string[] = []
    for await (const raw of readHl7File(CORPUS)) if (!/^MSH[^\r]*\|(AL|NE|ER|SU)\|/.test(raw.toString())) texts.push(raw.toString()) // enhanced mode is two answers; these senders wait for one
    for (const [i, text] of texts.entries()) {
      const answer = await connection.send(text).catch((e: unknown) => e as Error)
      if (answer instanceof Error) continue // its own parser refuses the message: HAPI all with five characters in MSH-2
      expect(answer.code, text.split('\r')[0]).toMatch(/^A[AR]$/)
      first.set(i, answer.code)
    }
    expect(first.size).toBeGreaterThan(80)
    const stored = await recordsOf(TOPICS.events)
    expect(stored).toBeGreaterThan(10)
    for (const [i, code] of first) expect((await connection.send(texts[i]!)).code).toBe(code)
    await connection.close()
    expect(await recordsOf(TOPICS.events)).toBe(stored)
  }, 120_000)
}

/** Our own sender, to a receiver of others. */
function receiverSuite (start: () => Promise<Hl7Peer>, hows: readonly string[]): void {
  it.each(hows)('gets every message of our sender whole and once (%s)', async how => {
    await using peer = await start()
    const to = await peer.listen(how)
    const messages = numbers(0, 20).map(n => oru(`S-${n}`, String(n), 'UNICODE UTF-8'))
    const codes: string[] = []
    const result = await sendHl7({ host: '127.0.0.1', port: to, messages: messages.map(m => Buffer.from(m)), onAck: code => { codes.push(code) } })
    expect(result).toEqual({ sent: 20, codes: { AA: 20 } })
    expect((await peer.received()).map(text => text.trim())).toEqual(messages.map(m => m.trim()))
  }, 60_000)

  it(`gets a message again that it answered with an error (${hows[0]!})`, async () => {
    await using peer = await start()
    const to = await peer.listen(hows[0]!, { errorEvery: 3 })
    const messages = numbers(0, 4).map(n => Buffer.from(oru(`S-${n}`, String(n), 'UNICODE UTF-8')))
    expect(await sendHl7({ host: '127.0.0.1', port: to, messages })).toEqual({ sent: 4, codes: { AA: 4 } })
    expect((await peer.received()).map(text => /\|(S-\d)\|/.exec(text)?.[1])).toEqual(['S-0', 'S-1', 'S-2', 'S-2', 'S-3'])
  }, 60_000)
}

const UTF8 = 'UNICODE UTF-8'
const describeHapi = await describeWith('hapiHl7')
describeHapi('HAPI HL7v2', () => {
  senderSuite(startHapiHl7, [
    { how: 'msh18', declares: UTF8, name: NAME }, { how: 'ISO-8859-2', declares: '8859/2', name: NAME },
    { how: 'default', declares: UTF8, name: 'M?ller-?uczak' }, // it writes US-ASCII whatever MSH-18 says
  ])
  receiverSuite(startHapiHl7, ['msh18'])
})

const describePython = await describeWith('pythonHl7')
describePython('python-hl7 and hl7apy', () => {
  senderSuite(startPythonHl7, [{ how: 'hl7', declares: UTF8, name: NAME }, { how: 'aio', declares: '', name: NAME }, { how: 'hl7apy', declares: UTF8, name: NAME }])
  receiverSuite(startPythonHl7, ['hl7', 'hl7apy'])
})
