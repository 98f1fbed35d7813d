import { REGISTRY_DEFAULTS, type RegistryAuth, type RegistryOptions } from '../../../streams/events/index.ts'
import { KAFKA_DEFAULTS, type KafkaOptions, type KafkaSasl, type KafkaTls } from '../../../streams/log/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { KafkaConfig, RegistryConfig } from '../../config/index.ts'
import { jwtOf, pemOf, secretOf } from '../../security/index.ts'

/** Below three replicas a broker that is lost would stop all writing if two had to have each record. */
const REPLICATION_FOR_TWO_IN_SYNC = 3

/** What the drivers need: secrets and certificates are read here, from the files that the configuration names. Throws FILE_UNREADABLE, FILE_INVALID or CREDENTIALS_EXPIRED. */
export function kafkaOptionsOf (config: KafkaConfig, clock: Clock): KafkaOptions {
  const sasl = saslOf(config, clock)
  return {
    ...KAFKA_DEFAULTS,
    brokers: config.brokers,
    driver: config.driver,
    replication: config.replication,
    minInsyncReplicas: config.replication >= REPLICATION_FOR_TWO_IN_SYNC ? 2 : 1,
    compression: config.compression,
    clock,
    ...(config.tls ? { tls: tlsOf(config) } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

function tlsOf ({ caFile, certFile, keyFile }: KafkaConfig): KafkaTls {
  return {
    ...(caFile === '' ? {} : { ca: pemOf('--kafka-tls-ca-file', caFile) }),
    ...(certFile === '' ? {} : { cert: pemOf('--kafka-tls-cert-file', certFile), key: pemOf('--kafka-tls-key-file', keyFile) }),
  }
}

function saslOf ({ sasl, user, passwordFile, tokenFile }: KafkaConfig, clock: Clock): KafkaSasl | undefined {
  if (sasl === 'none') return undefined
  if (sasl !== 'oauthbearer') return { kind: sasl, username: user, password: secretOf('--kafka-password-file', passwordFile) }
  const token = (): ReturnType<typeof jwtOf> => jwtOf('--kafka-token-file', tokenFile, clock)
  token() // an expired token is told now, before anybody connects
  return { kind: 'oauthbearer', token: () => Promise.resolve().then(token) }
}

export function registryOptionsOf (config: RegistryConfig, clock: Clock): RegistryOptions {
  const auth = authOf(config)
  return {
    ...REGISTRY_DEFAULTS, url: config.url, clock,
    ...(auth === undefined ? {} : { auth }),
    ...(config.caFile === '' ? {} : { ca: pemOf('--schema-registry-ca-file', config.caFile) }),
  }
}

function authOf ({ user, passwordFile, tokenFile }: RegistryConfig): RegistryAuth | undefined {
  if (user !== '') return { kind: 'basic', username: user, password: secretOf('--schema-registry-password-file', passwordFile) }
  if (tokenFile !== '') return { kind: 'bearer', token: () => secretOf('--schema-registry-token-file', tokenFile) }
  return undefined
}
