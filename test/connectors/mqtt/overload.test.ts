import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { generate, type Packet } from 'mqtt-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connector } from '../../../connectors/kit/port.ts'
import { mqttConnector } from '../../../connectors/mqtt/index.ts'
import { Feed, fixedMapping } from '../../../connectors/kit/index.ts'
import { devicesOf } from '../../../connectors/mqtt/devices.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'

const MESSAGES = 5_000
/** More than we read ahead, and little more than our kernel takes of a connection: most of it reaches us whatever the device's own kernel still holds. */
const SMALL_BURST = 1_000
const TOPIC = 'latido/devices/monitor-07/numerics'
/** Each message at the log takes a turn of the event loop: slower than any sender. */
const slowly = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

let intake: FakeIntake
let said: string[]
let closers: (() => Promise<unknown> | unknown)[]
beforeEach(() => { intake = new FakeIntake(); said = []; closers = [] })
afterEach(async () => { for (const close of closers.reverse()) await close() })

async function start (more: object = {}): Promise<{ readonly connector: Connector, readonly port: number }> {
  const options = mqttConnector.options.parse({ port: 0, ...more })
  const feed = new Feed({ name: 'monitors', kind: 'mqtt', intake, mapping: fixedMapping(), map: mqttConnector.mapper(options) })
  expect(devicesOf(options).size).toBe(0)
  const connector = await mqttConnector.start({ feed, clock: systemClock, table: () => ({ load: () => [], save: () => Promise.resolve() }), secret: () => '', say: line => { said.push(line) } }, options)
  closers.push(() => connector[Symbol.asyncDispose]())
  return { connector, port: Number(new URL(connector.endpoint).port) }
}

function sender (port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }) // what is written leaves at once
  socket.on('error', () => undefined)
  socket.resume()
  closers.push(() => { socket.destroy() })
  return socket
}

const bytes = (packets: readonly Packet[], protocolVersion: 4 | 5 = 4): Buffer => Buffer.concat(packets.map(packet => generate(packet, { protocolVersion })))
const hello = (clientId: string, protocolVersion: 4 | 5 = 4): Packet => ({ cmd: 'connect', protocolId: 'MQTT', protocolVersion, clientId, clean: true, keepalive: 60 })
const payload = (seq: number): string => JSON.stringify({ time: NOW_MS - 1_000, seq, patient: 'P1', numerics: [{ code: 'HR', value: 60 + seq % 40, unit: 'bpm' }] })
const published = (qos: 0 | 1 | 2, n: number = MESSAGES): readonly Packet[] => Array.from({ length: n }, (_, seq) => ({ cmd: 'publish', topic: TOPIC, payload: payload(seq), qos, dup: false, retain: false, ...qos === 0 ? {} : { messageId: seq + 1 } }))
const ids = (): readonly string[] => intake.published.map(({ messageId }) => messageId)
const inOrder = (n: number): readonly string[] => Array.from({ length: n }, (_, seq) => `monitor-07|${seq}`)
const lost = (): readonly [string, number][] => [...intake.counts].filter(([what]) => what.startsWith('lost-'))

describe.each([4, 5] as const)('a burst in one write at a log that is slow, with MQTT protocol level %i', level => {
  describe.each([0, 1, 2] as const)('and QoS %i', qos => {
    it.each([
      ['says goodbye and closes', [{ cmd: 'disconnect' }]],
      ['closes without a word', []],
    ] as readonly [string, readonly Packet[]][])('is in the log whole and in order though its sender waits for nothing and %s', async (_how, last) => {
      intake.beforePublish = slowly
      const { port } = await start()
      sender(port).end(bytes([hello('burst', level), ...published(qos), ...last], level))
      await intake.until(() => intake.published.length === MESSAGES)
      expect(ids()).toEqual(inOrder(MESSAGES))
      expect([lost(), intake.duplicates, said]).toEqual([[], 0, []])
    }, 60_000)
  })
})

