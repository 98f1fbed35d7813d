import { describe, expect, it } from 'vitest'
import { readBatches } from '../../../connectors/hl7/batch.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { hl7, listener, msa, oru, RawClient, segment } from './support.ts'

const HR = 'OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F'
const FHS = 'FHS|^~\\&|LAB|WARD7|LATIDO|HOSP|20260314115900+0000||night.hl7||FILE-1'
const BHS = (id: string): string => `BHS|^~\\&|LAB|WARD7|LATIDO|HOSP|20260314115900+0000||||${id}`
const lines = (...parts: (Buffer | string)[]): Buffer => Buffer.concat(parts.map(p => typeof p === 'string' ? Buffer.from(`${p}\r`) : p))
/** Names of the segments, with what names the batch or the message. */
const outline = (answer: string | undefined): string[] => (answer ?? '').split('\r').filter(line => line !== '').map(line => /^[FB]HS/.test(line) ? `${line.slice(0, 3)}>${line.split('|')[11]}` : line.startsWith('MSA') || /^[FB]TS/.test(line) ? line : line.slice(0, 3))

describe('a batch in a frame', () => {
  it('is answered by one response batch, with an answer for each message, in order', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(lines(FHS, BHS('B-1'), oru('M1', HR), hl7('MSH|^~\\&|A|B|C|D|20260314||ZZZ^Z01|M2|P|2.5.1'), 'BTS|2', BHS('B-2'), oru('M3', HR, 'OBX|2|NM|8310-5^^LN||366|Cel'), 'BTS|1', 'FTS|2'), oru('M4', HR))
    const [batch, single] = await client.until(2)
    expect(outline(batch)).toEqual(['FHS>FILE-1', 'BHS>B-1', 'MSH', 'MSA|AA|M1', 'MSH', 'MSA|AR|M2', 'ERR', 'BTS|2', 'BHS>B-2', 'MSH', 'MSA|AA|M3', 'ERR', 'BTS|1', 'FTS|2'])
    expect(segment(batch, 'FHS')?.split('|').slice(2, 6)).toEqual(['LATIDO', 'HOSP', 'LAB', 'WARD7'])
    expect(msa(single)).toBe('AA|M4')
    expect(server.intake.published.map(m => m.messageId.split('|')[2])).toEqual(['M1', 'M3', 'M4'])
    expect(server.intake.causes()).toEqual(['unsupported-type', 'value-impossible'])
    expect([server.intake.counts.get('batches'), server.intake.counts.get('answered-AA'), server.intake.counts.get('answered-AR')]).toEqual([1, 3, 1])
  })
  it('keeps of a refused message that message alone, so that it can be taken again', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const bad = hl7('MSH|^~\\&|A|B|C|D|20260314||ZZZ^Z01|M2|P|2.5.1', 'PID|1||1')
    await client.send(lines(BHS('B'), oru('M1', HR), bad, oru('M3', HR), 'BTS|3'))
    await client.until(1)
    expect(server.intake.refused.map(r => r.raw.toString())).toEqual([bad.toString()])
  })
  it('that is sent again is answered as the first time, and nothing is stored twice', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const batch = lines(BHS('B'), oru('M1', HR, 'OBX|2|NM|8310-5^^LN||366|Cel'), oru('M2', HR), 'BTS|2')
    await client.send(batch, batch)
    const [first, second] = await client.until(2)
    expect(outline(first)).toEqual(outline(second))
    expect([server.intake.published.length, server.intake.refused.length, server.intake.counts.get('retransmissions')]).toEqual([2, 1, 2])
  })
  it('is not answered when the log goes away in its midst, and is taken whole when it comes again', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    const batch = lines(BHS('B'), oru('M1', HR), oru('M2', HR), 'BTS|2')
    server.intake.beforePublish = m => m.messageId.includes('M2') ? Promise.reject(new LatidoError('LOG_WRITE_FAILED', 'no log', 'wait')) : Promise.resolve()
    await client.send(batch)
    await client.untilClosed()
    expect(client.answers).toEqual([])
    server.intake.beforePublish = () => Promise.resolve()
    using again = new RawClient(server.port)
    await again.send(batch)
    expect(outline((await again.until(1))[0])).toEqual(['BHS>B', 'MSH', 'MSA|AA|M1', 'MSH', 'MSA|AA|M2', 'BTS|2'])
    expect([server.intake.published.length, server.intake.duplicates]).toEqual([2, 1])
  })
  it('without messages is answered without messages', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(lines(FHS, BHS('B'), 'BTS|0', 'FTS|1'))
    expect(outline((await client.until(1))[0])).toEqual(['FHS>FILE-1', 'BHS>B', 'BTS|0', 'FTS|1'])
    expect(server.intake.refused).toEqual([])
  })
  it('with delimiters of its own is answered with them', async () => {
    await using server = await listener()
    using client = new RawClient(server.port)
    await client.send(lines('BHS$%~\\&$LAB$W$L$H$1$$$$B-9', oru('M1', HR), 'BTS$1'))
    const answer = (await client.until(1))[0]
    expect(segment(answer, 'BHS')).toMatch(/^BHS\$%~\\&\$L\$H\$LAB\$W\$\d{14}\+0000\$\$\$\$[\w-]+\$B-9$/)
    expect([segment(answer, 'BTS'), segment(answer, 'MSA')]).toEqual(['BTS$1', 'MSA|AA|M1'])
  })
  it.each([
    ['something between its messages', lines(BHS('B'), oru('M1', HR), 'BTS|1', 'ZZZ|1'), 'malformed', '100'],
    ['a segment before the first message', lines(BHS('B'), 'PID|1||1', oru('M1', HR)), 'malformed', '100'],
    ['delimiters that cannot be', lines(BHS('B'), oru('M1', HR), 'BHS|', oru('M2', HR)), 'malformed', '100'],
    ['more messages than the limit', lines(BHS('B'), oru('M1', HR), oru('M2', HR), oru('M3', HR)), 'too-large', '207'],
  ])('with %s is refused whole, and kept', async (_, raw, cause, code) => {
    await using server = await listener({ batchMessagesMax: 2 })
    using client = new RawClient(server.port)
    await client.send(raw)
    const answer = (await client.until(1))[0]
    expect([msa(answer), segment(answer, 'ERR')?.split('|')[3]?.split('^')[0]]).toEqual(['AR|', code])
    expect([server.intake.causes(), server.intake.refused[0]?.raw.equals(raw), server.intake.published]).toEqual([[cause], true, []])
  })
})

