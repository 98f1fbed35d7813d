import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { Aedes } from 'aedes'
import type { AuthenticateError, Client, PublishPacket } from 'aedes'
import { LatidoError } from '../../streams/errors/index.ts'
import { Feed, fixedMapping, type KeptTable } from '../kit/index.ts'
import type { Connector, ConnectorHealth, Intake } from '../kit/port.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { DeviceRow } from './associations.ts'
import { DeviceConnection } from './connection.ts'
import { credentialsMatch, refuseWithoutCredentials } from './credentials.ts'
import { devicesOf } from './devices.ts'
import { failureOf, Inbox } from './inbox.ts'
import { Lanes } from './lanes.ts'
import { Losses } from './losses.ts'
import type { Settle } from './lanes.ts'
import { mqttMapper } from './mapper.ts'
import { DEVICE_OPTIONS, ENDPOINT_LIMITS } from './options.ts'
import type { Association, DeviceOptions, EndpointLimits, MqttCredentials } from './options.ts'

const BAD_USERNAME_OR_PASSWORD = 4
/** Only these may be subscribed to: numerics and associations name patients. */
const STATUS_FILTER = /^latido\/devices\/[^/]+\/status$/
/** Only these are kept by the broker for later subscribers. */
const RETAINED_TOPIC = /^latido\/devices\/[A-Za-z0-9._:-]{1,64}\/status$/
/** Of messages with QoS 2 that one client began and did not finish: as many as it has identifiers for. They are stored without their payload. */
const UNFINISHED_MAX = 65_535
const NO_BYTES = Buffer.alloc(0)

export interface EndpointOptions {
  /** Only loopback without credentials. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly feed: Feed
  /** Of the feed's mapper: the same object. */
  readonly options: DeviceOptions & EndpointLimits
  readonly clock: Clock
  readonly memory: KeptTable<DeviceRow | Association> | undefined
  readonly credentials: MqttCredentials | undefined
  /** For operators: changes of state. */
  readonly say?: (line: string) => void
}

/** Where no feed is configured: the plain mapping. */
export interface MqttOptions extends Partial<DeviceOptions> {
  readonly host: string
  readonly port: number
  readonly intake: Intake
  readonly clock: Clock
  readonly memory?: KeptTable<DeviceRow | Association>
  readonly credentials?: MqttCredentials
  readonly limits?: Partial<DeviceOptions & EndpointLimits>
}

export async function startMqtt ({ host, port, intake, clock, memory, credentials, limits, ...more }: MqttOptions): Promise<Connector> {
  const options: DeviceOptions & EndpointLimits = { ...DEVICE_OPTIONS, ...ENDPOINT_LIMITS, ...more, ...limits }
  const feed = new Feed({ name: 'mqtt', kind: 'mqtt', intake, mapping: fixedMapping(), map: mqttMapper(options, devicesOf(options)) })
  return await startEndpoint({ host, port, feed, options, clock, memory, credentials })
}

/**
 * Starts the MQTT endpoint (3.1.1 and 5; QoS 0, 1, 2). With QoS 1 and 2 an acknowledgement means that the log has the message; when the log
 * is away the connection is closed without one, so the device sends again. Throws PORT_IN_USE, UNSAFE_EXPOSURE, CONFIG_INVALID.
 */