it('what had reached us of a connection that is reset is in the log', async () => {
  const { port } = await start()
  let release = (): void => undefined
  intake.hold = new Promise(resolve => { release = resolve })
  const socket = sender(port)
  socket.write(bytes([hello('reset'), ...published(0, 10)]))
  await intake.until(() => intake.published.length === 10) // they stay on their way
  await new Promise(resolve => { socket.write(bytes(published(0, 150).slice(10)), resolve) })
  socket.resetAndDestroy()
  intake.hold = undefined
  release()
  await intake.until(() => intake.published.length === 150)
  expect(ids()).toEqual(inOrder(150))
  expect(lost()).toEqual([])
})

describe('what is lost with QoS 0', () => {
  it('while the log is away is counted, each; health and one line say so, and the connection stays', async () => {
    const { connector, port } = await start()
    const socket = sender(port)
    socket.write(bytes([hello('away')]))
    intake.away = true
    socket.write(bytes(published(0, 200)))
    await intake.until(() => intake.counts.get('lost-log-away') === 200)
    expect(connector.health()).toMatchObject({ state: 'waiting', why: 'the log does not take messages' })
    expect(said).toEqual([expect.stringMatching(/^monitors: messages with QoS 0 are being lost/)])
    intake.away = false
    socket.write(bytes(published(0, 201).slice(200)))
    await intake.until(() => intake.published.length === 1)
    await expect.poll(() => connector.health()).toMatchObject({ state: 'up', why: expect.stringMatching(/^messages with QoS 0 were lost: 200, the last at /) as string })
    intake.nowMs += 3_600_000
    expect(connector.health().why).toBe('')
  })

  it.each([4, 5] as const)('because another connection takes its name is counted, also what nobody had read (level %i)', async level => {
    const { port } = await start()
    let release = (): void => undefined
    intake.hold = new Promise(resolve => { release = resolve })
    const first = sender(port)
    first.write(bytes([hello('monitor-07', level)], level))
    await new Promise(resolve => { first.write(bytes(published(0, SMALL_BURST), level), resolve) })
    await intake.until(() => intake.published.length > 0)
    const taken = sender(port)
    const answered = once(taken, 'data')
    taken.write(bytes([hello('monitor-07', level)], level))
    await answered
    await intake.until(() => (intake.counts.get('lost-connection-closed') ?? 0) > 0)
    release()
    const known = (): number => intake.published.length + (intake.counts.get('lost-connection-closed') ?? 0)
    await intake.until(() => known() >= SMALL_BURST * 0.4) // all of it is counted where a socket ends by hand, in connection.test.ts
    expect(known()).toBeLessThanOrEqual(SMALL_BURST)
    expect(said).toHaveLength(1)
  })

  it('behind a message that no broker may take is counted, and what stood before it is in the log', async () => {
    intake.beforePublish = slowly
    const { port } = await start()
    const packets = bytes(published(0, 100))
    // A topic with a wildcard, as no library would write it.
    const wild = bytes([{ cmd: 'publish', topic: 'latido/devices/-/numerics', payload: payload(0), qos: 0, dup: false, retain: false }])
    wild[wild.indexOf('/-/') + 1] = '+'.charCodeAt(0)
    sender(port).end(Buffer.concat([bytes([hello('wild')]), packets, wild]))
    await intake.until(() => intake.counts.get('lost-connection-closed') === 1)
    await intake.until(() => intake.published.length === 100)
    expect(intake.counts.get('client-error')).toBe(1)
  })
})

it('a broken QoS 1 message does not take those with QoS 0 behind it along', async () => {
  const { port } = await start()
  let attempts = 0
  intake.beforePublish = () => (attempts++ === 0 ? Promise.reject(new Error('a fault')) : Promise.resolve())
  sender(port).write(bytes([hello('mixed'), ...published(1, 1), ...published(0, 50).slice(1)]))
  await intake.until(() => intake.published.length === 49)
  expect(lost()).toEqual([])
})
