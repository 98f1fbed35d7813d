import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { frame, startHl7 } from '../../../connectors/hl7/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { adt, eventually, hl7, hl7Feed, listener, msa, NOW, oru, RawClient, segment } from './support.ts'

const HR = 'OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F'
const ids = (intake: FakeIntake): string[] => intake.published.map(m => m.messageId.split('|')[2] ?? '')

describe('what other MLLP servers get wrong', () => {
  it('two messages one after another on one connection are taken once each', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(oru('M1', HR))
    await client.until(1)
    await client.send(oru('M2', HR))
    expect((await client.until(2)).map(msa)).toEqual(['AA|M1', 'AA|M2'])
    expect(ids(server.intake)).toEqual(['M1', 'M2'])
  })
  it('two messages in one write are two messages, in order', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(oru('M1', HR), oru('M2', HR))
    expect((await client.until(2)).map(msa)).toEqual(['AA|M1', 'AA|M2'])
    expect(ids(server.intake)).toEqual(['M1', 'M2'])
  })
  it('a UTF-8 character split over chunks stays whole', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const raw = frame(hl7('MSH|^~\\&|A|B|C|D|20260314||ORU^R01|M1|P|2.5.1', 'PID|1||1||Ñandú', 'OBR|1||||||20260314', HR))
    const cut = raw.indexOf(0xc3) + 1
    await client.write(raw.subarray(0, cut))
    await eventually(() => server.intake.counts.get('connections') === 1)
    await client.write(raw.subarray(cut))
    expect((await client.until(1)).map(msa)).toEqual(['AA|M1'])
    expect(server.intake.published[0]?.patient.familyName).toBe('Ñandú')
  })
  it('FS and CR in different chunks, or no CR at all, end a frame', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.write(frame(oru('M1', HR)).subarray(0, -1))
    await client.until(1)
    await client.write('\r', frame(oru('M2', HR)).subarray(0, -1))
    await client.until(2)
    await client.write(frame(oru('M3', HR)))
    expect((await client.until(3)).map(msa)).toEqual(['AA|M1', 'AA|M2', 'AA|M3'])
    expect(server.intake.counts.get('missing-cr')).toBe(1)
  })
  it('junk before a frame is counted, and the frame answered', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.write('hello\r\n', frame(oru('M1', HR)))
    expect((await client.until(1)).map(msa)).toEqual(['AA|M1'])
    expect(server.intake.counts.get('junk-bytes')).toBe(7)
  })
  it('a frame that is not HL7 gets a negative answer, and the next message goes through', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(Buffer.from('GET / HTTP/1.1\r\n'), oru('M1', HR), Buffer.from(''), oru('M2', HR))
    expect((await client.until(4)).map(msa)).toEqual(['AR|', 'AA|M1', 'AR|', 'AA|M2'])
    expect(server.intake.refused.map(r => [r.cause, r.raw.toString()])).toEqual([['not-hl7', 'GET / HTTP/1.1\r\n'], ['not-hl7', '']])
  })
  it('good, malformed, good: the second good one is taken', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const glued = Buffer.concat([oru('X', HR), oru('Y', HR)])
    await client.send(oru('M4', HR), glued, oru('M5', HR))
    expect((await client.until(3)).map(msa)).toEqual(['AA|M4', 'AR|X', 'AA|M5'])
    expect([ids(server.intake), server.intake.refused.map(r => r.cause)]).toEqual([['M4', 'M5'], ['malformed']])
  })
  it('a sender that starts anew within a frame is heard', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.write('\x0bMSH|^~\\&|half', frame(oru('M1', HR)))
    expect((await client.until(1)).map(msa)).toEqual(['AA|M1'])
    expect(server.intake.counts.get('partial-frames')).toBe(1)
  })
})

