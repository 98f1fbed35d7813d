import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import mqtt, { type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Feed, fixedMapping, type Connector } from '../../../connectors/kit/index.ts'
import { mqttBrokerConnector } from '../../../connectors/mqtt/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { describeWith, startMosquitto, until, type MosquittoServer } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'

const WITHIN_MS = 20_000
const describeMosquitto = await describeWith('mosquittoBroker')
const numerics = (seq: number, value = 80): string => JSON.stringify({ time: NOW_MS, seq, patient: 'P', numerics: [{ code: '147842', value, unit: '/min' }] })
const topic = (device: string, channel = 'numerics', prefix = 'latido/devices'): string => `${prefix}/${device}/${channel}`

describeMosquitto('a feed that follows a broker', () => {
  let closers: (() => Promise<unknown> | unknown)[]
  let broker: MosquittoServer
  const secrets: Record<string, string> = { PASSWORD: 'invented-secret', WRONG: 'other' }
  beforeEach(async () => { closers = []; broker = await startMosquitto(); closers.push(() => broker[Symbol.asyncDispose]()) })
  afterEach(async () => { for (const close of closers.reverse()) await close() })

  async function follow (intake: FakeIntake, more: object = {}, state: string = 'up'): Promise<Connector> {
    const options = mqttBrokerConnector.options.parse({ url: broker.url, reconnectMsMin: 20, reconnectMsMax: 200, ...more })
    const feed = new Feed({ name: 'ward', kind: 'mqtt-broker', intake, mapping: fixedMapping(), map: mqttBrokerConnector.mapper(options) })
    const connector = await mqttBrokerConnector.start({ feed, clock: systemClock, table: () => ({ load: () => [], save: () => Promise.resolve() }), secret: ref => secrets['env' in ref ? ref.env : ''] ?? '', say: () => {} }, options)
    closers.push(() => connector[Symbol.asyncDispose]())
    await until(`the connector to be ${state}`, WITHIN_MS, () => connector.health().state === state && connector.health().why !== 'not connected yet')
    return connector
  }

  async function device (options: object = {}): Promise<MqttClient> {
    const client = await mqtt.connectAsync(broker.url, options)
    closers.push(() => client.endAsync(true))
    return client
  }

  it.each(['5', '3.1.1'])('acknowledges to the broker only what the log has, in the order in which it came (MQTT %s)', async protocol => {
    const intake = new FakeIntake()
    let release: () => void = () => undefined
    intake.hold = new Promise(resolve => { release = resolve })
    let connector = await follow(intake, { protocol })
    const client = await device()
    for (let seq = 0; seq < 30; seq++) await client.publishAsync(topic('m1'), numerics(seq), { qos: 1 })
    await until('all to be on their way', WITHIN_MS, () => intake.published.length === 30) // none waits for the acknowledgement of the one before it
    release()
    await connector[Symbol.asyncDispose]()
    const second = new FakeIntake()
    connector = await follow(second, { protocol })
    await client.publishAsync(topic('m1'), numerics(30), { qos: 1 })
    await until('the last', WITHIN_MS, () => second.published.some(m => m.messageId === 'm1|30'))
    expect(second.published.map(m => m.messageId)).toEqual(['m1|30'])
  })

  it('gets again what it had not acknowledged when the log was away, and takes it once', async () => {
    const intake = new FakeIntake()
    const connector = await follow(intake)
    intake.away = true
    const client = await device()
    for (let seq = 0; seq < 50; seq++) await client.publishAsync(topic('m1'), numerics(seq, 60 + seq), { qos: 1 })
    await until('it to wait', WITHIN_MS, () => connector.health().state === 'waiting' && (intake.counts.get('unacknowledged-log-away') ?? 0) > 2)
    expect(connector.health().why).not.toBe('')
    intake.away = false
    await until('all', WITHIN_MS, () => intake.published.length === 50)
    expect(intake.values()).toEqual(Array.from({ length: 50 }, (_, seq) => 60 + seq))
    await until('it to be up', WITHIN_MS, () => connector.health().state === 'up')
  })

  it('counts each message with QoS 0 that came while the log was away, says so in health, and stays connected', async () => {
    const intake = new FakeIntake()
    const connector = await follow(intake)
    const client = await device()
    intake.away = true
    for (let seq = 0; seq < 50; seq++) await client.publishAsync(topic('m1'), numerics(seq), { qos: 0 })
    await until('all to be counted', WITHIN_MS, () => intake.counts.get('lost-log-away') === 50)
    intake.away = false
    await client.publishAsync(topic('m1'), numerics(50), { qos: 0 })
    await until('the next', WITHIN_MS, () => intake.published.length === 1)
    expect(connector.health()).toMatchObject({ state: 'up', why: expect.stringMatching(/^messages with QoS 0 were lost: 50, the last at /) as string })
    expect(intake.counts.get('broker-disconnected')).toBeUndefined()
  })

  it('shares the messages between the instances of a group, while each hears the associations', async () => {
    const [one, two] = [new FakeIntake(), new FakeIntake()]
    await follow(one, { clientId: 'latido-1', shareGroup: 'latido' })
    await follow(two, { clientId: 'latido-2', shareGroup: 'latido' })
    const client = await device()
    await client.publishAsync(topic('m1', 'association'), JSON.stringify({ patient: 'A' }), { qos: 1, retain: true })
    await until('both to know', WITHIN_MS, () => one.counts.get('association-set') === 1 && two.counts.get('association-set') === 1)
    for (let seq = 0; seq < 100; seq++) await client.publishAsync(topic('m1'), numerics(seq), { qos: 1 })
    await until('all', WITHIN_MS, () => one.published.length + two.published.length >= 100)
    expect(new Set([...one.published, ...two.published].map(m => m.messageId)).size).toBe(100)
    expect(Math.min(one.published.length, two.published.length)).toBeGreaterThan(10)
    const late = new FakeIntake()
    await follow(late, { clientId: 'latido-3', shareGroup: 'latido' })
    await until('the retained association', WITHIN_MS, () => late.counts.get('association-set') === 1)
  })

  it('takes what the broker had kept at its own time, and learns no clock from it', async () => {
    const client = await device()
    for (const name of ['m1', 'm2']) await client.publishAsync(topic(name), numerics(1), { qos: 1, retain: true })
    const intake = new FakeIntake(NOW_MS + 86_400_000)
    const connector = await follow(intake, { correctClocks: true })
    await until('both', WITHIN_MS, () => intake.published.length === 2)
    expect(connector.clocks?.()?.byDistance.unknown).toBe(0)
    await client.publishAsync(topic('m1'), numerics(2), { qos: 1 })
    await until('one that is live', WITHIN_MS, () => intake.published.length === 3)
    await until('its clock', WITHIN_MS, () => connector.clocks?.()?.byDistance.unknown === 1)
  })

  it('takes no more at a time than it may have in flight, by the receive maximum', async () => {
    const intake = new FakeIntake()
    let release: () => void = () => undefined
    intake.hold = new Promise(resolve => { release = resolve })
    await follow(intake, { inFlightMax: 5 })
    const client = await device()
    for (let seq = 0; seq < 40; seq++) await client.publishAsync(topic('m1'), numerics(seq), { qos: 1 })
    await until('five', WITHIN_MS, () => intake.published.length === 5)
    release()
    intake.hold = undefined
    await until('all', WITHIN_MS, () => intake.published.length === 40)
  })

  it('says how it stands on a topic of its own, with a last will; reads under another prefix', async () => {
    const intake = new FakeIntake()
    const connector = await follow(intake, { statusTopic: 'systems/latido', topicPrefix: 'ward/7' })
    const states: string[] = []
    const watcher = await device()
    watcher.on('message', (_, payload) => { states.push(payload.toString()) })
    await watcher.subscribeAsync('systems/latido')
    await until('online', WITHIN_MS, () => states.at(-1) === '{"state":"online"}')
    await watcher.publishAsync(topic('m1', 'numerics', 'ward/7'), numerics(1), { qos: 1 })
    await until('the reading', WITHIN_MS, () => intake.published.length === 1)
    intake.away = true // it gives the connection up without a goodbye
    await watcher.publishAsync(topic('m1', 'numerics', 'ward/7'), numerics(2), { qos: 1 })
    await until('the will', WITHIN_MS, () => states.includes('{"state":"lost"}'))
    intake.away = false
    await until('the second reading', WITHIN_MS, () => intake.published.length === 2)
    await connector[Symbol.asyncDispose]()
    await until('offline', WITHIN_MS, () => states.at(-1) === '{"state":"offline"}')
  })

  it('needs a person where the password is wrong, and waits for a broker that is away', async () => {
    const directory = tempDir()
    closers.push(() => { directory.remove() })
    const file = join(directory.path, 'passwords')
    expect(spawnSync('mosquitto_passwd', ['-b', '-c', file, 'latido', 'invented-secret']).status).toBe(0)
    const guarded = await startMosquitto([`password_file ${file}`])
    closers.push(() => guarded[Symbol.asyncDispose]())
    const wrong = await follow(new FakeIntake(), { url: guarded.url, username: 'latido', password: { env: 'WRONG' } }, 'failed')
    expect(wrong.health().why).toContain('password')
    const right = await follow(new FakeIntake(), { url: guarded.url, username: 'latido', password: { env: 'PASSWORD' }, clientId: 'right' })
    await guarded.kill()
    await until('it to wait', WITHIN_MS, () => right.health().state === 'waiting')
    await guarded.start()
    await until('it to be up again', WITHIN_MS, () => right.health().state === 'up')
  })

  it('speaks TLS with a certificate of its own where the broker wants one', async () => {
    const directory = tempDir()
    closers.push(() => { directory.remove() })
    const openssl = (...args: readonly string[]): void => { expect(spawnSync('openssl', args, { cwd: directory.path }).status, args[0]).toBe(0) }
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test authority')
    for (const [name, subject] of [['server', '/CN=localhost'], ['client', '/CN=latido']] as const) {
      openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1')
      openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', `${name}.pem`, '-days', '2', '-copy_extensions', 'copy')
    }
    const { readFileSync } = await import('node:fs')
    for (const name of ['ca.pem', 'client.pem', 'client.key']) secrets[name] = readFileSync(join(directory.path, name), 'utf8')
    const guarded = await startMosquitto([`cafile ${directory.path}/ca.pem`, `certfile ${directory.path}/server.pem`, `keyfile ${directory.path}/server.key`, 'require_certificate true', 'use_identity_as_username true'])
    closers.push(() => guarded[Symbol.asyncDispose]())
    const url = guarded.url.replace('mqtt:', 'mqtts:')
    const strange = await follow(new FakeIntake(), { url, clientId: 'strange', certificate: { env: 'client.pem' }, key: { env: 'client.key' } }, 'waiting')
    await follow(new FakeIntake(), { url, ca: { env: 'ca.pem' }, certificate: { env: 'client.pem' }, key: { env: 'client.key' } })
    expect(strange.health().state).toBe('waiting')
  })
})
