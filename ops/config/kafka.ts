import { z } from 'zod'
import { LatidoError } from '../../streams/errors/index.ts'
import { isLoopback } from '../../connectors/kit/index.ts'
import { webAddress, type Option } from './option.ts'

/** How to reach a Kafka cluster and its schema registry. Secrets are named by their files alone. */
export interface KafkaConfig {
  readonly brokers: readonly string[]
  readonly driver: 'auto' | 'direct' | 'native'
  readonly tls: boolean
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly sasl: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer'
  readonly user: string
  readonly passwordFile: string
  readonly tokenFile: string
  readonly replication: number
  readonly compression: 'none' | 'lz4' | 'zstd'
  readonly topicPrefix: string
  readonly registry: RegistryConfig
}

export interface RegistryConfig {
  readonly url: string
  readonly user: string
  readonly passwordFile: string
  readonly tokenFile: string
  readonly caFile: string
}

export type KafkaOptionName =
  | 'kafka' | 'kafkaDriver' | 'kafkaTls' | 'kafkaTlsCaFile' | 'kafkaTlsCertFile' | 'kafkaTlsKeyFile' | 'kafkaSasl' | 'kafkaUser' | 'kafkaPasswordFile' | 'kafkaTokenFile' | 'kafkaReplication' | 'kafkaCompression'
  | 'schemaRegistry' | 'schemaRegistryUser' | 'schemaRegistryPasswordFile' | 'schemaRegistryTokenFile' | 'schemaRegistryCaFile' | 'topicPrefix'

export const KAFKA_OPTIONS: Readonly<Record<KafkaOptionName, Option>> = {
  kafka: { env: 'LATIDO_KAFKA', fallback: '', help: 'brokers of a Kafka cluster, host:port with commas between; default: the embedded log' },
  kafkaDriver: { env: 'LATIDO_KAFKA_DRIVER', fallback: 'auto', help: 'auto, direct (Kafka 4.0 and later) or native (node-rdkafka)' },
  kafkaTls: { env: 'LATIDO_KAFKA_TLS', fallback: 'off', help: 'off or on; the files below switch it on' },
  kafkaTlsCaFile: { env: 'LATIDO_KAFKA_TLS_CA_FILE', fallback: '', help: 'PEM file of the authority of the brokers\' certificates; default: the machine\'s own' },
  kafkaTlsCertFile: { env: 'LATIDO_KAFKA_TLS_CERT_FILE', fallback: '', help: 'PEM file of the certificate that we show, for mutual TLS' },
  kafkaTlsKeyFile: { env: 'LATIDO_KAFKA_TLS_KEY_FILE', fallback: '', help: 'PEM file of its key' },
  kafkaSasl: { env: 'LATIDO_KAFKA_SASL', fallback: 'none', help: 'none, plain, scram-sha-256, scram-sha-512 or oauthbearer' },
  kafkaUser: { env: 'LATIDO_KAFKA_USER', fallback: '', help: 'user of plain and scram' },
  kafkaPasswordFile: { env: 'LATIDO_KAFKA_PASSWORD_FILE', fallback: '', help: 'file with the password of that user' },
  kafkaTokenFile: { env: 'LATIDO_KAFKA_TOKEN_FILE', fallback: '', help: 'file with the token of oauthbearer, a JWT; read again before it expires' },
  kafkaReplication: { env: 'LATIDO_KAFKA_REPLICATION', fallback: '3', help: 'replicas of each topic; from 3 on, two must have a record before it is acknowledged' },
  kafkaCompression: { env: 'LATIDO_KAFKA_COMPRESSION', fallback: 'lz4', help: 'none, lz4 or zstd' },
  schemaRegistry: { env: 'LATIDO_SCHEMA_REGISTRY', fallback: '', help: 'URL of the Confluent API of a schema registry; Kafka needs one' },
  schemaRegistryUser: { env: 'LATIDO_SCHEMA_REGISTRY_USER', fallback: '', help: 'user at the schema registry' },
  schemaRegistryPasswordFile: { env: 'LATIDO_SCHEMA_REGISTRY_PASSWORD_FILE', fallback: '', help: 'file with the password of that user' },
  schemaRegistryTokenFile: { env: 'LATIDO_SCHEMA_REGISTRY_TOKEN_FILE', fallback: '', help: 'file with a bearer token instead; read for each request' },
  schemaRegistryCaFile: { env: 'LATIDO_SCHEMA_REGISTRY_CA_FILE', fallback: '', help: 'PEM file of the authority of its certificate; default: the machine\'s own' },
  topicPrefix: { env: 'LATIDO_TOPIC_PREFIX', fallback: '', help: 'stands before the names of topics, groups and subjects, so that several Latidos share a cluster' },
}

