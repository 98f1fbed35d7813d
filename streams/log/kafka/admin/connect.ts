import type { Admin, SASLOptions } from 'kafkajs'
import { LatidoError, messageOf } from '../../../errors/index.ts'
import type { Clock, DurationMs } from '../../../time/index.ts'
import type { KafkaOptions, KafkaSasl, KafkaTls } from '../options.ts'

/** What the administration needs of the options. */
export type TopicAdminOptions = Pick<KafkaOptions, 'brokers' | 'clientId' | 'tls' | 'sasl' | 'requestTimeoutMs' | 'clock'>

/** A connection that administrates: it never deletes a topic, and consumes and produces nothing. */
export interface TopicAdmin extends AsyncDisposable {
  readonly clock: Clock
  readonly requestTimeoutMs: DurationMs
  /** Calls kafkajs and turns what it throws into errors of ours. */
  ask<T> (what: string, call: (admin: Admin) => Promise<T>): Promise<T>
}

/** Throws BROKER_UNREACHABLE or BROKER_AUTHENTICATION_FAILED. */
export async function openTopicAdmin (options: TopicAdminOptions): Promise<TopicAdmin> {
  const { Kafka, logLevel } = await import('kafkajs')
  const kafka = new Kafka({
    clientId: `${options.clientId}-admin`,
    brokers: [...options.brokers],
    ...(options.tls === undefined ? {} : { ssl: sslOf(options.tls) }),
    ...(options.sasl === undefined ? {} : { sasl: saslOf(options.sasl) }),
    connectionTimeout: Math.min(10_000, options.requestTimeoutMs),
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: { retries: 4, initialRetryTime: 200, maxRetryTime: 2_000 },
    logLevel: logLevel.NOTHING,
  })
  const admin = kafka.admin()
  const ask = async <T>(what: string, call: (admin: Admin) => Promise<T>): Promise<T> => {
    try { return await call(admin) } catch (e) { throw adminError(what, options.brokers, e) }
  }
  await ask('connect', () => admin.connect())
  return { ask, clock: options.clock, requestTimeoutMs: options.requestTimeoutMs, [Symbol.asyncDispose]: () => admin.disconnect() }
}

function sslOf ({ ca, cert, key, servername }: KafkaTls): { ca?: Buffer[], cert?: Buffer, key?: Buffer, servername?: string } {
  return { ...(ca && { ca: [ca] }), ...(cert && { cert }), ...(key && { key }), ...(servername !== undefined && { servername }) }
}

function saslOf (sasl: KafkaSasl): SASLOptions {
  switch (sasl.kind) {
    case 'oauthbearer': return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: (await sasl.token()).token }) }
    case 'plain': return { mechanism: 'plain', username: sasl.username, password: sasl.password }
    case 'scram-sha-256': return { mechanism: 'scram-sha-256', username: sasl.username, password: sasl.password }
    case 'scram-sha-512': return { mechanism: 'scram-sha-512', username: sasl.username, password: sasl.password }
  }
}

interface Wrapped { readonly name?: string, readonly type?: string, readonly cause?: unknown, readonly errors?: readonly unknown[] }

/** kafkajs wraps: the reason stands at the end of the chain of causes. */
function adminError (what: string, brokers: readonly string[], e: unknown): LatidoError {
  const chain = causes(e)
  const names = chain.map(c => (c as Wrapped).name ?? '')
  const reason = chain.map(messageOf).at(-1) ?? ''
  if (names.some(n => n.includes('SASL')) || chain.some(c => /certificate|self.signed|SSL|TLS|alert/i.test(messageOf(c)))) {
    return new LatidoError('BROKER_AUTHENTICATION_FAILED', `the brokers ${brokers.join(', ')} did not let us in: ${reason}`, 'check the credentials, the certificates, and that the port is a listener of that kind', e)
  }
  // kafkajs throws a plain Error where the connection went away between two calls
  if (names.some(n => /Connection|Timeout|BrokerNotFound|NoBrokerAvailable|Retries/.test(n)) || reason === 'Broker not connected') {
    return new LatidoError('BROKER_UNREACHABLE', `the brokers ${brokers.join(', ')} do not answer (${what}): ${reason}`, 'check the addresses, and that the brokers run and can be reached from here', e)
  }
  return new LatidoError('BROKER_REFUSED', `the brokers refused to ${what}: ${reason}`, 'look the reason up in Kafka\'s list of errors; for an authorization, allow the user DESCRIBE, CREATE and ALTER_CONFIGS on the topics', e)
}

function causes (e: unknown): readonly unknown[] {
  const { cause, errors } = (e ?? {}) as Wrapped
  return [e, ...(cause === undefined || cause === null ? [] : causes(cause)), ...(errors ?? []).flatMap(causes)]
}