describe('taking a batch apart', () => {
  const read = (text: string): unknown => {
    const got = readBatches(Buffer.from(text), 100)
    return got.kind === 'batches' ? [got.file?.field(11), got.batches.map(b => [b.header?.field(11), b.messages.map(m => m.toString())])] : got.kind
  }
  it('keeps the bytes of each message, whatever the line ends', () => {
    for (const eol of ['\r', '\n', '\r\n']) {
      const m = (id: string): string => `MSH|^~\\&|${id}${eol}PID|1${eol}`
      expect(read(`FHS|^~\\&|||||||||F${eol}BHS|^~\\&|||||||||B${eol}${m('1')}${eol}${m('2')}BTS|2${eol}FTS|1`)).toEqual(['F', [['B', [`${m('1')}${eol}`, m('2')]]]])
    }
  })
  it('knows messages without a BHS, trailers that are missing, and a byte-order mark', () => {
    expect(read('\ufeffFHS|^~\\&|||||||||F\rMSH|^~\\&|1\rMSH|^~\\&|2\r')).toEqual(['F', [[undefined, ['MSH|^~\\&|1\r', 'MSH|^~\\&|2\r']]]])
    expect(read('BHS|^~\\&|||||||||B\rMSH|^~\\&|1')).toEqual([undefined, [['B', ['MSH|^~\\&|1']]]])
  })
})