describe('bad input', () => {
  it('each kind gets its answer and its dead letter, and the next message goes through', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const bad: [Buffer, string, string, string][] = [
      [Buffer.from('not HL7'), 'AR|', '100', 'not-hl7'],
      [Buffer.from('xx MSH|^~\\&|A|B|C|D|1||ORU^R01|77|P|2.5.1\r'), 'AR|77', '100', 'not-hl7'],
      [hl7('MSH|^~\\&|A|B|C|D|20260314||ZZZ^Z01|B1|P|2.5.1', 'PID|1||1'), 'AR|B1', '200', 'unsupported-type'],
      [hl7('MSH|^~\\&|A|B|C|D|20260314||ADT^A01|T1|T|2.5.1', 'PID|1||1'), 'AR|T1', '202', 'unsupported-type'],
      [adt('A99', 'B2', 'PID|1||1'), 'AR|B2', '201', 'unsupported-type'],
      [hl7('FHS|^~\\&|A', 'PID|1||1'), 'AR|', '100', 'malformed'],
      [adt('A01', 'B3', 'EVN||20260314110000', 'PID|1||""'), 'AR|B3', '101', 'patient-missing'],
      [adt('A01', 'B4', 'EVN||soon', 'PID|1||1'), 'AR|B4', '102', 'time-unparsable'],
      [hl7('MSH|^~\\&|A|B|C|D|20260314||ORU^R01|B5|P|2.5.1||||||UNICODE UTF-16', 'PID|1||1'), 'AR|B5', '102', 'charset-invalid'],
      [oru('B6', 'OBX|1|NM|8867-4^^LN||8800'), 'AA|B6', '102', 'value-impossible'],
      [oru('B7', 'OBX|1|NM|8867-4^^LN||fast'), 'AA|B7', '102', 'value-unparsable'],
      [oru('B8', 'OBX|1|NM|0-0^^LN||88'), 'AA|B8', '103', 'code-unknown'],
      [oru('B9', 'OBX|1|NM|8867-4^^LN||88|kg'), 'AA|B9', '103', 'unit-unknown'],
      [oru('B10', 'OBX|1|NM|8867-4^^LN||88||||||F|||20270101'), 'AA|B10', '102', 'time-in-future'],
      [oru('B11', 'OBX|1|NM|8867-4^^LN||88||||||Q'), 'AA|B11', '103', 'payload-invalid'],
    ]
    for (const [i, [raw, answer, code, cause]] of bad.entries()) {
      await client.send(raw)
      const got = (await client.until(2 * i + 1))[2 * i]
      expect([msa(got), segment(got, 'ERR')?.split('|')[3]?.split('^')[0]]).toEqual([answer, code])
      expect(server.intake.refused[i]).toMatchObject(answer.startsWith('AR') ? { cause, raw } : { cause })
      await client.send(oru(`G${i}`, HR))
      expect(msa((await client.until(2 * i + 2))[2 * i + 1])).toBe(`AA|G${i}`)
    }
    expect(server.intake.published).toHaveLength(bad.length)
  })
  it('whose every code is ignored is taken (AA), and keeps nothing', async () => {
    const intake = new FakeIntake(NOW)
    await using server = await listener({}, { feed: hl7Feed(intake, {}, { codes: new Map([['L|GLOSSE', 'ignore'], ['99|X', 'ignore']]) }) })
    using client = new RawClient(server.port)
    await client.send(oru('I1', 'OBX|1|TX|GLOSSE^Glosse^L||siehe Befund||||||F', 'OBX|2|NM|X^^99||fast|kg|||||Q'))
    const [answer] = await client.until(1)
    expect([msa(answer), segment(answer, 'ERR'), intake.published, intake.refused, intake.counts.get('codes-ignored')]).toEqual(['AA|I1', undefined, [], [], 2])
  })
  it('in one observation leaves the others, and the answer warns', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(oru('M1', HR, 'OBX|2|NM|8310-5^^LN||366|Cel|||||F', 'OBX|3|NM|2708-6^^LN||97|%|||||F'))
    const [answer] = await client.until(1)
    expect(segment(answer, 'ERR')).toBe('ERR||OBX^5^5|102^Data type error^HL70357|W||||1 refused, the rest taken')
    expect(server.intake.published[0]?.event).toMatchObject({ observations: [{ concept: 'heartRate' }, { concept: 'spo2' }] })
    expect(server.intake.refused).toMatchObject([{ cause: 'value-impossible', detail: 'OBX-5 of segment 5', source: 'hl7:lab' }])
  })
  it('never puts a value or an identifier into what is said about it', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(hl7('MSH|^~\\&|LAB|W|L|H|20260314||ORU^R01|C|P|2.5.1', 'PID|1||SECRET-ID||SECRET-NAME', 'OBR|1||||||20260314', 'OBX|1|NM|8867-4^^LN||SECRET-VALUE', 'OBX|2|NM|SECRET-CODE||1', 'secret line'))
    const [answer] = await client.until(1)
    const said = JSON.stringify([answer, server.intake.refused.map(r => [r.cause, r.detail, r.source]), [...server.intake.counts.keys()]])
    expect(said.toLowerCase()).not.toContain('secret')
    expect(server.intake.refused).toHaveLength(3)
  })
  it('of a large message is stored in excerpt, row by row', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(oru('M1', HR, 'OBX|2|NM|8310-5^^LN||366|Cel', `NTE|1||${'x'.repeat(20_000)}`))
    await client.until(1)
    expect(server.intake.refused[0]?.raw.toString().split('\r').map(line => line.slice(0, 13))).toEqual(['MSH|^~\\&|LAB|', 'PID|1||TEST-1', 'OBR|1|P-9|F-9', 'OBX|2|NM|8310', ''])
  })
  it('over the frame limit is refused once, and the next message goes through', async () => {
    await using server = await listener({ frameBytesMax: 2000 })
    using client = new RawClient(server.port)
    await client.send(oru('BIG', HR, `NTE|1||${'x'.repeat(5000)}`), oru('M1', HR))
    expect((await client.until(2)).map(msa)).toEqual(['AR|BIG', 'AA|M1'])
    expect(server.intake.refused).toMatchObject([{ cause: 'too-large' }])
  })
})

