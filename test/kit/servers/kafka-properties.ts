import { join } from 'node:path'

export type ListenerName = 'plaintext' | 'tls' | 'sasl-plain' | 'scram' | 'scram-tls' | 'oauthbearer'

interface Listener { readonly id: string, readonly protocol: string, readonly tls: boolean, readonly mechanisms: readonly string[] }

/** What clients may ask for. `scram` takes SCRAM-SHA-256 and SCRAM-SHA-512. */
export const LISTENERS: Readonly<Record<ListenerName, Listener>> = {
  plaintext: { id: 'CLIENTS', protocol: 'PLAINTEXT', tls: false, mechanisms: [] },
  tls: { id: 'TLS', protocol: 'SSL', tls: true, mechanisms: [] },
  'sasl-plain': { id: 'PLAIN', protocol: 'SASL_PLAINTEXT', tls: false, mechanisms: ['PLAIN'] },
  scram: { id: 'SCRAM', protocol: 'SASL_PLAINTEXT', tls: false, mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512'] },
  'scram-tls': { id: 'SCRAMTLS', protocol: 'SASL_SSL', tls: true, mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512'] },
  oauthbearer: { id: 'OAUTH', protocol: 'SASL_PLAINTEXT', tls: false, mechanisms: ['OAUTHBEARER'] },
}

/** The one user of PLAIN and SCRAM, and of the key store. */
export const USER: { readonly name: string, readonly password: string } = { name: 'latido', password: 'only-for-tests' }

export interface BrokerPorts {
  readonly controller: number
  readonly internal: number
  readonly clients: Readonly<Partial<Record<ListenerName, number>>>
  readonly lanes: readonly { readonly broker: number, readonly proxy: number }[]
}

export interface BrokerSetting {
  readonly node: number
  readonly all: readonly BrokerPorts[]
  readonly replication: number
  readonly directory: string
  readonly tlsDirectory: string
  readonly config: Readonly<Record<string, string>>
}

/** Short times, small files, few partitions of the internal topics: a broker that is ready and moves on quickly. */
const QUICK: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'num.network.threads': '1', 'num.io.threads': '4', 'background.threads': '2', 'num.replica.fetchers': '1', 'num.recovery.threads.per.data.dir': '1',
  'offsets.topic.num.partitions': '4', 'transaction.state.log.num.partitions': '4',
  'share.coordinator.state.topic.num.partitions': '1', 'share.coordinator.state.topic.replication.factor': '1', 'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0', 'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000', 'group.consumer.session.timeout.ms': '3000',
  'group.consumer.min.heartbeat.interval.ms': '100', 'group.consumer.heartbeat.interval.ms': '500',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500',
  'controller.quorum.election.timeout.ms': '500', 'controller.quorum.fetch.timeout.ms': '1500', 'controller.quorum.election.backoff.max.ms': '500',
  'replica.fetch.wait.max.ms': '100', 'replica.lag.time.max.ms': '5000', 'controlled.shutdown.enable': 'true',
  'log.initial.task.delay.ms': '100', 'log.cleaner.backoff.ms': '200', 'log.cleaner.dedupe.buffer.size': '4194304', 'log.segment.delete.delay.ms': '1000', 'log.retention.check.interval.ms': '1000',
  'message.max.bytes': '20971520', 'replica.fetch.max.bytes': '20971520',
}

export function brokerProperties ({ node, all, replication, directory, tlsDirectory, config }: BrokerSetting): string {
  const ports = all[node - 1]
  if (ports === undefined) throw new Error(`no node ${node}`)
  const clients = Object.entries(ports.clients).map(([name, port]) => ({ ...LISTENERS[name as ListenerName], port, advertised: port }))
  const lanes = ports.lanes.map(({ broker, proxy }, i) => ({ id: `LANE${i}`, protocol: 'PLAINTEXT', tls: false, mechanisms: [], port: broker, advertised: proxy }))
  const listeners = [{ id: 'INTERNAL', protocol: 'PLAINTEXT', tls: false, mechanisms: [], port: ports.internal, advertised: ports.internal }, ...clients, ...lanes]
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(node),
    'controller.quorum.voters': all.map((p, i) => `${i + 1}@127.0.0.1:${p.controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    listeners: [`CONTROLLER://127.0.0.1:${ports.controller}`, ...listeners.map(l => `${l.id}://127.0.0.1:${l.port}`)].join(','),
    'advertised.listeners': listeners.map(l => `${l.id}://127.0.0.1:${l.advertised}`).join(','),
    'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', ...listeners.map(l => `${l.id}:${l.protocol}`)].join(','),
    'log.dirs': join(directory, 'data'),
    'default.replication.factor': String(replication),
    'min.insync.replicas': String(Math.max(1, replication - 1)),
    'offsets.topic.replication.factor': String(replication),
    'transaction.state.log.replication.factor': String(replication),
    'transaction.state.log.min.isr': String(Math.max(1, replication - 1)),
    ...QUICK,
  }
  for (const { id, tls, mechanisms } of listeners) Object.assign(properties, tls ? tlsOf(id, tlsDirectory) : {}, mechanisms.length > 0 ? saslOf(id, mechanisms) : {})
  return Object.entries({ ...properties, ...config }).map(([key, value]) => `${key}=${value}\n`).join('')
}

function tlsOf (id: string, directory: string): Record<string, string> {
  const at = `listener.name.${id.toLowerCase()}.ssl.`
  return { [`${at}keystore.type`]: 'PKCS12', [`${at}keystore.location`]: join(directory, 'broker.p12'), [`${at}keystore.password`]: USER.password, [`${at}enabled.protocols`]: 'TLSv1.3' }
}

/** OAUTHBEARER without a class of its own takes unsecured tokens: Kafka's handler for tests (RFC 7515, appendix A.5). */
function saslOf (id: string, mechanisms: readonly string[]): Record<string, string> {
  const at = `listener.name.${id.toLowerCase()}.`
  const login: Readonly<Record<string, string>> = {
    PLAIN: `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USER.name}="${USER.password}";`,
    OAUTHBEARER: 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
  }
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  return Object.fromEntries([
    [`${at}sasl.enabled.mechanisms`, mechanisms.join(',')],
    ...mechanisms.map(m => [`${at}${m.toLowerCase()}.sasl.jaas.config`, login[m] ?? scram]),
  ])
}

/** A token as the `oauthbearer` listener takes it: not signed. */
export function unsecuredToken (subject: string, lifetimeMs: number = 3_600_000): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const issued = Math.floor(Date.now() / 1_000)
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: issued, exp: issued + Math.floor(lifetimeMs / 1_000) })}.`
}
