import type { EventEmitter } from 'node:events'
import mqtt from 'mqtt'
import type { IClientOptions, IPublishPacket, ISubscriptionMap, MqttClient } from 'mqtt'
import { isLatidoError } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Feed, KeptTable } from '../kit/index.ts'
import type { Connector, ConnectorHealth, DeviceClocks } from '../kit/port.ts'
import { Acknowledgements } from './acknowledgements.ts'
import type { DeviceRow } from './associations.ts'
import { devicesOf } from './devices.ts'
import { failureOf, Inbox } from './inbox.ts'
import { Lanes } from './lanes.ts'
import { Losses } from './losses.ts'
import type { Association, MqttBrokerOptions, MqttCredentials } from './options.ts'

export interface BrokerParts {
  readonly feed: Feed
  readonly options: MqttBrokerOptions
  readonly clock: Clock
  readonly memory: KeptTable<DeviceRow | Association> | undefined
  readonly credentials: MqttCredentials | undefined
  /** PEM, where the connection is to be TLS with more than the system's authorities. */
  readonly tls: { readonly ca?: string, readonly cert?: string, readonly key?: string }
  readonly say: (line: string) => void
}

const CONNECT_MS_MAX = 10_000
const DRAIN_MS_MAX = 5_000
const REFUSED_CODE_MIN = 128
/** Bad user name or password, not authorised (3.1.1: 4, 5), bad authentication method, banned: a person has to mend it. */
const NEEDS_A_PERSON: ReadonlySet<unknown> = new Set([4, 5, 134, 135, 138, 140])
const SUBSCRIPTION_REFUSED = 'the broker refuses the subscription'
const STATES = { online: '{"state":"online"}', offline: '{"state":"offline"}', lost: '{"state":"lost"}' } as const

/**
 * Follows a broker: a persistent session, QoS 1, and PUBACK only when the log has the message. A connection on which one message could not be taken is
 * given up, so the broker sends that one and all behind it again; what had reached the log meanwhile is known there. Never rejects: a broker that is away
 * is tried again, after pauses that grow.
 */
export function followBroker (parts: BrokerParts): Connector { return new BrokerFollower(parts) }

class BrokerFollower implements Connector {
  readonly name: string
  readonly endpoint: string
  readonly #parts: BrokerParts
  readonly #inbox: Inbox
  readonly #lanes = new Lanes()
  readonly #losses: Losses
  readonly #stop = new AbortController()
  readonly #done: Promise<void>
  #health: ConnectorHealth
  #taken = 0

  constructor (parts: BrokerParts) {
    const { feed, options, clock, memory } = parts
    this.#parts = parts
    this.name = feed.name
    this.endpoint = options.url
    this.#health = { state: 'waiting', since: clock.now(), why: 'not connected yet' }
    const devices = devicesOf(options)
    devices.open(memory)
    this.#inbox = new Inbox(feed, devices)
    this.#losses = new Losses(feed, parts.say)
    this.#done = this.#follow()
  }

