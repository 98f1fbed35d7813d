import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeWith, FaultProxy, freePorts, startMosquitto, until, type MosquittoServer } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import type { SenderOptions } from '../../kit/mqtt-sender.ts'
import { inLog, receiver as openReceiver, ROOT, twice, type Receiver } from './kill-kit.ts'

const DEVICES = 10
const MESSAGES = 300
const ALL = DEVICES * MESSAGES
const WITHIN_MS = 120_000
/** So slowly that a kill comes before the end though it is late by seconds. */
const PER_SECOND = 400

let directory: ReturnType<typeof tempDir>
let closers: (() => Promise<unknown> | unknown)[]
beforeEach(() => { directory = tempDir(); closers = [] })
afterEach(async () => {
  for (const close of closers.reverse()) await close()
  directory.remove()
})

function receiver (kind: 'mqtt' | 'mqtt-broker', options: object): Receiver { return openReceiver(directory.path, kind, options, closers) }

/** Resolves when every message was acknowledged to the devices. */
function sender (options: Partial<SenderOptions> & { readonly port: number }): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/kit/mqtt-sender.ts', JSON.stringify({ devices: DEVICES, firstDevice: 0, messages: MESSAGES, window: 20, ...options })], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  closers.push(() => { child.kill('SIGKILL') })
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => { said += bytes.toString() })
  return once(child, 'close').then(() => (JSON.parse(said === '' ? '{"acknowledged":0}' : said) as { acknowledged: number }).acknowledged)
}

it('embedded: a process that is killed again and again has in its log, once, whatever it acknowledged', async () => {
  const [port = 0] = await freePorts(1)
  let running = receiver('mqtt', { port })
  await until('the endpoint', WITHIN_MS, () => running.state === 'up')
  const sent = sender({ port, perSecond: PER_SECOND })
  for (let kill = 0; kill < 2; kill++) {
    await until('some messages', WITHIN_MS, () => running.published > 200)
    await running.kill('SIGKILL')
    running = receiver('mqtt', { port })
  }
  expect(await sent).toBe(ALL)
  await running.kill('SIGTERM')
  const times = await inLog(directory.path)
  expect([times.size, twice(times)]).toEqual([ALL, 0])
}, 400_000)

const describeMosquitto = await describeWith('mosquittoBroker')

describeMosquitto('behind a real mosquitto', () => {
  let broker: MosquittoServer
  beforeEach(async () => { broker = await startMosquitto(); closers.push(() => broker[Symbol.asyncDispose]()) })

  it.each(['5', '3.1.1'])('a process that is killed under load loses nothing and has nothing twice (MQTT %s)', async protocol => {
    let running = receiver('mqtt-broker', { url: broker.url, protocol })
    await until('the subscription', WITHIN_MS, () => running.state === 'up')
    const sent = sender({ port: broker.port, perSecond: PER_SECOND })
    for (let kill = 0; kill < 2; kill++) {
      await until('some messages', WITHIN_MS, () => running.published > 200)
      await running.kill('SIGKILL')
      running = receiver('mqtt-broker', { url: broker.url, protocol })
    }
    expect(await sent).toBe(ALL)
    await running.kill('SIGTERM')
    const before = await inLog(directory.path)
    running = receiver('mqtt-broker', { url: broker.url, protocol })
    await until('the rest', WITHIN_MS, () => running.published + before.size >= ALL)
    await running.kill('SIGTERM')
    const times = await inLog(directory.path)
    expect([times.size, twice(times)]).toEqual([ALL, 0])
  }, 400_000)

  it('a network that breaks, holds and comes back loses nothing and doubles nothing', async () => {
    await using proxy = await FaultProxy.open(broker.port)
    const running = receiver('mqtt-broker', { url: `mqtt://127.0.0.1:${proxy.port}`, reconnectMsMin: 20, reconnectMsMax: 100 })
    await until('the subscription', WITHIN_MS, () => running.state === 'up')
    const sent = sender({ port: broker.port, perSecond: PER_SECOND })
    for (const bytes of [4_000, 9_001, 30_011]) {
      const before = running.published
      proxy.cutAfter('down', bytes)
      await until('some messages', WITHIN_MS, () => running.published >= Math.min(before + 100, ALL))
      proxy.cutAfter('up', 37) // in the middle of a PUBACK
      await until('some messages', WITHIN_MS, () => running.published >= Math.min(before + 200, ALL))
      await proxy.set({ kind: 'closed' })
      await until('the loss to show', WITHIN_MS, () => running.state === 'waiting')
      await proxy.set({ kind: 'open' })
    }
    expect(await sent).toBe(ALL)
    await until('everything', WITHIN_MS, () => running.published >= ALL)
    await running.kill('SIGTERM')
    const times = await inLog(directory.path)
    expect([times.size, twice(times)]).toEqual([ALL, 0])
  }, 400_000)

  it('a broker that is killed keeps what it had on disk, and we take it once; what we had before is not twice', async () => {
    let running = receiver('mqtt-broker', { url: broker.url, reconnectMsMin: 20, reconnectMsMax: 100 })
    await until('the subscription', WITHIN_MS, () => running.state === 'up')
    await running.kill('SIGKILL')
    expect(await sender({ port: broker.port })).toBe(ALL) // all of it waits in the session
    await broker.save()
    running = receiver('mqtt-broker', { url: broker.url, reconnectMsMin: 20, reconnectMsMax: 100, inFlightMax: 20 })
    await until('some messages', WITHIN_MS, () => running.published > 100)
    await broker.kill()
    await until('the loss to show', WITHIN_MS, () => running.state === 'waiting')
    await broker.start()
    await until('everything', WITHIN_MS, () => running.published >= ALL)
    await running.kill('SIGTERM')
    const times = await inLog(directory.path)
    expect([times.size, twice(times)]).toEqual([ALL, 0])
  }, 400_000)
})