describe('an answer', () => {
  it('comes only after the log has the message', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    let release = (): void => {}
    let asked = false
    server.intake.beforePublish = () => new Promise(resolve => { asked = true; release = resolve })
    await client.send(oru('M1', HR))
    await eventually(() => asked)
    expect(client.answers).toEqual([])
    release()
    expect((await client.until(1)).map(msa)).toEqual(['AA|M1'])
  })
  it('comes only after the dead letter is stored', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    let release = (): void => {}
    let asked = false
    server.intake.beforeRefuse = () => new Promise(resolve => { asked = true; release = resolve })
    await client.send(Buffer.from('nothing'))
    await eventually(() => asked)
    expect(client.answers).toEqual([])
    release()
    expect((await client.until(1)).map(msa)).toEqual(['AR|'])
  })
  it('does not come when the log is away: the connection closes, and what waited is taken when it is sent again', async () => {
    await using server = await listener()
    const away = new LatidoError('LOG_WRITE_FAILED', 'no log', 'wait')
    server.intake.beforePublish = () => Promise.reject(away)
    using client = new RawClient(server.port)
    await client.send(oru('M1', HR), oru('M2', HR))
    await client.untilClosed()
    expect([client.answers, server.intake.counts.get('unanswered-log-away'), server.intake.refused]).toEqual([[], 1, []])
    server.intake.beforePublish = () => Promise.resolve()
    using again = new RawClient(server.port)
    await again.send(oru('M1', HR), oru('M2', HR))
    expect((await again.until(2)).map(msa)).toEqual(['AA|M1', 'AA|M2'])
  })
  it('is AE for a fault of ours, with the message kept; AR for a record that the log can never take', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    server.intake.beforePublish = () => Promise.reject(new TypeError('a bug'))
    await client.send(oru('M1', HR))
    server.intake.beforePublish = m => m.messageId.includes('M2') ? Promise.reject(new LatidoError('RECORD_TOO_LARGE', 'large', 'none')) : Promise.reject(new TypeError('a bug'))
    await client.until(1)
    await client.send(oru('M2', HR))
    const answers = await client.until(2)
    expect(answers.map(msa)).toEqual(['AE|M1', 'AR|M2'])
    expect(answers.map(a => segment(a, 'ERR')?.split('|')[3]?.split('^')[0])).toEqual(['207', '207'])
    expect(server.intake.refused.map(r => r.cause)).toEqual(['step-failed', 'too-large'])
  })
  it('to a retransmission is that of the first time, and nothing is stored twice', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const raw = oru('M1', HR, 'OBX|2|NM|8310-5^^LN||366|Cel')
    const later = Buffer.from(raw.toString().replace('20260314115900+0000', '20260314120100+0000'))
    await client.send(raw, later, later)
    const answers = await client.until(3)
    expect(new Set(answers.map(a => a.split('\r').slice(1).join('\r'))).size).toBe(1)
    expect(new Set(answers.map(a => a.split('|')[9])).size).toBe(3)
    expect([server.intake.published.length, server.intake.refused.length, server.intake.counts.get('retransmissions')]).toEqual([1, 1, 2])
  })
  it('to a control id that is used again for another message publishes it', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(oru('M1', HR), oru('M1', HR.replace('|88|', '|99|')))
    await client.until(2)
    expect(server.intake.published).toHaveLength(2)
  })
})

