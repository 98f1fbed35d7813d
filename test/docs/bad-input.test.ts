import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { frame, FS, VT } from '../../connectors/hl7/framer.ts'
import { startHl7 } from '../../connectors/hl7/index.ts'
import { TOPICS } from '../../streams/events/index.ts'
import { ManualClock } from '../../streams/time/index.ts'
import { adt, hl7, hl7Feed, NOW, oru, portOf, RawClient, segment } from '../connectors/hl7/support.ts'
import { openHouse, read, type House } from '../connectors/kit/house.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { codeIn, rowsOf, section } from './documents.ts'

const PAGE = 'docs/guides/errors-and-dead-letters.md'
const rows = ['On the wire', 'In the message'].flatMap(heading => rowsOf(section(PAGE, heading)))

let id = 0
const lactate = (more = ''): string => `OBX|1|NM|2524-7^Lactate^LN||1.2|mmol/L|||||F${more}`
const good = (): Buffer => oru(`G-${++id}`, lactate())
const pid = (ids: string): string => `PID|1||${ids}||Invented^Ana||19500412|F`
const result = (who: string, obx: string): Buffer => hl7(`MSH|^~\\&|LAB|W|L|H|20260314115900+0000||ORU^R01^ORU_R01|R-${++id}|P|2.5.1`, pid(who), 'OBR|1|P-9|F-9|PANEL^Panel^L|||20260314113000+0000', obx)
const merge = (loser: string, survivor: string): Buffer => adt('A40', `M-${++id}`, 'EVN|A40|20260314113000+0000', pid(`${survivor}^^^HOSP^MR`), `MRG|${loser}^^^HOSP^MR`)
const moveOf = (from: string, visit: string): Buffer => adt('A45', `V-${++id}`, 'EVN|A45|20260314113000+0000', pid('TEST-9^^^HOSP^MR'), `MRG|${from}^^^HOSP^MR||||${visit}`, `PV1|1|I|W7^^3${'|'.repeat(16)}${visit}`)

/** What a sender does, by the words of the table. The number of answers is the table's. */
const SENDERS: Readonly<Record<string, (client: RawClient, answers: number) => Promise<void>>> = {
  'two messages, one after the other': async client => { await client.send(good()); await client.until(1); await client.send(good()) },
  'two messages in one write': client => client.send(good(), good()),
  'a character of UTF-8 cut in two by the network': async client => {
    const bytes = frame(oru(`G-${++id}`, lactate(), 'NTE|1||Zürich'))
    const at = bytes.indexOf(Buffer.from('ü')) + 1
    await client.write(bytes.subarray(0, at))
    await client.write(bytes.subarray(at))
  },
  'the end bytes FS and CR in different pieces': async client => {
    const bytes = frame(good())
    await client.write(bytes.subarray(0, -1))
    await client.until(1)
    await client.write(bytes.subarray(-1))
  },
  'FS without CR': client => client.write(Buffer.of(VT), good(), Buffer.of(FS), frame(good())),
  'bytes before VT': client => client.write('hello', frame(good())),
  'VT within an open frame (the sender began anew)': client => client.write(Buffer.of(VT), good().subarray(0, 40), frame(good())),
  'a frame that holds no HL7': client => client.send(Buffer.from('no HL7 at all')),
  'a good message, a malformed one, a good one': async client => { await client.send(good(), Buffer.concat([good(), good()]), good()) },
  'the same message twice, with another time of sending': async client => {
    const message = good()
    await client.send(message)
    await client.until(1)
    await client.send(Buffer.from(message.toString().replace('20260314115900', '20260314115959')))
  },
  'a TLS client on the plain port': client => client.write(Buffer.from('16030100c8010000c40303', 'hex'), Buffer.alloc(190)),
  'an HTTP client on the MLLP port': client => client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a field without an end (a gigabyte)': client => client.write(Buffer.of(VT), oru(`G-${++id}`, 'OBX|1|TX|2524-7^Lactate^LN||').subarray(0, -1), Buffer.alloc(400_000, 0x41), Buffer.of(FS, 0x0d)),
  'delimiters of its own in MSH-1 and MSH-2': client => client.send(Buffer.from(good().toString().replaceAll('|', '$').replaceAll('^', ';').replace(';~\\&', ';!?*'))),
  'CRLF, CR and LF mixed': client => client.send(Buffer.from(good().toString().replace('\r', '\r\n').replace('\rOBR', '\nOBR'))),
  'an ampersand in a text': client => client.send(oru(`G-${++id}`, 'OBX|1|ST|2524-7^Lactate^LN||AT&T|mmol/L|||||F')),
  'a segment name in lower case': client => client.send(oru(`G-${++id}`, lactate(), 'zz1|nothing')),
  'a message of one segment': client => client.send(hl7('MSH|^~\\&|LAB|W|L|H|20260314115900+0000||ORU^R01^ORU_R01|ONE|P|2.5.1')),
  'a patient without an identifier': client => client.send(result('', lactate())),
  'two identifiers in one namespace of the feed\'s table (`mapping.namespaces`), of which only one can be meant': client => client.send(result('TEST-1^^^HOSP^MR~TEST-2^^^HOSP^MR', lactate())),
  'an identifier in two namespaces: the one that the feed\'s table names first counts': client => client.send(result('TEST-1^^^CLINIC^MR~TEST-1^^^HOSP^MR', lactate())),
  'a device clock in 1970': client => client.send(result('TEST-1^^^HOSP^MR', lactate('|||19700101000100+0000'))),
  'a time ahead by a day': client => client.send(result('TEST-1^^^HOSP^MR', lactate('|||20260315120000+0000'))),
  'a merge that points back': async client => { await client.send(merge('M1', 'M2')); await client.until(1); await client.send(merge('M2', 'M1')) },
  'a merge of people whom nobody has seen': client => client.send(merge('N1', 'N2')),
  'a visit that moves to another patient (A45)': client => client.send(moveOf('TEST-8', 'V-1')),
  'an A45 that names no visit': client => client.send(moveOf('TEST-8', '')),
  'an A45 whose patient stays the same': client => client.send(moveOf('TEST-9', 'V-1')),
  'a link of one patient with nobody (A24)': client => client.send(adt('A24', `L-${++id}`, 'EVN|A24|20260314113000+0000', pid('TEST-9^^^HOSP^MR'))),
  'a discharge of somebody who does not lie there': client => client.send(adt('A03', `D-${++id}`, 'EVN|A03|20260314113000+0000', pid('TEST-5^^^HOSP^MR'), 'PV1|1|I|W7^^3')),
  'a discharge before its own admission': client => client.send(adt('A03', `D-${++id}`, 'EVN|A03|20260314113000+0000', pid('TEST-5^^^HOSP^MR'), `PV1|1|I|${'|'.repeat(41)}20260314113000+0000|20260313113000+0000`)),
  'an HL7 null as a result (`""`)': client => client.send(oru(`G-${++id}`, 'OBX|1|NM|2524-7^Lactate^LN||""|mmol/L|||||F')),
  'a message that is marked as training (MSH-11 is T)': client => client.send(hl7('MSH|^~\\&|LAB|W|L|H|20260314115900+0000||ADT^A01|T-1|T|2.5.1', 'EVN||20260314115900+0000', pid('TEST-1^^^HOSP^MR'))),
  'a message type that nobody knows': client => client.send(hl7('MSH|^~\\&|LAB|W|L|H|20260314115900+0000||ZZZ^Z99|Z-1|P|2.5.1', pid('TEST-1^^^HOSP^MR'))),
  'a type that carries nothing to compute with (BAR^P01)': client => client.send(hl7(`MSH|^~\\&|FIN|W|L|H|20260314115900+0000||BAR^P01|B-${++id}|P|2.5.1`, 'EVN|P01|20260314113000+0000', pid('TEST-1^^^HOSP^MR'))),
}

