import { spawn, spawnSync } from 'node:child_process'
import { connect as tcpConnect } from 'node:net'
import { once } from 'node:events'
import type { EventEmitter } from 'node:events'
import mqtt from 'mqtt'
import type { IClientOptions, MqttClient } from 'mqtt'
import { generate } from 'mqtt-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromEnvelope, startMqtt } from '../../../connectors/mqtt/index.ts'
import type { MqttOptions } from '../../../connectors/mqtt/index.ts'
import type { Connector } from '../../../connectors/kit/port.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'

const NUMERICS = 'latido/devices/monitor-07/numerics'
const hr = (value: unknown, more: object = {}): object => ({ code: '147842', value, unit: '/min', ...more })
const message = (numerics: unknown, more: object = {}): string => JSON.stringify({ time: NOW_MS - 1000, patient: 'P1', numerics, ...more })

let intake: FakeIntake
let connectors: Connector[]
let clients: MqttClient[]
beforeEach(() => { intake = new FakeIntake(); connectors = []; clients = [] })
afterEach(async () => {
  for (const client of clients) await client.endAsync(true)
  for (const connector of connectors) await connector[Symbol.asyncDispose]()
})

async function start (more: Partial<MqttOptions> = {}): Promise<Connector> {
  const connector = await startMqtt({ host: '127.0.0.1', port: 0, intake, clock: systemClock, ...more })
  connectors.push(connector)
  return connector
}

/** The client's types hide that it is an EventEmitter. */
function happens (client: MqttClient, event: string): Promise<unknown[]> { return once(client as unknown as EventEmitter, event) }

async function device (connector: Connector, options: IClientOptions = {}): Promise<MqttClient> {
  const client = mqtt.connect(connector.endpoint, { reconnectPeriod: 10, ...options })
  client.on('error', () => undefined)
  clients.push(client)
  await happens(client, 'connect')
  return client
}

