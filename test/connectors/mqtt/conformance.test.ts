import { createServer, type AddressInfo, type Server } from 'node:net'
import { once } from 'node:events'
import { Aedes } from 'aedes'
import mqtt, { type MqttClient } from 'mqtt'
import { describe, it } from 'vitest'
import { conformanceChecks, type ConformanceHarness, type Counterparty } from '../../../connectors/conformance/index.ts'
import { mqttBrokerConnector, mqttConnector } from '../../../connectors/mqtt/index.ts'
import { mqttBrokerOptions, mqttFeedOptions, type MqttBrokerOptions, type MqttFeedOptions } from '../../../connectors/mqtt/options.ts'
import { systemClock } from '../../../streams/time/index.ts'

const BEGAN = systemClock.now() - 3_600_000
const PAUSE_MS = 5
const CLIENT_ID = 'latido'
/** A message of the suite: on which topic a device publishes what. */
interface Published { readonly topic: string, readonly payload: string }

const published = (device: string, payload: object | string): Buffer => Buffer.from(JSON.stringify({ topic: `latido/devices/${device}/numerics`, payload: typeof payload === 'string' ? payload : JSON.stringify(payload) } satisfies Published))
const messages = {
  message: (patient: string, n: number): Buffer => published(`monitor-${patient}`, { seq: n, time: BEGAN + n * 1_000, patient, numerics: [{ code: 'HR', value: 60 + n % 60, unit: '/min' }] }),
  poison: published('monitor-P1', 'no numbers'),
}
const read = (message: Buffer): Published => JSON.parse(message.toString()) as Published

/** A gateway of devices with a persistent session: it publishes all that it has with QoS 1, and again on each connection what was not acknowledged, in order. */
class Gateway implements Counterparty<MqttFeedOptions> {
  #unacknowledged: Published[] = []
  #client: MqttClient | undefined
  #url: string | undefined
  #delivered = 0
  readonly #ended = new AbortController()

  options (): MqttFeedOptions { return mqttFeedOptions.parse({ port: 0 }) }
  connected (endpoint: string): void { this.#url = endpoint; this.#connect() }
  disconnected (): void { this.#url = undefined; this.#client?.end(true); this.#client = undefined }
  delivered (): number { return this.#delivered }
  offer (offered: readonly Buffer[]): void {
    const more = offered.map(read)
    this.#unacknowledged.push(...more)
    if (this.#client?.connected === true) for (const one of more) this.#publish(this.#client, one)
  }

  [Symbol.asyncDispose] (): Promise<void> { this.#ended.abort(); this.disconnected(); return Promise.resolve() }

  #connect (): void {
    if (this.#url === undefined) return
    const client = this.#client = mqtt.connect(this.#url, { clientId: 'gateway', clean: false, reconnectPeriod: 0 })
    client.on('error', () => {}) // it closes as well
    client.on('connect', () => { for (const one of this.#unacknowledged) this.#publish(client, one) })
    client.on('close', () => { void systemClock.sleep(PAUSE_MS, this.#ended.signal).then(() => { if (this.#client === client) { client.end(true); this.#connect() } }) })
  }

  #publish (client: MqttClient, one: Published): void {
    client.publish(one.topic, one.payload, { qos: 1 }, error => {
      if (error !== null && error !== undefined || client !== this.#client || !this.#unacknowledged.includes(one)) return
      this.#unacknowledged = this.#unacknowledged.filter(other => other !== one)
      this.#delivered++
    })
  }
}

/** A broker of the hospital's, with the session of the connector: what devices publish while it is away waits there. Messages begin to come when it has subscribed. */
class HospitalBroker implements Counterparty<MqttBrokerOptions> {
  readonly #broker: Aedes
  readonly #server: Server
  #waiting: Published[] = []
  #subscribed = false
  #publishing: Promise<void> = Promise.resolve()
  #delivered = 0

  private constructor (broker: Aedes, server: Server) {
    this.#broker = broker
    this.#server = server
    broker.on('ack', (packet, client) => { if (client.id === CLIENT_ID && (packet as unknown) !== undefined) this.#delivered++ })
    broker.on('subscribe', (_subscriptions, { id }) => { if (id === CLIENT_ID) { this.#subscribed = true; this.offer([]) } })
    broker.on('clientError', () => {}) // of a life that was cut off
  }

  static async open (): Promise<HospitalBroker> {
    const broker = await Aedes.createBroker()
    const server = createServer(socket => { broker.handle(socket) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new HospitalBroker(broker, server)
  }

  options (): MqttBrokerOptions {
    return mqttBrokerOptions.parse({ url: `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`, protocol: '3.1.1', shareGroup: '', clientId: CLIENT_ID, inFlightMax: 20 })
  }

  offer (offered: readonly Buffer[]): void {
    this.#waiting.push(...offered.map(read))
    if (!this.#subscribed) return
    const now = this.#waiting
    this.#waiting = []
    this.#publishing = this.#publishing.then(async () => { for (const { topic, payload } of now) await this.#publish(topic, payload) })
  }

  delivered (): number { return this.#delivered }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#publishing
    await new Promise<void>(resolve => { this.#broker.close(() => { resolve() }) })
    this.#server.close()
    await once(this.#server, 'close')
  }

  #publish (topic: string, payload: string): Promise<void> {
    return new Promise((resolve, reject) => { this.#broker.publish({ cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false }, error => { if (error === undefined || error === null) resolve(); else reject(error) }) })
  }
}

/** An embedded broker reads on when it has taken what one read of the socket held: 64 KB, of messages of 150 bytes and more. */
const endpoint: ConformanceHarness<MqttFeedOptions> = { kind: mqttConnector, open: () => Promise.resolve(new Gateway()), ...messages, inFlightMax: 500 }
const follower: ConformanceHarness<MqttBrokerOptions> = { kind: mqttBrokerConnector, open: () => HospitalBroker.open(), ...messages, inFlightMax: 20 }

describe('devices that publish to Latido', () => {
  for (const { name, run } of conformanceChecks(endpoint)) it(name, run, 240_000)
})

describe('a broker of the hospital\'s', () => {
  for (const { name, run } of conformanceChecks(follower)) it(name, run, 240_000)
})