describe('what senders get wrong', () => {
  let directory: ReturnType<typeof tempDir>
  let house: House
  beforeEach(async () => {
    directory = tempDir()
    house = await openHouse(directory.path, new ManualClock(NOW), { isKnown: () => false, identify: ({ id: source }) => Promise.resolve(`key-${source}` as never) })
  })
  afterEach(async () => { await house.close(); directory.remove() })

  it('has a sender for each row, and a row for each sender', () => { expect(rows.map(([what]) => what).toSorted()).toEqual(Object.keys(SENDERS).toSorted()) })

  it.each(rows.map(cells => [cells[0]!, cells] as const))('%s', async (what, [, answer = '', letter, counter]) => {
    const namespaces = what.includes('namespace') ? new Map([['HOSP', 'hosp'], ['CLINIC', 'clinic']]) : new Map<string, string>()
    const limits = { frameBytesMax: 300_000 }
    await using connector = await startHl7({ host: '127.0.0.1', port: 0, feed: hl7Feed(house.intake, limits, { namespaces }), clock: house.clock, limits })
    using client = new RawClient(portOf(connector))
    const expected = answer === 'closed' ? [] : answer.split(' ')
    await SENDERS[what]!(client, expected.length)
    if (answer === 'closed') await client.untilClosed()
    else expect((await client.until(expected.length)).map(one => segment(one, 'MSA')?.split(/[|;$]/)[1])).toEqual(expected)
    const letters = await read(house.log, TOPICS.deadLetters, r => house.codecs.decodeDeadLetter(r).cause)
    expect(letters).toEqual(codeIn(letter) === '' ? [] : [codeIn(letter)])
    expect(house.counts.get(codeIn(counter)), codeIn(counter)).toBeGreaterThan(0)
    // And the next one goes through, on a new connection.
    using next = new RawClient(portOf(connector))
    if (namespaces.size === 0) { await next.send(good()); expect(segment((await next.until(1))[0], 'MSA')).toMatch(/^MSA\|AA/) }
  })
})

it('the listener outlives clients that only connect', async () => {
  const directory = tempDir()
  const house = await openHouse(directory.path, new ManualClock(NOW))
  {
    await using connector = await startHl7({ host: '127.0.0.1', port: 0, feed: hl7Feed(house.intake), clock: house.clock })
    const sockets = Array.from({ length: 20 }, () => connect(portOf(connector), '127.0.0.1').on('error', () => {}))
    using client = new RawClient(portOf(connector))
    await client.send(good())
    expect(segment((await client.until(1))[0], 'MSA')).toMatch(/^MSA\|AA/)
    for (const socket of sockets) socket.destroy()
  }
  await house.close()
  directory.remove()
})
