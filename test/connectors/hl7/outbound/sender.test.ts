import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Framer, hl7Sender, hl7SenderSchema, type Hl7SenderOptions } from '../../../../connectors/hl7/index.ts'
import { readHeader } from '../../../../connectors/hl7/header.ts'
import { frame } from '../../../../connectors/hl7/framer.ts'
import type { Connector, OutboundItem } from '../../../../connectors/kit/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { freePorts } from '../../../kit/servers/index.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'
import { makeCertificates, type Certificates } from '../certificates.ts'
import { eventually, hl7, listener } from '../support.ts'
import { alert, clinicalScore, ItemLog, score, T } from './items.ts'

let certificates: Certificates
beforeAll(() => { certificates = makeCertificates() })
afterAll(() => { certificates[Symbol.dispose]() })

/** A receiver that answers as told: MSA-1 (and an ERR), or nothing. */
async function receiver (answer: (n: number, socket: Socket) => string | undefined): Promise<{ readonly port: number, readonly got: string[], most: number } & Disposable> {
  const sockets = new Set<Socket>()
  const state = { got: [] as string[], most: 0 }
  let open = 0
  const server = createServer(socket => {
    sockets.add(socket)
    const framer = new Framer({ frameBytesMax: 1e6 })
    socket.on('error', () => {})
    socket.on('data', chunk => {
      for (const one of framer.push(chunk)) {
        if (one.kind !== 'frame') continue
        state.most = Math.max(state.most, ++open)
        state.got.push(one.payload.toString())
        const said = answer(state.got.length, socket)
        open--
        if (said !== undefined) socket.write(frame(hl7('MSH|^~\\&|R|R|S|S|1||ACK|9|P|2.6', ...said.split('\r').map((line, i) => i === 0 ? `MSA|${line}|${readHeader(one.payload)?.field(10) ?? ''}` : line))))
      }
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', () => { resolve() }) })
  return Object.assign(state, { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => { server.close(); for (const socket of sockets) socket.destroy() } })
}

interface Sending { readonly connector: Connector, readonly intake: FakeIntake, readonly clock: ManualClock, readonly log: ItemLog }

function send (port: number, log: ItemLog, options: Partial<Hl7SenderOptions> = {}): Sending & AsyncDisposable {
  const intake = new FakeIntake(T)
  const clock = new ManualClock(T)
  const connector = hl7Sender(hl7SenderSchema.parse({ host: '127.0.0.1', port, ...options }), { name: 'pager', source: lane => log.source(lane), intake, clock, random: () => 0.5 })
  return { connector, intake, clock, log, [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose]() }
}

const five: readonly OutboundItem[] = [alert(), alert({ state: 'acknowledged', changedAt: T + 1 }), score(), alert({ id: 'alert-2', patient: { id: 'OTHER' } }), alert({ state: 'cleared', changedAt: T + 2 })]
const controls = (got: readonly string[]): string[] => got.map(text => text.split('|')[9] ?? '')

describe('what is sent', () => {
  it('goes in order, one in flight, and each is done when it is answered', async () => {
    using there = await receiver(n => n === 2 ? 'CA' : 'AA')
    await using sending = send(there.port, new ItemLog(...five))
    await eventually(() => sending.log.done === 5)
    const states = there.got.filter(text => text.includes('ORU^R40')).map(text => /68483\^[^|]*\|[^|]*\|([^|]*)/.exec(text)?.[1] + (/\|end\|/.test(text) ? ' end' : ''))
    expect(states).toEqual(['enabled', 'alert-acknowledged', 'enabled', 'enabled end'])
    expect(there.got.filter(text => text.includes('ORU^R01'))).toHaveLength(1)
    expect(there.most).toBe(1)
    expect([sending.intake.counts.get('alert-delivered'), sending.intake.counts.get('score-delivered'), sending.connector.health().state]).toEqual([4, 1, 'up'])
  })
  it('is understood by a listener of our own', async () => {
    await using there = await listener()
    await using sending = send(there.port, new ItemLog(score()))
    await eventually(() => sending.log.done === 1)
    expect([...there.intake.counts.keys()].filter(what => what.startsWith('answered'))).toEqual(['answered-CA'])
  })
  it('an alert does not stand behind a score that the receiver fails with, over and over', async () => {
    using there = await receiver(n => n > 0 && there.got.at(-1)!.includes('ORU^R01') ? 'AE' : 'AA')
    await using sending = send(there.port, new ItemLog(score(), clinicalScore(), alert(), alert({ id: 'alert-2' })), { attemptsMax: 1_000, pauseMsMin: 60_000 })
    await eventually(() => sending.intake.counts.get('alert-delivered') === 2)
    expect([sending.log.done, sending.intake.counts.get('attempt-failed')]).toEqual([2, 1])
    expect(there.most).toBe(1)
  })
  it('can be alerts alone, and of scores at most one a patient in a while', async () => {
    using there = await receiver(() => 'AA')
    await using sending = send(there.port, new ItemLog(score(), score({ asOf: T + 1_000 }), score({ asOf: T + 299_999 }), score({ asOf: T + 300_000 }), score({ asOf: T + 1_000, patient: { id: 'OTHER' } }), alert()))
    await eventually(() => sending.log.done === 6)
    expect([there.got.length, sending.intake.counts.get('score-delivered'), sending.intake.counts.get('score-not-due')]).toEqual([4, 3, 2])
    await using quiet = send(there.port, new ItemLog(score(), alert()), { scores: false, clinicalScores: [] })
    await eventually(() => quiet.log.done === 1)
    expect([there.got.length, quiet.intake.counts.get('score-delivered')]).toEqual([5, undefined])
    await using clinical = send(there.port, new ItemLog(score(), clinicalScore(), alert()), { scores: false, alerts: false })
    await eventually(() => clinical.log.done === 2)
    expect([there.got.length, clinical.intake.counts.get('score-not-wanted'), clinical.intake.counts.get('clinical-score-delivered')]).toEqual([6, 1, 1])
  })
})

describe('a receiver that does not take it', () => {
  it('and does not answer gets it again, with the same control id, after pauses that grow', async () => {
    using there = await receiver(n => n < 4 ? undefined : 'AA')
    await using sending = send(there.port, new ItemLog(alert()), { answerMs: 10_000, pauseMsMin: 1_000, pauseMsMax: 3_000 })
    const slept = vi.spyOn(sending.clock, 'sleep')
    const pauses = (): readonly number[] => slept.mock.calls.map(([ms]) => ms).filter(ms => ms !== 10_000) // which is the wait for a connection, or an answer
    for (let n = 1; n <= 3; n++) {
      await eventually(() => there.got.length === n)
      sending.clock.advance(10_000)
      await eventually(() => sending.intake.counts.get('counterparty-away') === n && pauses().length === n)
      sending.clock.advance(pauses().at(-1)! - 1)
      expect(there.got).toHaveLength(n)
      sending.clock.advance(1)
    }
    await eventually(() => sending.log.done === 1)
    expect(new Set(controls(there.got)).size).toBe(1)
    expect(pauses()).toEqual([1_000, 2_000, 3_000])
    expect(sending.intake.refused).toEqual([])
  })
  it('and is away is waited for, and said to be', async () => {
    const [port = 0] = await freePorts(1)
    await using sending = send(port, new ItemLog(alert()))
    await eventually(() => sending.connector.health().why === 'nothing answers there')
    expect([sending.connector.health().state, sending.log.done, sending.connector.endpoint]).toEqual(['waiting', 0, `mllp://127.0.0.1:${port}`])
  })
  it('for ever makes it a dead letter, and the next one goes', async () => {
    using there = await receiver(n => n === 1 ? 'AR\rERR||PID^1^3|204^Unknown key identifier^HL70357|E||||PATIENT MRN-77 UNKNOWN' : n === 2 ? 'CR' : 'AA')
    await using sending = send(there.port, new ItemLog(alert(), score(), alert({ id: 'alert-2' })))
    await eventually(() => sending.log.done === 3)
    expect(sending.intake.refused.map(r => [r.cause, r.detail, r.source])).toEqual([['source-refused', 'answered AR, 204', 'hl7-out:pager'], ['source-refused', 'answered CR', 'hl7-out:pager']])
    expect(there.got).toHaveLength(3)
  })
  it('with an error gets it again, so many times, then it is a dead letter', async () => {
    using there = await receiver(n => n <= 3 ? 'AE' : 'AA')
    await using sending = send(there.port, new ItemLog(alert(), alert({ id: 'alert-2' })), { attemptsMax: 3, pauseMsMin: 1, pauseMsMax: 1, answerMs: 86_400_000 }) // the clock runs as fast as the loop turns
    while (sending.log.done < 2) { sending.clock.advance(1); await new Promise(resolve => { setImmediate(resolve) }) }
    expect(sending.intake.refused.map(r => r.detail)).toEqual(['answered AE, 3 times'])
    expect(new Set(controls(there.got.slice(0, 3))).size).toBe(1)
  })
})

describe('before there is anything to send', () => {
  it('a receiver that is not there is said not to be, and one that comes is found', async () => {
    const [port = 0] = await freePorts(1)
    await using sending = send(port, new ItemLog(), { answerMs: 86_400_000 })
    expect(sending.connector.health()).toMatchObject({ state: 'waiting', why: 'not connected yet' })
    await eventually(() => sending.connector.health().why === 'nothing answers there')
    let connections = 0
    const server = createServer(socket => { connections++; socket.on('error', () => {}); socket.resume() })
    await new Promise<void>(resolve => { server.listen(port, '127.0.0.1', () => { resolve() }) })
    await eventually(() => { sending.clock.advance(60_000); return sending.connector.health().state === 'up' })
    expect(sending.connector.health().why).toBe('')
    await new Promise(resolve => { server.close(resolve) }) // ends when each connection is closed
    expect(connections).toBe(1)
  })
})

describe('a restart', () => {
  it('loses nothing, and repeats at most what was not answered', async () => {
    let silent = true
    using there = await receiver(n => n === 3 && silent ? undefined : 'AA')
    const log = new ItemLog(...five)
    const first = send(there.port, log)
    await eventually(() => there.got.length === 3)
    await first.connector[Symbol.asyncDispose]()
    expect(log.done).toBe(2)
    silent = false
    await using second = send(there.port, log)
    await eventually(() => second.log.done === 5)
    const ids = controls(there.got)
    expect([ids.length, new Set(ids).size, ids[3]]).toEqual([6, 5, ids[2]])
  })
})

describe('TLS', () => {
  it('goes to a receiver that the certificate vouches for, with a certificate of our own', async () => {
    await using there = await listener({}, { tls: { ...certificates.server, caFile: certificates.caFile, clientCertificates: 'required' } })
    await using sending = send(there.port, new ItemLog(score()), { tls: { caFile: certificates.caFile, ...certificates.sender } })
    await eventually(() => sending.log.done === 1)
    expect([sending.connector.endpoint.slice(0, 8), there.intake.counts.get('certificate-his-interface-1'), there.intake.counts.get('tls-handshakes-broken')]).toEqual(['mllps://', 2, undefined]) // to see whether it is there, and to send
  })
  it('does not send to another', async () => {
    await using there = await listener({}, { tls: { ...certificates.server, caFile: certificates.caFile, clientCertificates: 'off' } })
    await using sending = send(there.port, new ItemLog(score()), { tls: { caFile: certificates.stranger.certFile } })
    await eventually(() => sending.connector.health().why === 'nothing answers there')
    expect([there.intake.published, sending.log.done]).toEqual([[], 0])
  })
  it('is needed beyond this machine, unless it is said to be dispensable; and its files must be there', () => {
    const start = (options: Partial<Hl7SenderOptions>): unknown => {
      try { return hl7Sender(hl7SenderSchema.parse({ host: '10.1.2.3', port: 1, ...options }), { name: 'x', source: () => { throw new Error('opened') }, intake: new FakeIntake(), clock: new ManualClock() }) } catch (e) { return e }
    }
    expect(start({})).toMatchObject({ code: 'UNSAFE_CREDENTIALS' })
    expect(start({ plain: true })).toMatchObject({ message: 'opened' })
    expect(start({ tls: { caFile: '/nowhere/ca.pem' } })).toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})
