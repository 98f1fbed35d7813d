import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { frame, Framer, readHl7File, sendHl7 } from '../../../connectors/hl7/index.ts'
import { readHeader } from '../../../connectors/hl7/header.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { freePorts } from '../../kit/servers/index.ts'
import { eventually, hl7, listener, oru } from './support.ts'

const HR = 'OBX|1|NM|8867-4^^LN||88'

/** A receiver that answers as told: a code for each message, or nothing. */
async function receiver (answer: (controlId: string, n: number, socket: Socket) => string[]): Promise<{ server: Server, port: number, got: string[] }> {
  const got: string[] = []
  const server = createServer(socket => {
    const framer = new Framer({ frameBytesMax: 1e6 })
    socket.on('error', () => {})
    socket.on('data', chunk => {
      for (const one of framer.push(chunk)) {
        if (one.kind !== 'frame') continue
        const id = readHeader(one.payload)?.field(10) ?? ''
        got.push(id)
        for (const msa of answer(id, got.length, socket)) socket.write(frame(hl7('MSH|^~\\&|R|R|S|S|1||ACK|9|P|2.5', `MSA|${msa}`)))
      }
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', () => { resolve() }) })
  return { server, port: (server.address() as AddressInfo).port, got }
}

describe('the sender', () => {
  it('counts the answers of a listener', async () => {
    await using server = await listener()
    const seen: [string, number][] = []
    const result = await sendHl7({ host: '127.0.0.1', port: server.port, messages: [oru('1', HR), Buffer.from('nothing'), oru('2', HR)], onAck: (code, i) => { seen.push([code, i]) } })
    expect([result, seen]).toEqual([{ sent: 3, codes: { AA: 2, AR: 1 } }, [['AA', 0], ['AR', 1], ['AA', 2]]])
  })
  it('waits for the answer before it sends the next', async () => {
    await using server = await listener()
    let working = 0
    let most = 0
    server.intake.beforePublish = async () => { most = Math.max(most, ++working); await new Promise(resolve => { setImmediate(resolve) }); working-- }
    await sendHl7({ host: '127.0.0.1', port: server.port, messages: [1, 2, 3].map(n => oru(String(n), HR)) })
    expect(most).toBe(1)
  })
  it('tries an error again, and takes a reject as final', async () => {
    const r = await receiver((id, n) => [id === '1' && n < 3 ? `AE|${id}` : id === '2' ? `AR|${id}` : `AA|${id}`])
    expect(await sendHl7({ host: '127.0.0.1', port: r.port, messages: [oru('1', HR), oru('2', HR)] })).toEqual({ sent: 2, codes: { AA: 1, AR: 1 } })
    expect(r.got).toEqual(['1', '1', '1', '2'])
    r.server.close()
  })
  it('passes over late answers to others, and waits for the application answer after CA', async () => {
    const r = await receiver(id => id === '1' ? ['AA|0', 'CA|1', 'AA|1'] : ['AA|1', `AA|${id}`])
    const enhanced = Buffer.from(oru('1', HR).toString().replace('|P|2.5.1', '|P|2.5.1|||AL|AL'))
    expect(await sendHl7({ host: '127.0.0.1', port: r.port, messages: [enhanced, oru('2', HR)] })).toEqual({ sent: 2, codes: { AA: 2 } })
    r.server.close()
  })
  it('sends again on a new connection when there is no answer in time, and goes on at last', async () => {
    const clock = new ManualClock()
    const r = await receiver((id, n) => id === '1' && n < 4 ? [] : [`AA|${id}`])
    const sending = sendHl7({ host: '127.0.0.1', port: r.port, messages: [oru('1', HR), oru('2', HR)], clock, timeoutMs: 1000 })
    for (let n = 1; n <= 3; n++) {
      await eventually(() => r.got.length === n)
      clock.advance(1000)
    }
    expect(await sending).toEqual({ sent: 2, codes: { none: 1, AA: 1 } })
    r.server.close()
  })
  it('sends again when the receiver closes without an answer', async () => {
    const r = await receiver((id, n, socket) => { if (n > 1) return [`AA|${id}`]; socket.destroy(); return [] })
    expect(await sendHl7({ host: '127.0.0.1', port: r.port, messages: [oru('1', HR)] })).toEqual({ sent: 1, codes: { AA: 1 } })
    r.server.close()
  })
  it('says what to do where nothing listens', async () => {
    const [port = 0] = await freePorts(1)
    await expect(sendHl7({ host: '127.0.0.1', port, messages: [oru('1', HR)] })).rejects.toMatchObject({ code: 'CONFIG_INVALID', action: expect.stringContaining('LATIDO_MLLP_PORT') })
  })
})

describe('a file of messages', () => {
  let dir = ''
  beforeAll(async () => { dir = await mkdtemp(join(tmpdir(), 'latido-hl7-')) })
  afterAll(async () => { await rm(dir, { recursive: true }) })
  const read = async (name: string, content: string | Buffer): Promise<string[]> => {
    const path = join(dir, name)
    await writeFile(path, content)
    const out: string[] = []
    for await (const raw of readHl7File(path)) out.push(raw.toString())
    return out
  }
  const A = 'MSH|^~\\&|A|B\rPID|1||Ñ\r'
  const B = 'MSH$%*?@$A\rPID$1\r'

  it('is JSON lines with msg, message or the text alone', async () => {
    expect(await read('a.jsonl', `${JSON.stringify({ msg: A, type: 'x' })}\n\n${JSON.stringify({ message: A.replaceAll('\r', '\n') })}\r\n${JSON.stringify(B)}\n`)).toEqual([A, A, B])
  })
  it('is text with messages one after another, with blank lines, any line ends, framed or in a batch', async () => {
    for (const eol of ['\r', '\n', '\r\n']) {
      const a = A.replaceAll('\r', eol)
      const b = B.replaceAll('\r', eol)
      expect(await read('a.hl7', a + b)).toEqual([A, B])
      expect(await read('a.hl7', `${eol}${a}${eol}${eol}${b}${eol}`)).toEqual([A, B])
      expect(await read('a.hl7', `FHS|^~\\&|X${eol}BHS|^~\\&|X${eol}${a}${b}BTS|2${eol}FTS|1`)).toEqual([A, B])
      expect(await read('a.hl7', `\x0b${a}\x1c\r\x0b${b}\x1c\r`)).toEqual([A, B])
    }
  })
  it('keeps bytes of any character set', async () => {
    const latin = Buffer.from('MSH|^~\\&|Cl\xednica\r', 'latin1')
    const path = join(dir, 'latin.hl7')
    await writeFile(path, latin)
    for await (const raw of readHl7File(path)) expect(raw).toEqual(latin)
  })
  it('says what is wrong with it', async () => {
    await expect(read('bad.jsonl', '{"msg": "MSH|"}\n{"other": 1}\n')).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining('line 2') })
    await expect(read('bad.hl7', 'hello\nMSH|^~\\&|A')).rejects.toMatchObject({ code: 'FILE_INVALID' })
    const all = async (path: string): Promise<void> => { for await (const _ of readHl7File(path)); }
    await expect(all(join(dir, 'absent.hl7'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(all(dir)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})