describe.each([4, 5] as const)('with MQTT protocol level %i', protocolVersion => {
  it('publishes the numerics of one message as one set of device observations in canonical units', async () => {
    const client = await device(await start(), { protocolVersion })
    await client.publishAsync(NUMERICS, message([hr(80), { code: 'MDC_ECG_HEART_RATE', value: 81, unit: 'bpm', quality: 'questionable' }, { code: '8310-5', value: 98.6, unit: '[degF]' }], { seq: 1 }), { qos: 1 })
    expect(intake.published).toHaveLength(1)
    expect(intake.published[0]).toMatchObject({ patient: { id: 'P1' }, source: 'mqtt:monitor-07', messageId: 'monitor-07|1', event: { type: 'observations', kind: 'device', source: 'mqtt:monitor-07' } })
    const event = intake.published[0]?.event
    expect(event?.type === 'observations' && event.observations.map(o => [o.concept, Number(o.value.toFixed(3)), o.quality, o.eventTime, o.resultId])).toEqual([
      ['heartRate', 80, 'valid', NOW_MS - 1000, ''], ['heartRate', 81, 'questionable', NOW_MS - 1000, ''], ['temperature', 37, 'valid', NOW_MS - 1000, '']])
  })

  it('takes QoS 0 and QoS 2 as well', async () => {
    const client = await device(await start(), { protocolVersion })
    await client.publishAsync(NUMERICS, message([hr(70)], { seq: 1 }), { qos: 0 })
    await client.publishAsync(NUMERICS, message([hr(71)], { seq: 2 }), { qos: 2 })
    expect(intake.values()).toEqual([70, 71])
  })

  it('acknowledges only when the log has the message', async () => {
    let release: () => void = () => undefined
    intake.hold = new Promise(resolve => { release = resolve })
    const client = await device(await start(), { protocolVersion })
    let acknowledged = false
    const publish = client.publishAsync(NUMERICS, message([hr(80)]), { qos: 1 }).then(() => { acknowledged = true })
    await intake.until(() => intake.published.length === 1)
    const answered = happens(client, 'packetreceive')
    client.sendPing()
    expect((await answered)[0]).toMatchObject({ cmd: 'pingresp' })
    expect(acknowledged).toBe(false)
    release()
    await publish
  })

  it('closes the connection without acknowledgement while the log is away, and loses nothing and doubles nothing when it is back', async () => {
    intake.away = true
    const client = await device(await start(), { protocolVersion, clean: false, clientId: 'monitor-07', ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}) })
    const published = Promise.all(Array.from({ length: 40 }, (_, seq) => client.publishAsync(NUMERICS, message([hr(60 + seq)], { seq }), { qos: 1 })))
    await intake.until(() => intake.attempts >= 3)
    expect(intake.published).toHaveLength(0)
    intake.away = false
    await published
    expect(intake.values()).toEqual(Array.from({ length: 40 }, (_, seq) => 60 + seq))
    expect(intake.counts.get('unacknowledged-log-away')).toBeGreaterThan(0)
  })

  it('tells a client with a wrong password so, and lets one with the right password in', async () => {
    const connector = await start({ credentials: { username: 'ward', password: 'invented-secret' } })
    const wrong = mqtt.connect(connector.endpoint, { protocolVersion, reconnectPeriod: 0, username: 'ward', password: 'other' })
    clients.push(wrong)
    const [error] = await happens(wrong, 'error') as [{ code: number }]
    expect(error.code).toBe(protocolVersion === 5 ? 134 : 4)
    const right = await device(connector, { protocolVersion, username: 'ward', password: 'invented-secret' })
    await right.publishAsync(NUMERICS, message([hr(80)]), { qos: 1 })
    expect(intake.values()).toEqual([80])
    expect(intake.counts.get('login-refused')).toBe(1)
  })

  it('lets a client watch the state of devices and refuses a subscription to numerics', async () => {
    const connector = await start()
    const watcher = await device(connector, { protocolVersion })
    await watcher.subscribeAsync('latido/devices/+/status', { qos: 1 })
    await expect(watcher.subscribeAsync(NUMERICS)).rejects.toThrow()
    const lost = happens(watcher, 'message') as Promise<[string, Buffer]>
    const monitor = await device(connector, { protocolVersion, clientId: 'm7', will: { topic: 'latido/devices/monitor-07/status', payload: Buffer.from('{"state":"lost"}'), qos: 1, retain: true } })
    monitor.options.reconnectPeriod = 0
    monitor.stream.destroy()
    const [topic, payload] = await lost
    expect([topic, payload.toString()]).toEqual(['latido/devices/monitor-07/status', '{"state":"lost"}'])
    expect(intake.counts.get('status-lost')).toBe(1)
    await watcher.unsubscribeAsync('latido/devices/+/status')
  })
})

it('takes all of a burst with QoS 0 whose sender says goodbye at once', async () => {
  const socket = tcpConnect(Number(new URL((await start()).endpoint).port), '127.0.0.1')
  socket.write(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'burst', clean: true, keepalive: 60 }))
  await once(socket, 'data')
  const packets = Array.from({ length: 5_000 }, (_, seq) => generate({ cmd: 'publish', topic: NUMERICS, payload: message([hr(60 + seq % 40)], { seq }), qos: 0, dup: false, retain: false }))
  socket.end(Buffer.concat([...packets, generate({ cmd: 'disconnect' })]))
  await intake.until(() => intake.published.length === 5_000)
}, 60_000)

describe('a redelivered message', () => {
  it('ends as a duplicate, and its dead letters are not written again', async () => {
    const client = await device(await start())
    const payload = message([hr(80), hr(900)], { seq: 7 })
    await client.publishAsync(NUMERICS, payload, { qos: 1 })
    await client.publishAsync(NUMERICS, payload, { qos: 1, dup: true })
    expect(intake.values()).toEqual([80])
    expect(intake.duplicates).toBe(1)
    expect(intake.causes()).toEqual(['value-impossible'])
  })
})

