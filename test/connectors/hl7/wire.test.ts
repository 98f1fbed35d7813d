import { request } from 'node:http'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { frame } from '../../../connectors/hl7/index.ts'
import { StrangerWatch } from '../../../connectors/hl7/stranger.ts'
import { eventually, listener, msa, oru, RawClient } from './support.ts'

const HR = 'OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F'
const turns = async (n: number): Promise<void> => { for (let i = 0; i < n; i++) await new Promise(resolve => { setImmediate(resolve) }) }

describe('whoever comes to the wrong port', () => {
  it('a TLS client fails at once, and is counted', async () => {
    await using server = await listener()
    const failed = await new Promise<string>(resolve => {
      const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false })
      socket.once('error', (e: NodeJS.ErrnoException) => { resolve(e.code ?? '') })
      socket.once('secureConnect', () => { resolve('connected') })
    })
    expect(failed).toMatch(/^ERR_SSL|ECONNRESET|EPROTO/)
    expect([...server.intake.counts]).toEqual([['connections', 1], ['tls-on-plain-port', 1]])
    expect(server.intake.refused).toEqual([])
  })
  it('an HTTP client is told what the port speaks, and is counted', async () => {
    await using server = await listener()
    const [status, body] = await new Promise<readonly [number | undefined, string]>((resolve, reject) => {
      const asking = request({ host: '127.0.0.1', port: server.port, path: '/patients/MRN-SECRET' }, answer => {
        let text = ''
        answer.on('data', (chunk: Buffer) => { text += chunk.toString() })
        answer.on('end', () => { resolve([answer.statusCode, text]) })
      })
      asking.on('error', reject)
      asking.end()
    })
    expect([status, body]).toEqual([400, 'This port speaks HL7 v2 over MLLP, not HTTP.\n'])
    expect([...server.intake.counts]).toEqual([['connections', 1], ['http-on-mllp-port', 1]])
  })
  it('is known however its first bytes are cut, and nobody else is taken for one', () => {
    const look = (text: string, cut: number): readonly unknown[] => {
      const watch = new StrangerWatch()
      const bytes = Buffer.from(text, 'latin1')
      return [watch.look(bytes.subarray(0, cut)), watch.look(bytes.subarray(cut))].filter(one => one !== undefined)
    }
    for (const text of ['GET / HTTP/1.1\r\n', 'OPTIONS * HTTP/1.1', 'PRI * HTTP/2.0', 'POST / HTTP/1.1']) for (let cut = 1; cut < 10; cut++) expect([text, cut, ...look(text, cut)]).toEqual([text, cut, 'http'])
    for (let cut = 1; cut < 4; cut++) expect(look('\x16\x03\x01\x02\x00\x01', cut)).toEqual(['tls'])
    for (const text of ['\x0bMSH|^~\\&|GET / HTTP', '\x16\x0bMSH|', 'GETTING', 'G\x0bMSH', '\r\n\x0bMSH|', 'xGET / ']) for (let cut = 1; cut < text.length; cut++) expect(look(text, cut)).toEqual([])
  })
  it('sends junk without an end, and is cut off; junk now and then is not', async () => {
    await using server = await listener({ junkBytesMax: 1000 })
    using steady = new RawClient(server.port)
    using endless = new RawClient(server.port)
    for (let i = 1; i <= 5; i++) { await steady.write('z'.repeat(900), frame(oru(`M${i}`, HR))); await steady.until(i) }
    await endless.write('z'.repeat(1001))
    await endless.untilClosed()
    expect([steady.closed, server.intake.counts.get('junk-limit'), server.intake.counts.get('junk-bytes')]).toEqual([false, 1, 5501])
  })
})