export async function startEndpoint ({ host, port, feed, options, clock, memory, credentials, say = () => {} }: EndpointOptions): Promise<Connector> {
  refuseWithoutCredentials(host, credentials)
  const devices = devicesOf(options)
  devices.open(memory)
  const inbox = new Inbox(feed, devices)
  const lanes = new Lanes()
  let health: ConnectorHealth = { state: 'up', since: clock.now(), why: '' }
  const turn = (state: ConnectorHealth['state'], why: string): void => { if (health.state !== state) health = { state, since: clock.now(), why } }
  const losses = new Losses(feed, say)
  const door: Door = { inbox, lanes, feed, losses, retained: new Set(), retainedMax: options.devicesMax, turn }
  const broker = await startBroker(door, credentials, options.connectMsMax)
  let connections = 0
  const server = createServer(socket => {
    if (connections >= options.clientsMax * 2) { feed.count('client-limit'); socket.destroy(); return } // of those that closed some are still being read
    connections++
    socket.setNoDelay(true)
    const connection = new DeviceConnection(socket, options.packetBytesMax, clock, {
      oversize: () => { feed.count('packet-too-large') },
      malformed: () => { feed.count('client-error') },
      reset: () => { feed.count('connection-reset') },
      lost: n => { losses.add('connection-closed', n) },
    })
    connection.once('close', () => { connections-- })
    broker.handle(connection)
  })
  server.maxConnections = options.clientsMax
  server.on('drop', () => { feed.count('client-limit') })
  try { await listen(server, host, port) } catch (error) { await closeBroker(broker); throw error }
  const bound = server.address() as AddressInfo
  return {
    name: feed.name,
    endpoint: `mqtt://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    health: () => health.why === '' ? { ...health, why: losses.why } : health,
    clocks: () => devices.clocks(feed.intake.now()),
    async [Symbol.asyncDispose] () {
      const closed = new Promise<void>(resolve => { server.close(() => { resolve() }) })
      await closeBroker(broker)
      const abort = new AbortController()
      await Promise.race([Promise.all([closed, lanes.drained()]), clock.sleep(options.drainMsMax, abort.signal)])
      abort.abort()
    },
  }
}

async function startBroker (door: Door, credentials: MqttCredentials | undefined, connectTimeout: number): Promise<Aedes> {
  const { feed } = door
  const broker = await Aedes.createBroker({
    connectTimeout,
    maxInflightInbound: UNFINISHED_MAX,
    authenticate: (_client, username, password, done) => {
      if (credentials === undefined || credentialsMatch(credentials, username, password)) { done(null, true); return }
      feed.count('login-refused')
      done(Object.assign(new Error('bad user name or password'), { returnCode: BAD_USERNAME_OR_PASSWORD }) as AuthenticateError, false)
    },
    authorizeSubscribe: (client, subscription, done) => {
      const allowed = STATUS_FILTER.test(subscription.topic)
      if (!allowed) feed.count('subscription-refused')
      if (!client.clean) subscription.qos = 0 // nothing queues up for a watcher who is away
      done(null, allowed ? subscription : null)
    },
    authorizePublish: (client, packet, settle) => { takeIn(client ?? broker, packet, door, settle) },
  })
  broker.on('clientReady', client => { if (client.conn instanceof DeviceConnection) client.conn.letIn() })
  broker.on('clientError', client => { if (!client.closed) feed.count('client-error') }) // of one that has left there is one for each answer that it did not wait for
  broker.on('connectionError', () => { feed.count('connection-error') })
  broker.on('keepaliveTimeout', () => { feed.count('keepalive-timeout') })
  return broker
}

interface Door {
  readonly inbox: Inbox
  readonly lanes: Lanes
  readonly feed: Feed
  readonly losses: Losses
  /** Topics that the broker keeps a message of. */
  readonly retained: Set<string>
  readonly retainedMax: number
  /** The health: whether the log takes messages. */
  turn (state: ConnectorHealth['state'], why: string): void
}

/**
 * The broker acknowledges when `settle` is called without an error, and closes the connection when it is called with one. A message with QoS 0 that cannot
 * be taken is lost whatever becomes of the connection, so it stays open.
 */
function takeIn (sender: Client | Aedes, packet: PublishPacket, door: Door, settle: Settle): void {
  const { inbox, lanes, feed, losses, turn } = door
  const connection = 'conn' in sender && sender.conn instanceof DeviceConnection ? sender.conn : undefined
  if (packet.topic.startsWith('$')) { settle(new Error('topics of the broker are reserved')); return }
  packet.retain = packet.retain && mayRetain(packet.topic, door)
  const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
  const tell = (error: unknown): void => { if (error === null) turn('up', ''); else turn('waiting', 'the log does not take messages') }
  const take = (): Promise<void> => inbox.receive(packet.topic, payload)
  if (packet.qos === 0) {
    if (sender instanceof Aedes || !sender.closed) connection?.took() // a will is none of what it sent
    lanes.run(connection ?? door, () => take().then(() => { tell(null) }, (error: unknown) => { tell(error); losses.add(failureOf(error)) }), settle)
    return
  }
  lanes.run(sender, take, error => {
    tell(error)
    if (error !== null) feed.count(`unacknowledged-${failureOf(error)}`)
    settle(error)
  })
  if (!RETAINED_TOPIC.test(packet.topic)) packet.payload = NO_BYTES // nobody may subscribe to it, and the broker keeps what is unfinished
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
    ? new LatidoError('PORT_IN_USE', `port ${port} for MQTT is in use`, 'stop the other program, or choose another port for the feed (without --feeds: LATIDO_MQTT_PORT)', error)
    : new LatidoError('CONFIG_INVALID', `cannot listen for MQTT on ${host}:${port} (${error.code ?? 'unknown'})`, 'set LATIDO_MQTT_PORT and the host to an address of this machine that this user may listen on', error)
}

function closeBroker (broker: Aedes): Promise<void> { return new Promise(resolve => { broker.close(() => { resolve() }) }) }