describe('whose numerics they are', () => {
  it('follows the patient named, then the bed named, then the association of the device', async () => {
    intake.beds.set('W1|03', 'P3').set('W1|04', 'P4')
    const client = await device(await start({ associations: { 'monitor-09': { ward: 'W1', bed: '04' } } }))
    const send = (name: string, more: object): Promise<unknown> => client.publishAsync(`latido/devices/${name}/numerics`, JSON.stringify({ time: NOW_MS, numerics: [hr(80)], ...more }), { qos: 1 })
    await send('monitor-09', { patient: 'P1', ward: 'W1', bed: '03' })
    await send('monitor-09', { ward: 'W1', bed: '03' })
    await send('monitor-09', {})
    await client.publishAsync('latido/devices/monitor-10/association', JSON.stringify({ patient: 'P10' }), { qos: 1, retain: true })
    await send('monitor-10', {})
    await client.publishAsync('latido/devices/monitor-10/association', '{}', { qos: 1, retain: true })
    await send('monitor-10', {})
    expect(intake.published.map(m => m.patient.id)).toEqual(['P1', 'P3', 'P4', 'P10'])
    expect(intake.causes()).toEqual(['device-unmapped'])
  })

  it('takes a message and the association before it in their order, without waiting between them', async () => {
    const client = await device(await start())
    await Promise.all([
      client.publishAsync('latido/devices/monitor-11/association', JSON.stringify({ patient: 'A' }), { qos: 1 }),
      client.publishAsync('latido/devices/monitor-11/numerics', JSON.stringify({ time: NOW_MS, seq: 1, numerics: [hr(80)] }), { qos: 1 }),
      client.publishAsync('latido/devices/monitor-11/association', JSON.stringify({ patient: 'B' }), { qos: 1 }),
      client.publishAsync('latido/devices/monitor-11/numerics', JSON.stringify({ time: NOW_MS, seq: 2, numerics: [hr(80)] }), { qos: 1 }),
    ])
    expect(intake.published.map(m => m.patient.id)).toEqual(['A', 'B'])
  })
})