describe('a frame that never ends well', () => {
  it('of a gigabyte is refused when it is over the limit, and skipped without being held', async () => {
    await using server = await listener({ frameBytesMax: 4 * 1024 * 1024 })
    using client = new RawClient(server.port)
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    const before = process.memoryUsage().rss
    let most = before
    await client.write('\x0bMSH|^~\\&|LAB|W|L|H|20260314||ORU^R01|HUGE|P|2.5.1\rPID|1||TEST-1\rOBX|1|ED|PDF^^L||')
    for (let i = 0; i < 1024; i++) {
      await client.write(chunk)
      if (i % 64 === 0) most = Math.max(most, process.memoryUsage().rss)
    }
    expect((await client.until(1)).map(msa)).toEqual(['AR|HUGE'])
    await client.write('\r\x1c\r', frame(oru('M1', HR)))
    expect((await client.until(2)).map(msa)).toEqual(['AR|HUGE', 'AA|M1'])
    expect([server.intake.causes(), server.intake.refused[0]?.raw.length]).toEqual([['too-large'], 65_536])
    expect(most - before).toBeLessThan(400 * 1024 * 1024)
  }, 240_000)
  it('one byte at a time, each just in time, is cut off all the same: slow loris', async () => {
    await using server = await listener({ partialFrameMs: 10_000, frameBytesPerSecondMin: 10 })
    using slow = new RawClient(server.port)
    using steady = new RawClient(server.port)
    await slow.write('x\x0bMSH|')
    await steady.write('x\x0b')
    await eventually(() => server.intake.counts.get('junk-bytes') === 2) // both frames are open
    const body = oru('M1', HR)
    let at = 0
    for (let second = 0; second < 14 && !slow.closed; second++) {
      if (second % 9 === 8) await slow.write('x').catch(() => {})
      await steady.write(body.subarray(at, at += 15))
      await turns(20)
      server.clock.advance(1000)
      await turns(5)
    }
    await slow.untilClosed()
    expect([steady.closed, server.intake.counts.get('slow-frames'), server.intake.counts.get('partial-frames')]).toEqual([false, 1, 1])
    await steady.write(body.subarray(at), '\x1c\r')
    expect((await steady.until(1)).map(msa)).toEqual(['AA|M1'])
  })
  it('cut off by the sender is counted, and what was whole is stored', async () => {
    await using server = await listener()
    const client = new RawClient(server.port)
    await client.write(frame(oru('M1', HR)), '\x0bMSH|^~\\&|half')
    await client.until(1)
    client.socket.destroy()
    await eventually(() => server.intake.counts.get('partial-frames') === 1)
    expect(server.intake.published).toHaveLength(1)
  })
})

describe('a sender that does not read its answers', () => {
  it('is closed in time, and holds up nobody else', async () => {
    await using server = await listener({ partialFrameMs: 10_000 })
    using deaf = new RawClient(server.port)
    using other = new RawClient(server.port)
    deaf.socket.pause()
    const many = Buffer.concat(Array.from({ length: 2_000 }, (_, i) => frame(Buffer.from(`MSH|^~\\&|${'A'.repeat(4_000)}|B|C|D|1||ZZZ^Z01|${i}|P|2.5.1\r`))))
    deaf.socket.write(many)
    await eventually(() => (server.intake.counts.get('answered-AR') ?? 0) > 100)
    let seen = -1
    while (seen !== server.intake.counts.get('answered-AR')) { seen = server.intake.counts.get('answered-AR') ?? 0; await turns(200) }
    await other.send(oru('M1', HR))
    expect((await other.until(1)).map(msa)).toEqual(['AA|M1'])
    expect(seen).toBeLessThan(2_000)
    await eventually(() => { server.clock.advance(11_000); return server.intake.counts.get('partial-frame-timeouts') === 1 }) // again, where its last bytes were still on their way
  })
})

describe('the health of a feed', () => {
  let server: Awaited<ReturnType<typeof listener>>
  afterEach(() => server[Symbol.asyncDispose]())
  it('is waiting while the log is away, since then, and up again with the next message', async () => {
    server = await listener()
    const { intake, clock, connector } = server
    expect(connector.health().state).toBe('up')
    intake.away = true
    clock.advance(500)
    using client = new RawClient(server.port)
    await client.send(oru('M1', HR))
    await client.untilClosed()
    expect(connector.health()).toEqual({ state: 'waiting', since: clock.now(), why: 'the log does not take messages' })
    intake.away = false
    clock.advance(500)
    using again = new RawClient(server.port)
    await again.send(oru('M1', HR))
    await again.until(1)
    expect(connector.health()).toEqual({ state: 'up', since: clock.now(), why: '' })
    expect(connector.name).toBe('lab')
  })
})
