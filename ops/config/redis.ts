import { z } from 'zod'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import { parseDuration } from '../../streams/time/index.ts'
import { isLoopback } from '../../connectors/kit/index.ts'
import type { Option } from './option.ts'

/** How to reach the Redis of the online store. Secrets are named by their files alone. */
export interface RedisConfig {
  readonly nodes: readonly { readonly host: string, readonly port: number }[]
  readonly tls: boolean
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly user: string
  readonly passwordFile: string
  readonly prefix: string
  /** 0: never. */
  readonly expireAfterMs: number
}

export type RedisOptionName = 'redis' | 'redisUser' | 'redisPasswordFile' | 'redisCaFile' | 'redisCertFile' | 'redisKeyFile' | 'redisPrefix' | 'redisExpire' | 'redisPlain'

export const REDIS_OPTIONS: Readonly<Record<RedisOptionName, Option>> = {
  redis: { env: 'LATIDO_REDIS', fallback: '', help: 'online store on Redis, redis://host:port or rediss://host:port; nodes of a cluster with commas between; default: embedded' },
  redisUser: { env: 'LATIDO_REDIS_USER', fallback: '', help: 'ACL user at Redis; default: its default user' },
  redisPasswordFile: { env: 'LATIDO_REDIS_PASSWORD_FILE', fallback: '', help: 'file with the password of that user; read again at each connection' },
  redisCaFile: { env: 'LATIDO_REDIS_CA_FILE', fallback: '', help: 'PEM file of the authority of its certificate; default: the machine\'s own' },
  redisCertFile: { env: 'LATIDO_REDIS_CERT_FILE', fallback: '', help: 'PEM file of the certificate that we show, for mutual TLS' },
  redisKeyFile: { env: 'LATIDO_REDIS_KEY_FILE', fallback: '', help: 'PEM file of its key' },
  redisPrefix: { env: 'LATIDO_REDIS_PREFIX', fallback: 'latido:', help: 'stands before every key, so that several Latidos share a Redis' },
  redisExpire: { env: 'LATIDO_REDIS_EXPIRE', fallback: 'never', help: 'a patient of whom nothing was written for so long goes from Redis: 90 d' },
  redisPlain: { env: 'LATIDO_REDIS_PLAIN', fallback: 'no', help: 'yes: features of patients go to another machine unencrypted' },
}

const DEFAULT_PORT = 6_379
const PREFIX = /^[A-Za-z0-9._:-]{0,100}$/

interface Node { readonly host: string, readonly port: number, readonly tls: boolean }

const nodes = z.string().transform((text, context) => text.split(',').map(one => one.trim()).filter(one => one !== '').map((one): Node => {
  const url = URL.canParse(one) ? new URL(one) : undefined
  const wrong = url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '' ? 'not redis://host:port or rediss://host:port'
    : url.username !== '' || url.password !== '' ? 'a password stands in the address; give --redis-user and --redis-password-file'
      : !/^\/?0?$/.test(url.pathname) || url.search !== '' ? 'database 0 only, and no parameters' : undefined
  if (url === undefined || wrong !== undefined) { context.addIssue({ code: 'custom', message: wrong ?? '' }); return z.NEVER }
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? DEFAULT_PORT : Number(url.port), tls: url.protocol === 'rediss:' }
}))

const expiry = z.string().transform((text, context) => {
  if (text === 'never') return 0
  try {
    return parseDuration(text)
  } catch (e) {
    context.addIssue({ code: 'custom', message: messageOf(e) })
    return z.NEVER
  }
}).refine(ms => ms === 0 || ms >= 60_000, 'at least 1 m')

/** The checks of each option by itself. */
export const redisShape: Record<RedisOptionName, z.ZodType> = {
  redis: nodes,
  redisUser: z.string(),
  redisPasswordFile: z.string(),
  redisCaFile: z.string(),
  redisCertFile: z.string(),
  redisKeyFile: z.string(),
  redisPrefix: z.string().regex(PREFIX, 'letters, digits, dot, colon, underscore and hyphen only'),
  redisExpire: expiry,
  redisPlain: z.enum(['yes', 'no']),
}

/** The options of Redis as one; undefined: the embedded store. Throws CONFIG_INVALID, UNSAFE_CREDENTIALS or UNSAFE_EXPOSURE. */
export function redisConfigOf (values: Readonly<Record<RedisOptionName, unknown>>): RedisConfig | undefined {
  const text = (name: RedisOptionName): string => values[name] as string
  const list = values.redis as readonly Node[]
  const config: RedisConfig = {
    nodes: list.map(({ host, port }) => ({ host, port })), tls: list.some(({ tls }) => tls),
    caFile: text('redisCaFile'), certFile: text('redisCertFile'), keyFile: text('redisKeyFile'),
    user: text('redisUser'), passwordFile: text('redisPasswordFile'), prefix: text('redisPrefix'), expireAfterMs: values.redisExpire as number,
  }
  const refuse = (what: string, action: string): never => { throw new LatidoError('CONFIG_INVALID', what, action) }
  if (list.length === 0) {
    if (config.user !== '' || config.passwordFile !== '' || config.caFile !== '' || config.certFile !== '') refuse('options of Redis are given without --redis', 'give its address, or leave them out: the embedded store needs none')
    return undefined
  }
  if (list.some(({ tls }) => tls !== config.tls)) refuse('--redis has nodes with and without TLS', 'write rediss:// for all of them, or redis://')
  if (!config.tls && (config.caFile !== '' || config.certFile !== '')) refuse('--redis-ca-file and --redis-cert-file go with rediss://', 'write rediss:// in --redis, or leave the files out')
  if ((config.certFile === '') !== (config.keyFile === '')) refuse('--redis-cert-file and --redis-key-file go together', 'give both, or neither')
  if (config.user !== '' && config.passwordFile === '') refuse('--redis-user is given without --redis-password-file', 'give both, or neither')
  refuseExposed(config, values.redisPlain === 'yes')
  return config
}

/** Features are health data, though under pseudonyms; a password never goes to another machine in the clear. */
function refuseExposed ({ nodes: list, tls, passwordFile }: RedisConfig, allowed: boolean): void {
  const away = list.find(({ host }) => !isLoopback(host))
  if (tls || away === undefined) return
  const action = 'use the TLS port of Redis with rediss://, and --redis-ca-file where its authority is your own'
  if (passwordFile !== '') throw new LatidoError('UNSAFE_CREDENTIALS', `the password of Redis would go to ${away.host} unencrypted`, action)
  if (!allowed) throw new LatidoError('UNSAFE_EXPOSURE', `features of patients would go to the Redis at ${away.host} unencrypted`, `${action}; or say --redis-plain yes where the network between is private`)
}

/** For the log: no path of a secret. */
export function redactedRedis (redis: RedisConfig | undefined): Readonly<Record<string, unknown>> | undefined {
  if (redis === undefined) return undefined
  const shown = (file: string): string => file === '' ? 'none' : 'set'
  return { ...redis, caFile: shown(redis.caFile), certFile: shown(redis.certFile), keyFile: shown(redis.keyFile), passwordFile: shown(redis.passwordFile) }
}
