import fc from 'fast-check'
import { expect, it } from 'vitest'
import { callOf } from '../../../../../../streams/log/kafka/direct/cluster/call.ts'
import { Connection } from '../../../../../../streams/log/kafka/direct/cluster/connection.ts'
import { ConnectionLost, type ClusterLimits } from '../../../../../../streams/log/kafka/direct/cluster/index.ts'
import type { Api } from '../../../../../../streams/log/kafka/direct/wire/index.ts'
import { ManualClock, systemClock, type Clock } from '../../../../../../streams/time/index.ts'
import { freePorts } from '../../../../../kit/servers/index.ts'
import { startFakeBroker, type FakeBroker, type FakeBrokerOptions, type FakeRequest, type Reply } from '../fake-broker.ts'
import { eventually, testOptions } from '../support.ts'

const ECHO = 900
interface Echoed { readonly text: string, readonly throttleTimeMs: number }
const echo: Api<string, Echoed> = {
  name: 'Echo', key: ECHO, minVersion: 1, maxVersion: 3, flexibleFrom: 99,
  encode: (writer, text) => { writer.string(text) },
  decode: reader => ({ text: reader.string() ?? '', throttleTimeMs: reader.int32() }),
}

const textOf = (request: FakeRequest): string => request.reader.string() ?? ''
const answer = (text: string, throttleMs = 0): Reply => writer => writer.string(text).int32(throttleMs)

interface Setting { readonly broker?: FakeBrokerOptions, readonly clock?: Clock, readonly limits?: Partial<ClusterLimits> }
async function connected (reply: (request: FakeRequest) => Reply | Promise<Reply>, { broker: brokerOptions = {}, clock = systemClock, limits = {} }: Setting, run: (connection: Connection, broker: FakeBroker, ask: (text: string, timeoutMs?: number) => Promise<string>, ended: () => boolean) => Promise<void>): Promise<void> {
  await using broker = await startFakeBroker({ [ECHO]: reply }, brokerOptions)
  let ended = false
  const connection = await Connection.open({ host: '127.0.0.1', port: broker.port }, testOptions([broker.address], { clock, limits }), () => { ended = true })
  connection.versions = new Map([[ECHO, { min: 0, max: 2 }]])
  const ask = (text: string, timeoutMs = 5_000): Promise<string> => new Promise((resolve, reject) => { connection.send(callOf(echo, text, timeoutMs, clock.monotonicMs() + timeoutMs, r => { resolve(r.text) }, reject)) })
  try { await run(connection, broker, ask, () => ended) } finally { connection.close() }
}

const lost = (unsent: boolean, message: RegExp): unknown => expect.objectContaining({ name: 'ConnectionLost', unsent, message: expect.stringMatching(message) as string })

it('matches answers to pipelined requests, however the answers are cut', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), async (texts, sizes) => {
    const cut = (frame: Buffer): Buffer[] => pieces(frame, sizes)
    await connected(request => answer(textOf(request)), { broker: { cut } }, async (_, broker, ask) => {
      expect(await Promise.all(texts.map(text => ask(text)))).toEqual(texts)
      expect(broker.requests.map(r => [r.clientId, r.version])).toEqual(texts.map(() => ['test', 2]))
      expect(broker.connections).toBe(1)
    })
  }), { numRuns: 15 })
})

function pieces (frame: Buffer, sizes: readonly number[]): Buffer[] {
  const all: Buffer[] = []
  for (let at = 0; at < frame.length; at += all.at(-1)!.length) all.push(frame.subarray(at, at + sizes[all.length % sizes.length]!))
  return all
}

it('gives a large answer whole, in a buffer of its own', async () => {
  const large = 'x'.repeat(30_000)
  await connected(() => answer(large), {}, async (_, __, ask) => { expect(await ask('?')).toBe(large) })
})

it('fails everything unanswered when the connection is lost, and says that it may have been done', async () => {
  await connected(request => textOf(request) === 'kill' ? 'close' : 'silence', {}, async (connection, _, ask, ended) => {
    const all = await Promise.allSettled([ask('one'), ask('two'), ask('kill'), ask('four')])
    expect(all.map(r => r.status === 'rejected' ? r.reason as unknown : r.value)).toEqual(all.map(() => lost(false, /was lost before Echo was answered/)))
    expect([connection.ended, ended()]).toEqual([true, true])
    await expect(ask('five')).rejects.toEqual(lost(true, /Echo was not sent/))
  })
})

it('ends with half an answer', async () => {
  await connected(request => { request.socket.end(Buffer.from('00000040000000', 'hex')); return 'silence' }, {}, async (_, __, ask) => {
    await expect(ask('?')).rejects.toEqual(lost(false, /closed by the broker/))
  })
})

const frameOf = (hex: string): Reply => ({ raw: Buffer.from(hex, 'hex') })
it.each<[string, Reply, RegExp]>([
  ['an answer to no request', frameOf('0000000a' + '000003e7' + '0000' + '00000000'), /an answer came to request 999/],
  ['an answer that is too large', frameOf('7fffffff'), /an answer of 2147483647 bytes/],
  ['an answer of negative size', frameOf('ffffffff'), /an answer of -1 bytes/],
  ['HTTP', { raw: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }, /an answer of 1213486160 bytes/],
  ['an answer that ends early', frameOf('00000006' + '00000001' + '0005'), /the answer to Echo version 2 cannot be read/],
])('ends at %s', async (_, reply, message) => {
  await connected(() => reply, {}, async (connection, __, ask) => {
    await expect(ask('?')).rejects.toEqual(lost(false, message))
    expect(connection.ended).toBe(true)
  })
})