const DEFAULT_PORT = 9_092
const BROKER = /^(?:\[(?<six>[0-9a-f:]+)\]|(?<host>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?$/i
/** Kafka allows 249 characters; the longest name of ours is well below 100. */
const PREFIX = /^[A-Za-z0-9._-]{0,100}$/

const brokers = z.string().transform((text, context) => text.split(',').map(b => b.trim()).filter(b => b !== '').map(broker => {
  const { six, host, port } = BROKER.exec(broker)?.groups ?? {}
  if ((six ?? host) === undefined || Number(port ?? DEFAULT_PORT) > 65_535) { context.addIssue({ code: 'custom', message: 'not host:port' }); return z.NEVER }
  return `${six === undefined ? host : `[${six}]`}:${port ?? DEFAULT_PORT}`
}))

/** The checks of each option by itself. */
export const kafkaShape: Record<KafkaOptionName, z.ZodType> = {
  kafka: brokers,
  kafkaDriver: z.enum(['auto', 'direct', 'native']),
  kafkaTls: z.enum(['off', 'on']),
  kafkaTlsCaFile: z.string(),
  kafkaTlsCertFile: z.string(),
  kafkaTlsKeyFile: z.string(),
  kafkaSasl: z.enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']),
  kafkaUser: z.string(),
  kafkaPasswordFile: z.string(),
  kafkaTokenFile: z.string(),
  kafkaReplication: z.string().regex(/^\d+$/, 'not a number').transform(Number).pipe(z.number().int().min(1).max(15)),
  kafkaCompression: z.enum(['none', 'lz4', 'zstd']),
  schemaRegistry: webAddress,
  schemaRegistryUser: z.string(),
  schemaRegistryPasswordFile: z.string(),
  schemaRegistryTokenFile: z.string(),
  schemaRegistryCaFile: z.string(),
  topicPrefix: z.string().regex(PREFIX, 'letters, digits, dot, underscore and hyphen only'),
}

type Values = Readonly<Record<KafkaOptionName, unknown>>

/** The options of Kafka as one; undefined: the embedded log. Throws CONFIG_INVALID or UNSAFE_CREDENTIALS. */
export function kafkaConfigOf (values: Values): KafkaConfig | undefined {
  const text = (name: KafkaOptionName): string => values[name] as string
  const list = values.kafka as readonly string[]
  const registry = { url: text('schemaRegistry'), user: text('schemaRegistryUser'), passwordFile: text('schemaRegistryPasswordFile'), tokenFile: text('schemaRegistryTokenFile'), caFile: text('schemaRegistryCaFile') }
  if (list.length === 0) {
    if (registry.url !== '') throw new LatidoError('CONFIG_INVALID', '--schema-registry is given without --kafka', 'give both, or neither: the embedded log brings its own registry')
    return undefined
  }
  const config: KafkaConfig = {
    brokers: list, registry,
    driver: values.kafkaDriver as KafkaConfig['driver'],
    tls: text('kafkaTls') === 'on' || text('kafkaTlsCaFile') !== '' || text('kafkaTlsCertFile') !== '',
    caFile: text('kafkaTlsCaFile'), certFile: text('kafkaTlsCertFile'), keyFile: text('kafkaTlsKeyFile'),
    sasl: values.kafkaSasl as KafkaConfig['sasl'], user: text('kafkaUser'), passwordFile: text('kafkaPasswordFile'), tokenFile: text('kafkaTokenFile'),
    replication: values.kafkaReplication as number,
    compression: values.kafkaCompression as KafkaConfig['compression'],
    topicPrefix: text('topicPrefix'),
  }
  refuseIncomplete(config)
  refuseExposed(config)
  return config
}

function refuseIncomplete ({ registry, certFile, keyFile, sasl, user, passwordFile, tokenFile }: KafkaConfig): void {
  const refuse = (what: string, action: string): never => { throw new LatidoError('CONFIG_INVALID', what, action) }
  if (registry.url === '') refuse('--kafka is given without --schema-registry', 'give the URL of a schema registry: what several instances read needs one place for its schemas')
  if ((certFile === '') !== (keyFile === '')) refuse('--kafka-tls-cert-file and --kafka-tls-key-file go together', 'give both, or neither')
  const byPassword = sasl !== 'none' && sasl !== 'oauthbearer'
  if (byPassword !== (user !== '') || byPassword !== (passwordFile !== '')) refuse('--kafka-user and --kafka-password-file go with --kafka-sasl plain or scram', 'give all three, or none')
  if ((sasl === 'oauthbearer') !== (tokenFile !== '')) refuse('--kafka-token-file goes with --kafka-sasl oauthbearer', 'give both, or neither')
  if ((registry.user === '') !== (registry.passwordFile === '')) refuse('--schema-registry-user and --schema-registry-password-file go together', 'give both, or neither')
  if (registry.user !== '' && registry.tokenFile !== '') refuse('--schema-registry-user and --schema-registry-token-file exclude each other', 'give one of them')
}

/** A password or token never goes to another machine in the clear; SCRAM's proof could be worked on offline by who listens. */
function refuseExposed ({ brokers: list, tls, sasl, registry }: KafkaConfig): void {
  const away = list.find(broker => !isLoopback(broker.slice(0, broker.lastIndexOf(':'))))
  if (sasl !== 'none' && !tls && away !== undefined) throw new LatidoError('UNSAFE_CREDENTIALS', `credentials would go to ${away} unencrypted`, 'use the brokers\' TLS listener with --kafka-tls on, or with --kafka-tls-ca-file')
  const { protocol, hostname, host } = new URL(registry.url)
  if ((registry.user !== '' || registry.tokenFile !== '') && protocol === 'http:' && !isLoopback(hostname)) throw new LatidoError('UNSAFE_CREDENTIALS', `credentials would go to ${host} unencrypted`, 'use the https address of the schema registry')
}

/** For the log: no path of a secret. */
export function redactedKafka (kafka: KafkaConfig | undefined): Readonly<Record<string, unknown>> | undefined {
  if (kafka === undefined) return undefined
  const shown = (file: string): string => file === '' ? 'none' : 'set'
  const { registry } = kafka
  return {
    ...kafka, caFile: shown(kafka.caFile), certFile: shown(kafka.certFile), keyFile: shown(kafka.keyFile), passwordFile: shown(kafka.passwordFile), tokenFile: shown(kafka.tokenFile),
    registry: { ...registry, passwordFile: shown(registry.passwordFile), tokenFile: shown(registry.tokenFile), caFile: shown(registry.caFile) },
  }
}