describe('bad input', () => {
  const cases: readonly [name: string, topic: string, payload: string | Buffer, cause: string][] = [
    ['a payload that is not JSON', NUMERICS, '{"time":', 'malformed'],
    ['a payload that is not UTF-8 text', NUMERICS, Buffer.from([0xff, 0xfe, 0x00]), 'malformed'],
    ['an empty payload', NUMERICS, '', 'malformed'],
    ['numerics that are no list', NUMERICS, message('80'), 'malformed'],
    ['a numeric that is no object', NUMERICS, message([5]), 'malformed'],
    ['a quality that nobody defined', NUMERICS, message([hr(80, { quality: 'great' })]), 'malformed'],
    ['an unknown code', NUMERICS, message([{ code: '999999', value: 1, unit: '/min' }]), 'code-unknown'],
    ['no code', NUMERICS, message([{ value: 1, unit: '/min' }]), 'code-unknown'],
    ['an unknown unit', NUMERICS, message([hr(80, { unit: 'furlong' })]), 'unit-unknown'],
    ['a unit of another dimension', NUMERICS, message([hr(80, { unit: 'mmHg' })]), 'unit-unknown'],
    ['no unit', NUMERICS, message([{ code: '147842', value: 80 }]), 'unit-unknown'],
    ['an impossible value', NUMERICS, message([hr(900)]), 'value-impossible'],
    ['an infinite value', NUMERICS, `{"time":${NOW_MS},"patient":"P1","numerics":[{"code":"147842","value":1e999,"unit":"/min"}]}`, 'value-unparsable'],
    ['a value in words', NUMERICS, message([hr('eighty')]), 'value-unparsable'],
    ['a time in the future', NUMERICS, message([hr(80)], { time: NOW_MS + 300_001 }), 'time-in-future'],
    ['a time without an offset', NUMERICS, message([hr(80)], { time: '2031-05-06T10:00:00' }), 'time-unparsable'],
    ['a time in seconds', NUMERICS, message([hr(80)], { time: NOW_MS / 1000 }), 'time-implausible'],
    ['a clock that lost its date', NUMERICS, message([hr(80)], { time: '1970-01-01T00:03:12Z' }), 'time-implausible'],
    ['a clock that was set to a wrong year', NUMERICS, message([hr(80)], { time: NOW_MS - 31 * 86_400_000 - 1 }), 'time-implausible'],
    ['no time', NUMERICS, message([hr(80)], { time: undefined }), 'time-unparsable'],
    ['a device that nobody mapped', NUMERICS, message([hr(80)], { patient: undefined }), 'device-unmapped'],
    ['a bed that nobody lies in', NUMERICS, message([hr(80)], { patient: undefined, ward: 'W1', bed: '99' }), 'device-unmapped'],
    ['a topic outside the scheme', 'ward/7/heart-rate', '80', 'device-unmapped'],
    ['a device name with a strange character', 'latido/devices/a b/numerics', message([hr(80)]), 'device-unmapped'],
    ['an association with half a bed', 'latido/devices/m/association', '{"ward":"W1"}', 'malformed'],
    ['a payload above the limit', NUMERICS, message([hr(80)], { note: 'x'.repeat(70_000) }), 'too-large'],
    ['more numerics than the limit', NUMERICS, message(Array.from({ length: 257 }, () => hr(80))), 'too-large'],
  ]
  it.each(cases)('refuses %s with its bytes and cause, acknowledges, and takes the next message', async (_name, topic, payload, cause) => {
    const client = await device(await start())
    await client.publishAsync(topic, payload, { qos: 1 })
    expect(intake.causes()).toEqual([cause])
    expect(fromEnvelope(intake.refused[0]!.raw)).toEqual({ topic, payload: Buffer.from(payload) })
    await client.publishAsync(NUMERICS, message([hr(80)], { seq: 99 }), { qos: 1 })
    expect(intake.values()).toEqual([80])
  })

  it('refuses a bad numeric by itself and publishes the others', async () => {
    const client = await device(await start())
    await client.publishAsync(NUMERICS, message([hr(80), hr(900), { code: '150456', value: 97, unit: '%' }, { code: 'x', value: 1, unit: '%' }]), { qos: 1 })
    expect(intake.values()).toEqual([80, 97])
    expect(intake.refused.map(r => [r.cause, r.detail.split(':')[0], (JSON.parse(fromEnvelope(r.raw)!.payload.toString()) as { numerics: unknown[] }).numerics.length])).toEqual([['value-impossible', 'numerics[1]', 1], ['code-unknown', 'numerics[3]', 1]])
  })

  it('counts a sensor that is off as a missing value, not as a wrong one', async () => {
    const client = await device(await start())
    await client.publishAsync(NUMERICS, message([hr(null), hr(0), { code: '150456', value: 97, unit: '%' }]), { qos: 1 })
    expect(intake.values()).toEqual([97])
    expect(intake.counts.get('sensor-off')).toBe(2)
    expect(intake.refused).toEqual([])
  })

  it('clamps a time that leads within the tolerance', async () => {
    const client = await device(await start())
    await client.publishAsync(NUMERICS, message([hr(80)], { time: new Date(NOW_MS + 60_000).toISOString() }), { qos: 1 })
    const event = intake.published[0]?.event
    expect(event?.type === 'observations' && event.observations[0]?.eventTime).toBe(NOW_MS)
    expect(intake.counts.get('time-clamped')).toBe(1)
  })

  it('holds no value and no identifier in what it says of a refusal', async () => {
    const client = await device(await start())
    await client.publishAsync(NUMERICS, message([hr(987.25)], { patient: 'P-SECRET' }), { qos: 1 })
    expect(intake.refused[0]?.detail).not.toMatch(/987|SECRET/)
  })

  it('cuts a connection whose packet is larger than the limit, and one that is not MQTT, and goes on with the others', async () => {
    const connector = await start({ limits: { packetBytesMax: 10_000 } })
    const port = Number(new URL(connector.endpoint).port)
    const large = await device(connector, { reconnectPeriod: 0 })
    const cut = happens(large, 'close')
    large.publish(NUMERICS, 'x'.repeat(20_000), { qos: 0 })
    await cut
    const stranger = tcpConnect(port, '127.0.0.1')
    stranger.on('error', () => undefined)
    stranger.write('GET / HTTP/1.1\r\n\r\n')
    await once(stranger, 'close')
    expect(intake.counts.get('packet-too-large')).toBe(1)
    const client = await device(connector)
    await client.publishAsync(NUMERICS, message([hr(80)]), { qos: 1 })
    expect(intake.values()).toEqual([80])
  })
})