  health (): ConnectorHealth { return this.#health.why === '' ? { ...this.#health, why: this.#losses.why } : this.#health }
  clocks (): DeviceClocks { return devicesOf(this.#parts.options).clocks(this.#parts.feed.intake.now()) }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  async #follow (): Promise<void> {
    const { clock, options: { reconnectMsMin, reconnectMsMax } } = this.#parts
    const { signal } = this.#stop
    for (let pauseMs = reconnectMsMin; !signal.aborted; pauseMs = Math.min(reconnectMsMax, pauseMs * 2)) {
      const [before, startedMs] = [this.#taken, clock.monotonicMs()]
      const why = await this.#session(signal)
      if (signal.aborted) return
      this.#turn(NEEDS_A_PERSON.has(why.code) ? 'failed' : 'waiting', why.text)
      if (this.#taken > before || clock.monotonicMs() - startedMs > reconnectMsMax) pauseMs = reconnectMsMin
      await clock.sleep(pauseMs, signal)
    }
  }

  /**
   * One connection, with a client of its own: a client that connects again by itself sends PUBACKs of the old connection on the new one, where the same
   * number may stand for another message.
   */
  async #session (signal: AbortSignal): Promise<{ readonly text: string, readonly code?: unknown }> {
    const { clock, feed } = this.#parts
    const client = this.#connect()
    const events = client as unknown as EventEmitter // the client's types hide it
    const lost = new Promise<{ text: string, code?: unknown }>(resolve => {
      let last: { text: string, code?: unknown } = { text: 'the broker closed the connection' }
      events.on('error', (error: Error & { code?: unknown }) => { last = { text: NEEDS_A_PERSON.has(error.code) ? 'the broker refuses us: user name, password or rights' : 'the broker does not answer', code: error.code }; client.end(true) })
      events.on('close', () => { resolve(last) })
    })
    const stopped = new Promise<void>(resolve => { signal.addEventListener('abort', () => { resolve() }, { once: true }) })
    const refused = this.#taking(client, events)
    const why = await Promise.race([lost, refused, stopped.then(() => undefined)])
    if (why === undefined) { // stopping: what was taken is acknowledged, what comes now is left to the broker
      const abort = new AbortController()
      await Promise.race([this.#lanes.drained().then(() => new Promise<void>(resolve => { process.nextTick(resolve) })), lost, clock.sleep(DRAIN_MS_MAX, abort.signal)])
      abort.abort()
      if (client.connected) {
        if (this.#parts.options.statusTopic !== '') client.publish(this.#parts.options.statusTopic, STATES.offline, { qos: 0, retain: true })
        await client.endAsync(false)
      }
    }
    if (!client.disconnected) await client.endAsync(true)
    feed.count('broker-disconnected')
    return why ?? { text: '' }
  }

  /** Resolves where the broker refuses a subscription, else never. */
  #taking (client: MqttClient, events: EventEmitter): Promise<{ readonly text: string }> {
    const { options, feed } = this.#parts
    const acknowledgements = new Acknowledgements(bytes => { if (client.connected) client.stream.write(bytes) })
    let inFlight = 0
    let held: (() => void) | undefined
    client.handleMessage = (packet, next) => {
      // An error keeps the client from sending PUBACK by itself, and it goes on to the next packet: PUBACK follows when the log has the message.
      const goOn = (): void => { next(new Error('acknowledged later')) }
      inFlight++
      this.#take(client, packet, taken => {
        inFlight--
        if (taken && packet.qos > 0 && packet.messageId !== undefined) acknowledgements.add(packet.messageId)
        held?.()
        held = undefined
      })
      if (inFlight < options.inFlightMax) goOn(); else held = goOn // brokers of MQTT 3.1.1 know no receive maximum
    }
    return new Promise(resolve => {
      events.on('connect', () => {
        client.subscribe(this.#subscriptions(), (error, granted) => {
          if (this.#stop.signal.aborted) return
          if ((error !== null && error !== undefined) || (granted ?? []).some(({ qos }) => qos as number >= REFUSED_CODE_MIN)) { feed.count('subscription-refused'); resolve({ text: SUBSCRIPTION_REFUSED }); return }
          this.#turn('up', '')
          feed.count('broker-connected')
          if (options.statusTopic !== '') client.publish(options.statusTopic, STATES.online, { qos: 0, retain: true })
        })
      })
    })
  }

  #take (client: MqttClient, packet: IPublishPacket, settled: (taken: boolean) => void): void {
    const { feed } = this.#parts
    if (this.#stop.signal.aborted) { if (packet.qos === 0) this.#losses.add('connection-closed'); settled(false); return }
    const topic = this.#ownTopic(packet.topic)
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    // What the broker had kept of a state says nothing of when it was.
    const work = packet.retain && topic.endsWith('/status') ? () => { feed.count('status-retained'); return Promise.resolve() } : () => this.#inbox.receive(topic, payload, packet.retain)
    if (packet.qos === 0) { // lost whatever becomes of the connection, so it stays
      this.#lanes.run(packet, () => work().then(() => { this.#taken++ }, (error: unknown) => { this.#losses.add(failureOf(error)) }), () => { settled(true) })
      return
    }
    this.#lanes.run(client, work, error => {
      if (error === null) { this.#taken++; settled(true); return }
      feed.count(`unacknowledged-${failureOf(error)}`)
      settled(false)
      this.#turn('waiting', isLatidoError(error) ? 'the log does not take messages' : 'a message could not be taken')
      client.end(true)
    })
  }

  #connect (): MqttClient {
    const { options, credentials, tls } = this.#parts
    const five = options.protocol === '5'
    const said: IClientOptions = {
      protocolVersion: five ? 5 : 4,
      clientId: options.clientId,
      clean: false,
      keepalive: options.keepaliveS,
      connectTimeout: CONNECT_MS_MAX,
      reconnectPeriod: 0,
      resubscribe: false,
      ...five ? { properties: { sessionExpiryInterval: options.sessionExpiryS, receiveMaximum: options.inFlightMax } } : {},
      ...options.statusTopic === '' ? {} : { will: { topic: options.statusTopic, payload: Buffer.from(STATES.lost), qos: 1, retain: true } },
      ...credentials,
      ...tls,
    }
    return mqtt.connect(options.url, said)
  }

  /** Each instance hears associations, since each has to know them; the rest is split between the instances of a group. */
  #subscriptions (): ISubscriptionMap {
    const { options: { shareGroup, topicPrefix, protocol } } = this.#parts
    const share = shareGroup === '' ? '' : `$share/${shareGroup}/`
    const keep = protocol === '5' ? { rh: 1 } : {} // what is retained comes with a new subscription, not at each connection
    return Object.fromEntries([...['numerics', 'waves', 'status'].map(channel => `${share}${topicPrefix}/+/${channel}`), `${topicPrefix}/+/association`].map(filter => [filter, { qos: 1 as const, ...filter.startsWith('$share/') ? {} : keep }]))
  }

  /** As the mapper knows topics, whatever stands before the device at this broker. */
  #ownTopic (topic: string): string {
    const { topicPrefix } = this.#parts.options
    return topic.startsWith(`${topicPrefix}/`) ? `latido/devices${topic.slice(topicPrefix.length)}` : topic
  }

  #turn (state: ConnectorHealth['state'], why: string): void {
    if (this.#health.state === state && this.#health.why === why) return
    this.#health = { state, since: this.#parts.clock.now(), why }
    this.#parts.say(state === 'up' ? `${this.name}: follows ${this.endpoint}` : `${this.name}: ${why}; tried again`)
  }
}
