import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { Aedes } from 'aedes'
import type { AuthenticateError, Client, PublishPacket } from 'aedes'
import { LatidoError } from '../../streams/errors/index.ts'
import type { Connector, Intake } from '../kit/port.ts'
import { AssociationTable } from './associations.ts'
import { DeviceConnection } from './connection.ts'
import { credentialsMatch, refuseWithoutCredentials } from './credentials.ts'
import { failureOf, Inbox } from './inbox.ts'
import { Lanes } from './lanes.ts'
import type { Settle } from './lanes.ts'
import { MQTT_LIMITS } from './options.ts'
import type { MqttCredentials, MqttLimits, MqttOptions } from './options.ts'

const FEED = 'mqtt'
const BAD_USERNAME_OR_PASSWORD = 4
/** Only these may be subscribed to: numerics and associations name patients. */
const STATUS_FILTER = /^latido\/devices\/[^/]+\/status$/
/** Only these are kept by the broker for later subscribers. */
const RETAINED_TOPIC = /^latido\/devices\/[A-Za-z0-9._:-]{1,64}\/status$/
const PACKETS_BEFORE_CONNACK_MAX = 1_000

/**
 * Starts the MQTT endpoint (3.1.1 and 5; QoS 0, 1, 2). With QoS 1 and 2 an acknowledgement means that the log has the message; when the log
 * is away the connection is closed without one, so the device sends again. Throws PORT_IN_USE, UNSAFE_EXPOSURE, CONFIG_INVALID.
 */
export async function startMqtt (options: MqttOptions): Promise<Connector> {
  const { host, port, intake, clock, associations, credentials } = options
  const limits: MqttLimits = { ...MQTT_LIMITS, ...options.limits }
  refuseWithoutCredentials(host, credentials)
  const inbox = new Inbox(intake, new AssociationTable(associations ?? {}, limits.devicesMax, options.memory), limits)
  const lanes = new Lanes()
  const broker = await startBroker({ inbox, lanes, intake, retained: new Set(), retainedMax: limits.devicesMax }, credentials)
  const server = createServer(socket => {
    socket.setNoDelay(true)
    broker.handle(new DeviceConnection(socket, limits.packetBytesMax, () => { intake.count(FEED, 'packet-too-large') }))
  })
  server.maxConnections = limits.clientsMax
  server.on('drop', () => { intake.count(FEED, 'client-limit') })
  try { await listen(server, host, port) } catch (error) { await closeBroker(broker); throw error }
  const bound = server.address() as AddressInfo
  const since = clock.now()
  return {
    name: 'mqtt',
    endpoint: `mqtt://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    health: () => ({ state: 'up', since, why: '' }),
    async [Symbol.asyncDispose] () {
      const closed = new Promise<void>(resolve => { server.close(() => { resolve() }) })
      await closeBroker(broker)
      const abort = new AbortController()
      await Promise.race([Promise.all([closed, lanes.drained()]), clock.sleep(limits.drainMsMax, abort.signal)])
      abort.abort()
    },
  }
}

async function startBroker (door: Door, credentials: MqttCredentials | undefined): Promise<Aedes> {
  const { intake } = door
  const broker = await Aedes.createBroker({
    queueLimit: PACKETS_BEFORE_CONNACK_MAX,
    authenticate: (_client, username, password, done) => {
      if (credentials === undefined || credentialsMatch(credentials, username, password)) { done(null, true); return }
      intake.count(FEED, 'login-refused')
      done(Object.assign(new Error('bad user name or password'), { returnCode: BAD_USERNAME_OR_PASSWORD }) as AuthenticateError, false)
    },
    authorizeSubscribe: (client, subscription, done) => {
      const allowed = STATUS_FILTER.test(subscription.topic)
      if (!allowed) intake.count(FEED, 'subscription-refused')
      if (!client.clean) subscription.qos = 0 // nothing queues up for a watcher who is away
      done(null, allowed ? subscription : null)
    },
    authorizePublish: (client, packet, settle) => { takeIn(client ?? broker, packet, door, settle) },
  })
  broker.on('clientError', () => { intake.count(FEED, 'client-error') })
  broker.on('connectionError', () => { intake.count(FEED, 'connection-error') })
  broker.on('keepaliveTimeout', () => { intake.count(FEED, 'keepalive-timeout') })
  return broker
}

interface Door {
  readonly inbox: Inbox
  readonly lanes: Lanes
  readonly intake: Intake
  /** Topics that the broker keeps a message of. */
  readonly retained: Set<string>
  readonly retainedMax: number
}

/** The broker acknowledges when `settle` is called without an error, and closes the connection when it is called with one. */
function takeIn (sender: Client | Aedes, packet: PublishPacket, door: Door, settle: Settle): void {
  const { inbox, lanes, intake } = door
  if (packet.topic.startsWith('$')) { settle(new Error('topics of the broker are reserved')); return }
  packet.retain = packet.retain && mayRetain(packet.topic, door)
  const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
  lanes.run(sender, () => inbox.receive(packet.topic, payload), error => {
    if (error !== null) intake.count(FEED, packet.qos === 0 ? `lost-${failureOf(error)}` : `unacknowledged-${failureOf(error)}`)
    settle(error)
  })
}

function mayRetain (topic: string, { retained, retainedMax }: Door): boolean {
  if (!RETAINED_TOPIC.test(topic)) return false
  if (retained.size < retainedMax) retained.add(topic)
  return retained.has(topic)
}

function listen (server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => { reject(listenFailure(error, host, port)) })
    server.listen(port, host, () => { server.removeAllListeners('error'); server.on('error', () => undefined); resolve() })
  })
}

function listenFailure (error: NodeJS.ErrnoException, host: string, port: number): LatidoError {
  return error.code === 'EADDRINUSE'
    ? new LatidoError('PORT_IN_USE', `port ${port} for MQTT is in use`, 'stop the other program, or set LATIDO_MQTT_PORT to a free port', error)
    : new LatidoError('CONFIG_INVALID', `cannot listen for MQTT on ${host}:${port} (${error.code ?? 'unknown'})`, 'set LATIDO_MQTT_PORT and the host to an address of this machine that this user may listen on', error)
}

function closeBroker (broker: Aedes): Promise<void> { return new Promise(resolve => { broker.close(() => { resolve() }) }) }
