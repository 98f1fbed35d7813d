import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Connector } from '../../../connectors/kit/port.ts'
import { startMqtt, type MqttOptions } from '../../../connectors/mqtt/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'

let intake: FakeIntake
let connectors: Connector[]
let sockets: Socket[]
beforeEach(() => { intake = new FakeIntake(); connectors = []; sockets = [] })
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  for (const connector of connectors) await connector[Symbol.asyncDispose]()
})

async function start (more: Partial<MqttOptions> = {}): Promise<number> {
  const connector = await startMqtt({ host: '127.0.0.1', port: 0, intake, clock: systemClock, ...more })
  connectors.push(connector)
  return Number(new URL(connector.endpoint).port)
}

function stranger (port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.resume()
  sockets.push(socket)
  return socket
}

const hello = (clientId: string, protocolVersion: 4 | 5 = 4): Buffer => generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion, clientId, clean: true, keepalive: 60 }, { protocolVersion })
const numerics = (device: string, seq: number, more: object): Packet => ({ cmd: 'publish', topic: `latido/devices/${device}/numerics`, payload: JSON.stringify({ time: NOW_MS - 1_000, seq, numerics: [{ code: 'HR', value: 60 + seq, unit: 'bpm' }], ...more }), qos: 1, messageId: seq + 1, dup: false, retain: false })

/** A device that behaves: one message, acknowledged. */
async function goesOn (port: number, seq: number): Promise<void> {
  const before = intake.published.length
  const socket = stranger(port)
  socket.write(Buffer.concat([hello(`good-${seq}`), generate(numerics(`good-${seq}`, seq, { patient: 'P1' }))]))
  await intake.until(() => intake.published.length > before)
  socket.destroy()
}

it('random bytes, alone and behind a CONNECT, of either version, end at most their own connection', async () => {
  const port = await start({ limits: { connectMsMax: 200 } })
  const chunk = fc.uint8Array({ maxLength: 300 })
  const opening = fc.constantFrom(Buffer.alloc(0), hello('x'), hello('x', 5), Buffer.from([0x10]), Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff]), Buffer.from([0x30, 0x02, 0, 0]))
  await fc.assert(fc.asyncProperty(opening, fc.array(chunk, { maxLength: 4 }), async (first, chunks) => {
    const socket = stranger(port)
    const closed = once(socket, 'close')
    socket.write(first)
    for (const one of chunks) socket.write(one)
    socket.end()
    await closed
  }), { numRuns: 300 })
  await goesOn(port, 1)
}, 60_000)

it('a CONNECT that never ends is closed after its time, and costs no more than what came of it', async () => {
  const port = await start({ limits: { connectMsMax: 300 } })
  const slow = stranger(port)
  const closed = once(slow, 'close')
  slow.write(Buffer.concat([Buffer.from([0x10, 0xff, 0x7f, 0, 4]), Buffer.from('MQTT'), Buffer.from([4, 2, 0, 60, 0x3f, 0xff])])) // 16 KB are announced
  const silent = stranger(port)
  const silentClosed = once(silent, 'close')
  await closed
  await silentClosed
  expect(intake.counts.get('connection-error')).toBe(2)
  await goesOn(port, 1)
})

it('keeps 1,000 idle connections beside devices that publish, and refuses more than its limit', async () => {
  const port = await start({ limits: { clientsMax: 1_001 } })
  const answers: Promise<unknown>[] = []
  for (let n = 0; n < 1_000; n++) {
    const socket = stranger(port)
    answers.push(once(socket, 'data'))
    socket.write(hello(`idle-${n}`))
  }
  await Promise.all(answers)
  for (let seq = 0; seq < 3; seq++) {
    const socket = stranger(port)
    socket.write(Buffer.concat([hello('one'), generate(numerics('one', seq, { patient: 'P1' }))]))
    await intake.until(() => intake.published.length === seq + 1)
    const closed = once(socket, 'close')
    socket.end(generate({ cmd: 'disconnect' }))
    await closed
  }
  const more = [stranger(port), stranger(port)]
  await Promise.race(more.map(socket => once(socket, 'close')))
  expect(intake.counts.get('client-limit')).toBeGreaterThan(0)
}, 60_000)

it('two devices say one bed: both are of who lies there; a device that names two beds counts by the newer', async () => {
  intake.beds.set('W1|03', 'P3').set('W1|04', 'P4')
  const port = await start()
  const said = (device: string, bed: string, messageId: number, more: object = {}): Buffer => generate({ cmd: 'publish', topic: `latido/devices/${device}/association`, payload: JSON.stringify({ ward: 'W1', bed, ...more }), qos: 1, messageId, dup: false, retain: false })
  const send = (clientId: string, ...packets: readonly Buffer[]): void => { stranger(port).write(Buffer.concat([hello(clientId), ...packets])) }
  send('a', said('mon-a', '03', 100), generate(numerics('mon-a', 1, {})))
  send('b', said('mon-b', '03', 100), generate(numerics('mon-b', 1, {})))
  await intake.until(() => intake.published.length === 2)
  expect(intake.published.map(({ patient, source }) => [source, patient.id]).sort()).toEqual([['mqtt:mon-a', 'P3'], ['mqtt:mon-b', 'P3']])
  send('c', said('mon-c', '03', 100, { from: new Date(NOW_MS - 5_000).toISOString() }), said('mon-c', '04', 101, { from: new Date(NOW_MS - 5_000).toISOString() }), generate(numerics('mon-c', 1, {})))
  await intake.until(() => intake.published.length === 3)
  expect(intake.published[2]?.patient.id, 'the same beginning corrects').toBe('P4')
  send('d', said('mon-d', '04', 100, { from: new Date(NOW_MS - 2_000).toISOString() }), said('mon-d', '03', 101, { from: new Date(NOW_MS - 5_000).toISOString() }), generate(numerics('mon-d', 1, {})))
  await intake.until(() => intake.published.length === 4)
  expect(intake.published[3]?.patient.id, 'what began last counts, in whatever order it was said').toBe('P4')
})