describe('the listener', () => {
  it('does not answer an answer to its own answer, but any other acknowledgement that reaches it', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(oru('M1', HR))
    const own = (await client.until(1))[0]?.split('|')[9] ?? ''
    const ack = (id: string): Buffer => hl7('MSH|^~\\&|A|B|C|D|1||ACK|7|P|2.5', `MSA|AE|${id}`)
    await client.send(ack(own), ack('other'))
    expect(msa((await client.until(2))[1])).toBe('AR|7')
    expect(server.intake.counts.get('answers-to-answers')).toBe(1)
  })
  it('sends the commit and the application answer that enhanced mode asks for', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(Buffer.from(oru('M1', HR).toString().replace('|P|2.5.1', '|P|2.5.1|||AL|AL')))
    expect((await client.until(2)).map(msa)).toEqual(['CA|M1', 'AA|M1'])
  })
  it('answers a sender that has closed its side', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    client.socket.end(Buffer.concat([frame(oru('M1', HR)), frame(oru('M2', HR))]))
    await client.untilClosed()
    expect(client.answers.map(msa)).toEqual(['AA|M1', 'AA|M2'])
  })
  it('takes one message of a connection at a time, and other connections meanwhile', async () => {
    await using server = await listener()
    using slow = new RawClient(server.port)
    using quick = new RawClient(server.port)
    const releases: (() => void)[] = []
    server.intake.beforePublish = m => m.messageId.includes('SLOW') ? new Promise(resolve => { releases.push(resolve) }) : Promise.resolve()
    await slow.send(oru('SLOW1', HR), oru('SLOW2', HR))
    await eventually(() => releases.length > 0)
    await quick.send(oru('Q1', HR))
    await quick.until(1)
    expect(releases).toHaveLength(1)
    releases[0]?.()
    await eventually(() => releases.length > 1)
    releases[1]?.()
    await slow.until(2)
    expect(ids(server.intake)).toEqual(['Q1', 'SLOW1', 'SLOW2'])
  })
  it('does not read on while messages wait', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    let release = (): void => {}
    server.intake.beforePublish = () => new Promise(resolve => { release = resolve })
    const big = oru('M', HR, `NTE|1||${'x'.repeat(1_000_000)}`)
    let written = 0
    for (let i = 0; i < 40; i++) client.socket.write(frame(big), () => { written++ })
    await eventually(() => server.intake.counts.get('connections') === 1 && written > 0)
    for (let i = 0; i < 200; i++) await new Promise(resolve => { setImmediate(resolve) })
    expect(written).toBeLessThan(40)
    server.intake.beforePublish = () => Promise.resolve()
    release()
    await client.until(40)
  })
  it('closes a connection whose frame stays open, and one that is idle', async () => {
    await using server = await listener({ partialFrameMs: 10_000, idleMs: 60_000 })
    using half = new RawClient(server.port)
    using idle = new RawClient(server.port)
    using busy = new RawClient(server.port)
    await half.write('x\x0bMSH|^~\\&') // the junk before it tells that it is there
    await idle.write('x')
    await busy.write('x')
    await eventually(() => server.intake.counts.get('junk-bytes') === 3)
    server.clock.advance(11_000)
    await half.untilClosed()
    expect([idle.closed, server.intake.counts.get('partial-frame-timeouts'), server.intake.counts.get('partial-frames')]).toEqual([false, 1, 1])
    await busy.write('y')
    await eventually(() => server.intake.counts.get('junk-bytes') === 4)
    server.clock.advance(50_000)
    await idle.untilClosed()
    expect([busy.closed, server.intake.counts.get('idle-timeouts')]).toEqual([false, 1])
  })
  it('takes no more connections than its limit', async () => {
    await using server = await listener({ connectionsMax: 1 })
    using first = new RawClient(server.port)
    await first.send(oru('M1', HR))
    await first.until(1)
    using second = new RawClient(server.port)
    await second.untilClosed()
    expect(server.intake.counts.get('connections-refused')).toBe(1)
  })
  it('answers what it is at work on before it closes', async () => {
    const server = await listener()
    using client = new RawClient(server.port)
    let release = (): void => {}
    let asked = false
    server.intake.beforePublish = () => new Promise(resolve => { asked = true; release = resolve })
    await client.send(oru('M1', HR))
    await eventually(() => asked)
    const closing = server.connector[Symbol.asyncDispose]()
    release()
    await closing
    await client.untilClosed()
    expect(client.answers.map(msa)).toEqual(['AA|M1'])
  })
  it('closes all the same when the log hangs', async () => {
    const server = await listener({ drainMs: 1000 })
    using client = new RawClient(server.port)
    let asked = false
    server.intake.beforePublish = () => new Promise(() => { asked = true })
    await client.send(oru('M1', HR))
    await eventually(() => asked)
    const closing = server.connector[Symbol.asyncDispose]()
    server.clock.advance(1000)
    await closing
    expect(client.answers).toEqual([])
  })
  it('says what to do about a port in use', async () => {
    const other = createServer()
    await new Promise<void>(resolve => { other.listen(0, '127.0.0.1', () => { resolve() }) })
    const port = (other.address() as AddressInfo).port
    const started = startHl7({ host: '127.0.0.1', port, feed: hl7Feed(new FakeIntake()), clock: new ManualClock() })
    await expect(started).rejects.toMatchObject({ code: 'PORT_IN_USE', action: expect.stringContaining('LATIDO_MLLP_PORT') })
    await new Promise(resolve => { other.close(resolve) })
  })
})