describe('starting and stopping', () => {
  it('says which setting to change when the port is in use', async () => {
    const connector = await start()
    await expect(startMqtt({ host: '127.0.0.1', port: Number(new URL(connector.endpoint).port), intake, clock: systemClock })).rejects.toMatchObject({ code: 'PORT_IN_USE', action: expect.stringContaining('LATIDO_MQTT_PORT') as string })
  })

  it('refuses to listen beyond this machine without credentials', async () => {
    await expect(startMqtt({ host: '0.0.0.0', port: 0, intake, clock: systemClock })).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
    await expect(startMqtt({ host: '0.0.0.0', port: 0, intake, clock: systemClock, credentials: { username: 'ward', password: '' } })).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
  })

  it('closes with clients connected, after what was on its way to the log', async () => {
    const connector = await startMqtt({ host: '127.0.0.1', port: 0, intake, clock: systemClock })
    let release: () => void = () => undefined
    intake.hold = new Promise(resolve => { release = resolve })
    const client = await device(connector)
    client.publish(NUMERICS, message([hr(80)]), { qos: 1 })
    await intake.until(() => intake.published.length === 1)
    let closed = false
    const closing = connector[Symbol.asyncDispose]().then(() => { closed = true })
    await new Promise(resolve => { setImmediate(resolve) })
    expect(closed).toBe(false)
    release()
    await closing
  })

  it('takes no more clients than the limit', async () => {
    const connector = await start({ limits: { clientsMax: 1 } })
    await device(connector)
    const second = tcpConnect(Number(new URL(connector.endpoint).port), '127.0.0.1')
    second.on('error', () => undefined)
    await once(second, 'close')
    expect(intake.counts.get('client-limit')).toBe(1)
  })
})

const mosquitto = spawnSync('mosquitto_pub', ['--help']).error === undefined
if (!mosquitto) console.warn('SKIPPED: mosquitto_pub is not installed, so no third-party publisher was tried (apt-get install mosquitto-clients)')

describe.skipIf(!mosquitto)('mosquitto_pub as publisher', () => {
  it.each(['mqttv311', 'mqttv5'])('delivers every line with QoS 1 by %s', async version => {
    const port = new URL((await start()).endpoint).port
    const publisher = spawn('mosquitto_pub', ['-h', '127.0.0.1', '-p', port, '-V', version, '-q', '1', '-t', NUMERICS, '-l'], { stdio: ['pipe', 'inherit', 'inherit'] })
    for (let seq = 0; seq < 200; seq++) publisher.stdin.write(`${message([hr(60 + seq % 100)], { seq })}\n`)
    publisher.stdin.end()
    const [exitCode] = await once(publisher, 'exit')
    expect(exitCode).toBe(0)
    expect(intake.values()).toEqual(Array.from({ length: 200 }, (_, seq) => 60 + seq % 100))
  })
})