it('ends when a request is not answered in its time, and not before', async () => {
  const clock = new ManualClock(0)
  await connected(request => textOf(request) === 'first' ? answer('first') : 'silence', { clock }, async (connection, broker, ask) => {
    expect(await ask('first', 1_000)).toBe('first')
    const slow = ask('slow', 5_000)
    const quick = ask('quick', 2_000)
    await eventually(() => { expect(broker.requests).toHaveLength(3) })
    clock.advance(1_900)
    expect(connection.ended).toBe(false)
    clock.advance(100)
    await expect(quick).rejects.toEqual(lost(false, /no answer to Echo within 2000 ms/))
    await expect(slow).rejects.toBeInstanceOf(ConnectionLost)
  })
})

it('closes when it was idle for long, and not while an answer is out', async () => {
  const clock = new ManualClock(0)
  await connected(request => textOf(request) === 'slow' ? 'silence' : answer('quick'), { clock, limits: { connectionIdleMaxMs: 10_000 } }, async (connection, _, ask) => {
    clock.advance(9_900)
    expect(await ask('quick')).toBe('quick')
    clock.advance(9_900)
    expect(connection.ended).toBe(false)
    const slow = expect(ask('slow', 60_000)).rejects.toBeInstanceOf(ConnectionLost)
    clock.advance(20_000)
    expect(connection.ended).toBe(false)
    connection.close()
    await slow
  })
  await connected(() => answer(''), { clock, limits: { connectionIdleMaxMs: 10_000 } }, (connection, _, __, ended) => {
    clock.advance(10_000)
    expect([connection.ended, ended()]).toEqual([true, true])
    return Promise.resolve()
  })
})

it('waits as long as the broker asks, and then sends in order', async () => {
  const clock = new ManualClock(0)
  const seen: string[] = []
  await connected(request => { const text = textOf(request); seen.push(text); return answer(text, text === 'throttled' ? 3_000 : 0) }, { clock }, async (_, broker, ask) => {
    expect(await ask('throttled')).toBe('throttled')
    const rest = [ask('a'), ask('b'), ask('c')]
    clock.advance(2_900)
    await new Promise(resolve => { setImmediate(resolve) })
    expect(broker.requests).toHaveLength(1)
    clock.advance(100)
    await Promise.all(rest)
    expect(seen).toEqual(['throttled', 'a', 'b', 'c'])
  })
})

it('gives up what waits for the broker\'s throttle longer than it may, unsent', async () => {
  const clock = new ManualClock(0)
  await connected(request => answer(textOf(request), 60_000), { clock }, async (connection, broker, ask) => {
    await ask('throttled')
    const waiting = ask('waiting', 2_000)
    clock.advance(2_000)
    await expect(waiting).rejects.toEqual(lost(true, /not sent within 2000 ms/))
    expect([connection.ended, broker.requests.length]).toEqual([false, 1])
  })
})

it('refuses a call that the broker does not speak in our versions, and stays open', async () => {
  await connected(request => answer(textOf(request)), {}, async (connection, _, ask) => {
    connection.versions = new Map([[ECHO, { min: 0, max: 0 }]])
    await expect(ask('?')).rejects.toMatchObject({ code: 'BROKER_TOO_OLD', message: expect.stringContaining('speaks Echo in versions 0 to 0, not 1 to 3') as string })
    connection.versions = new Map()
    await expect(ask('?')).rejects.toMatchObject({ code: 'BROKER_TOO_OLD', message: expect.stringContaining('does not know Echo') as string })
    connection.versions = new Map([[ECHO, { min: 3, max: 9 }]])
    expect(await ask('newer')).toBe('newer')
  })
})

it('holds calls while it authenticates again, and ends if that fails', async () => {
  const clock = new ManualClock(0)
  await connected(request => answer(textOf(request)), { clock }, async (connection, broker, ask) => {
    let finish: () => void = () => {}
    connection.renewAfter(1_000, () => new Promise<void>(resolve => { finish = resolve }))
    expect(await ask('before')).toBe('before')
    clock.advance(1_000)
    const during = ask('during')
    await new Promise(resolve => { setImmediate(resolve) })
    expect(broker.requests).toHaveLength(1)
    finish()
    expect(await during).toBe('during')

    connection.renewAfter(0, () => Promise.reject(new Error('expired')))
    await expect(ask('after')).rejects.toEqual(lost(true, /before Echo was sent: expired/))
    expect(connection.ended).toBe(true)
  })
})

it('says where nobody listens, within the time to connect', async () => {
  const [port = 0] = await freePorts(1)
  await expect(Connection.open({ host: '127.0.0.1', port }, testOptions([`127.0.0.1:${port}`]))).rejects.toEqual(lost(true, /the broker 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/))
})
