import { spawn } from 'node:child_process'
import { once, type EventEmitter } from 'node:events'
import mqtt, { type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../../streams/time/index.ts'
import { describeWith, freePorts, startMosquitto, until } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { inLog, receiver, twice } from './kill-kit.ts'
import { Wiretap } from './wiretap.ts'

const DEVICES = 5
const KILLS = 3
const OWN_KILLS = 2
const WITHIN_MS = 60_000
const BETWEEN = 300
const IN_FLIGHT = 50
const SENTINEL = 'end'

let directory: ReturnType<typeof tempDir>
let closers: (() => Promise<unknown> | unknown)[]
beforeEach(() => { directory = tempDir(); closers = [] })
afterEach(async () => {
  for (const close of closers.reverse()) await close()
  directory.remove()
})

/** As a message is named by the log: its source, value and time. */
const keyOf = (topic: string, payload: Buffer): string => {
  const { time, numerics: [{ value }] } = JSON.parse(payload.toString()) as { time: number, numerics: [{ value: number }] }
  return `mqtt:${topic.split('/')[2]} ${value}@${time}`
}
const payloadOf = (time: number, seq: number, device: string): string => JSON.stringify({ time, seq, patient: `P-${device}`, numerics: [{ code: 'HR', value: 60 + seq % 40, unit: 'bpm' }] })

/** Devices that publish for ever, with a session and an outbox of their own: what was not acknowledged is published again on the next connection. */
class Outbox {
  readonly acknowledged: Set<string> = new Set()
  readonly #client: MqttClient
  readonly #stop = new AbortController()
  readonly #startMs = Date.now() - 600_000
  readonly #running: Promise<void>
  readonly #onWay = new Set<Promise<void>>()

  constructor (port: number, clientId: string, { prefix }: { readonly prefix: string }) {
    this.#client = mqtt.connect({ host: '127.0.0.1', port, clientId, clean: false, reconnectPeriod: 50, connectTimeout: 20_000, protocolVersion: 5, properties: { sessionExpiryInterval: 3_600 } })
    ;(this.#client as unknown as EventEmitter).on('error', () => {}) // the client's types hide it
    this.#running = this.#run(prefix)
  }

  get connected (): boolean { return this.#client.connected }

  async #run (prefix: string): Promise<void> {
    for (let seq = 0; !this.#stop.signal.aborted; seq++) {
      while (this.#onWay.size >= IN_FLIGHT) await Promise.race(this.#onWay)
      this.publish(`${prefix}${seq % DEVICES}`, seq)
      await systemClock.sleep(1)
    }
  }

  publish (device: string, seq: number): void {
    const [topic, payload] = [`latido/devices/${device}/numerics`, payloadOf(this.#startMs + seq, seq, device)]
    const sent: Promise<void> = this.#client.publishAsync(topic, payload, { qos: 1 }).then(() => { this.acknowledged.add(keyOf(topic, Buffer.from(payload))) }, () => {}).finally(() => { this.#onWay.delete(sent) })
    this.#onWay.add(sent)
  }

  /** Nothing new, and all that was begun is acknowledged. The last message comes after all of them. */
  async finish (): Promise<void> {
    this.#stop.abort()
    await this.#running
    while (this.#onWay.size > 0) await Promise.race(this.#onWay)
    this.publish(SENTINEL, 0)
    while (this.#onWay.size > 0) await Promise.race(this.#onWay)
  }

  async close (): Promise<void> { this.#stop.abort(); await this.#client.endAsync(true) }
}

const more = (say: string, set: ReadonlySet<string>): Promise<void> => { const before = set.size; return until(say, WITHIN_MS, () => set.size > before + BETWEEN) }

const describeMosquitto = await describeWith('mosquittoBroker')

describeMosquitto('mosquitto, killed while devices publish', () => {
  it.each([
    ['saves at each change', ['autosave_on_changes true', 'autosave_interval 1'], ''],
    ['saves when it is told to', ['autosave_interval 1800'], ''],
    ['forgets shared subscriptions', ['autosave_on_changes true', 'autosave_interval 1'], 'latido'],
  ] as const)('that %s: what it kept we have, once; what we acknowledged we have; only mosquitto may lose', async (how, config, shareGroup) => {
    const broker = await startMosquitto(config)
    closers.push(() => broker[Symbol.asyncDispose]())
    const tap = await Wiretap.open(broker.port, keyOf)
    closers.push(() => tap[Symbol.asyncDispose]())
    const observed = new Set<string>()
    const observer = mqtt.connect({ host: '127.0.0.1', port: broker.port, clientId: 'observer', clean: false, reconnectPeriod: 50, protocolVersion: 5, properties: { sessionExpiryInterval: 3_600 } })
    closers.push(() => observer.endAsync(true))
    const events = observer as unknown as EventEmitter // the client's types hide it
    events.on('error', () => {})
    events.on('message', (topic: string, payload: Buffer) => { observed.add(keyOf(topic, payload)) })
    await observer.subscribeAsync('latido/devices/+/numerics', { qos: 1 })
    const us = receiver(directory.path, 'mqtt-broker', { url: `mqtt://127.0.0.1:${tap.port}`, shareGroup, reconnectMsMin: 20, reconnectMsMax: 100 }, closers)
    await until('the subscription', WITHIN_MS, () => us.state === 'up')
    await broker.save() // both sessions are on disk before anything is published
    const outbox = new Outbox(broker.port, 'outbox', { prefix: 'mon-' })
    closers.push(() => outbox.close())
    let kept: ReadonlySet<string> = new Set()
    const unsaved = new Set<string>() // acknowledged by mosquitto after it had saved, and before it was killed
    for (let kill = 0; kill < KILLS; kill++) {
      await more('messages that we acknowledged', tap.acknowledged)
      if (how === 'saves when it is told to') { kept = new Set([...outbox.acknowledged].filter(key => !unsaved.has(key))); await broker.save() }
      await systemClock.sleep(kill * 7) // with other messages under way each time
      await broker.kill()
      await until('the devices to have read its last answers', WITHIN_MS, () => !outbox.connected)
      for (const key of outbox.acknowledged) if (!kept.has(key)) unsaved.add(key)
      await broker.start()
    }
    await more('messages that we acknowledged', tap.acknowledged)
    await outbox.finish()
    const ofSentinel = (set: ReadonlySet<string>): boolean => [...set].some(key => key.startsWith(`mqtt:${SENTINEL} `))
    await until('the last message', WITHIN_MS, () => ofSentinel(tap.acknowledged) && ofSentinel(observed))
    await us.kill('SIGTERM')
    const log = await inLog(directory.path)
    const missing = [...outbox.acknowledged].filter(key => !log.has(key))
    process.stderr.write(`mosquitto that ${how}, killed ${KILLS} times: it acknowledged ${outbox.acknowledged.size}, delivered ${tap.delivered.size} to us and ${observed.size} to an observer; lost of our session ${missing.length}, of the observer's ${[...outbox.acknowledged].filter(key => !observed.has(key)).length}\n`)
    expect(twice(log), 'twice in the log').toBe(0)
    expect([...tap.acknowledged].filter(key => !log.has(key)), 'we acknowledged it and have it not').toEqual([])
    expect([...kept].filter(key => !log.has(key)), 'mosquitto had it on disk and we have it not').toEqual([])
    expect(missing.filter(key => tap.acknowledged.has(key))).toEqual([])
    expect(log.size).toBeGreaterThan(BETWEEN * KILLS)
  }, 240_000)
})

it('our own broker, killed while mqtt.js publishes: nothing that it acknowledged is lost, nothing is twice', async () => {
  const [port = 0] = await freePorts(1)
  let us = receiver(directory.path, 'mqtt', { port }, closers)
  await until('the endpoint', WITHIN_MS, () => us.state === 'up')
  const outbox = new Outbox(port, 'outbox', { prefix: 'mon-' })
  closers.push(() => outbox.close())
  for (let kill = 0; kill < OWN_KILLS; kill++) {
    await more('acknowledgements', outbox.acknowledged)
    await us.kill('SIGKILL')
    us = receiver(directory.path, 'mqtt', { port }, closers)
  }
  await more('acknowledgements', outbox.acknowledged)
  await outbox.finish()
  await us.kill('SIGTERM')
  const log = await inLog(directory.path)
  expect([[...outbox.acknowledged].filter(key => !log.has(key)), twice(log), log.size]).toEqual([[], 0, outbox.acknowledged.size])
}, 240_000)

describeMosquitto('a real mosquitto_pub', () => {
  it('whose broker (ours) is killed while it publishes has all that was acknowledged to it in the log, once', async () => {
    const [port = 0] = await freePorts(1)
    const [messages, startMs] = [1_500, Date.now() - 600_000]
    let us = receiver(directory.path, 'mqtt', { port }, closers)
    await until('the endpoint', WITHIN_MS, () => us.state === 'up')
    const pub = spawn('mosquitto_pub', ['-h', '127.0.0.1', '-p', String(port), '-t', 'latido/devices/pub/numerics', '-q', '1', '-l', '-i', 'pub', '-c', '-d'], { stdio: ['pipe', 'pipe', 'inherit'] })
    closers.push(() => { pub.kill('SIGKILL') })
    const ended = once(pub, 'close') // with all that it said
    let said = ''
    pub.stdout.on('data', (bytes: Buffer) => { said += bytes.toString() })
    const acknowledged = (): ReadonlySet<number> => new Set([...said.matchAll(/received PUBACK \(Mid: (\d+), RC:0\)/g)].map(match => Number(match[1])))
    const fed = (async () => {
      for (let seq = 0; seq < messages; seq++) { pub.stdin.write(`${payloadOf(startMs + seq, seq, 'pub')}\n`); if (seq % 5 === 0) await systemClock.sleep(5) }
      pub.stdin.end()
    })()
    for (let kill = 0; kill < 2; kill++) {
      const before = acknowledged().size
      await until('acknowledgements', WITHIN_MS, () => acknowledged().size > before + 200)
      await us.kill('SIGKILL')
      us = receiver(directory.path, 'mqtt', { port }, closers)
    }
    await fed
    await ended
    await us.kill('SIGTERM')
    const log = await inLog(directory.path)
    const lost = [...acknowledged()].filter(mid => !log.has(`mqtt:pub ${60 + (mid - 1) % 40}@${startMs + mid - 1}`)) // it numbers its messages from 1
    expect([acknowledged().size, lost, twice(log), log.size]).toEqual([messages, [], 0, messages])
  }, 240_000)
})
