import { z } from 'zod'
import { LatidoError } from '../../streams/errors/index.ts'
import { parseDuration } from '../../streams/time/index.ts'
import { isLoopback } from '../../connectors/kit/index.ts'
import { webAddress, type Option } from './option.ts'

/** A ClickHouse server in place of the embedded engine. Secrets are named by their files alone. */
export interface ClickHouseConfig {
  readonly url: string
  readonly user: string
  readonly passwordFile: string
  readonly database: string
  readonly caFile: string
}

/** How long and where the offline store keeps what it has. undefined: for ever, where it is. */
export interface TiersConfig {
  readonly deviceMs?: number
  readonly cold?: { readonly afterMs: number, readonly volume: string }
}

export type ClickHouseOptionName = 'clickhouse' | 'clickhouseUser' | 'clickhousePasswordFile' | 'clickhouseDatabase' | 'clickhouseCaFile' | 'clickhousePlain' | 'deviceRetention' | 'coldAfter' | 'coldVolume'

export const CLICKHOUSE_OPTIONS: Readonly<Record<ClickHouseOptionName, Option>> = {
  clickhouse: { env: 'LATIDO_CLICKHOUSE', fallback: '', help: 'URL of a ClickHouse server (its HTTP interface) as the offline store; default: the embedded engine' },
  clickhouseUser: { env: 'LATIDO_CLICKHOUSE_USER', fallback: 'default', help: 'user at the ClickHouse server' },
  clickhousePasswordFile: { env: 'LATIDO_CLICKHOUSE_PASSWORD_FILE', fallback: '', help: 'file with the password of that user' },
  clickhouseDatabase: { env: 'LATIDO_CLICKHOUSE_DATABASE', fallback: 'latido', help: 'its database; made where it is missing' },
  clickhouseCaFile: { env: 'LATIDO_CLICKHOUSE_CA_FILE', fallback: '', help: 'PEM file of the authority of its certificate; default: the machine\'s own' },
  clickhousePlain: { env: 'LATIDO_CLICKHOUSE_PLAIN', fallback: 'no', help: 'yes: send patients\' values to another machine unencrypted' },
  deviceRetention: { env: 'LATIDO_DEVICE_RETENTION', fallback: '', help: 'how long the offline store keeps raw readings of devices, such as "90 d"; their one-minute rollups stay; default: for ever' },
  coldAfter: { env: 'LATIDO_COLD_AFTER', fallback: '', help: 'observations and vectors older than this move to the volume of --cold-volume' },
  coldVolume: { env: 'LATIDO_COLD_VOLUME', fallback: '', help: 'a volume of the storage policy of the ClickHouse server' },
}

const duration = z.string().refine(text => { try { return text === '' || parseDuration(text) >= 86_400_000 } catch { return false } }, 'not a duration of at least "1 d"')

/** The checks of each option by itself. */
export const clickHouseShape: Record<ClickHouseOptionName, z.ZodType> = {
  clickhouse: webAddress,
  clickhouseUser: z.string().min(1),
  clickhousePasswordFile: z.string(),
  clickhouseDatabase: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'letters, digits and underscore only'),
  clickhouseCaFile: z.string(),
  clickhousePlain: z.enum(['yes', 'no']),
  deviceRetention: duration,
  coldAfter: duration,
  coldVolume: z.string().regex(/^[A-Za-z0-9_-]{0,100}$/, 'letters, digits, underscore and hyphen only'),
}

type Values = Readonly<Record<ClickHouseOptionName, unknown>>

/** undefined: the embedded engine. Throws CONFIG_INVALID or UNSAFE_CREDENTIALS. */
export function clickHouseConfigOf (values: Values): ClickHouseConfig | undefined {
  const text = (name: ClickHouseOptionName): string => values[name] as string
  const url = text('clickhouse')
  const caFile = text('clickhouseCaFile')
  if (url === '') {
    if (text('clickhousePasswordFile') !== '' || caFile !== '') throw new LatidoError('CONFIG_INVALID', '--clickhouse-password-file or --clickhouse-ca-file is given without --clickhouse', 'give the server\'s URL, or neither: the embedded engine needs none')
    return undefined
  }
  const { protocol, hostname, host } = new URL(url)
  if (protocol === 'http:' && caFile !== '') throw new LatidoError('CONFIG_INVALID', '--clickhouse-ca-file goes with an https address', 'give the https address of the server')
  if (protocol === 'http:' && !isLoopback(hostname) && values.clickhousePlain !== 'yes') throw new LatidoError('UNSAFE_CREDENTIALS', `patients' values would go to ${host} unencrypted`, 'use the https address of the ClickHouse server, or say --clickhouse-plain yes')
  return { url, user: text('clickhouseUser'), passwordFile: text('clickhousePasswordFile'), database: text('clickhouseDatabase'), caFile }
}

/** Throws CONFIG_INVALID. */
export function tiersConfigOf (values: Values): TiersConfig {
  const text = (name: ClickHouseOptionName): string => values[name] as string
  const ms = (name: ClickHouseOptionName): number => parseDuration(text(name))
  if ((text('coldAfter') === '') !== (text('coldVolume') === '')) throw new LatidoError('CONFIG_INVALID', '--cold-after and --cold-volume go together', 'give both, or neither')
  return { ...(text('deviceRetention') === '' ? {} : { deviceMs: ms('deviceRetention') }), ...(text('coldAfter') === '' ? {} : { cold: { afterMs: ms('coldAfter'), volume: text('coldVolume') } }) }
}

/** For the log: no path of a secret. */
export function redactedClickHouse (config: ClickHouseConfig | undefined): Readonly<Record<string, unknown>> | undefined {
  if (config === undefined) return undefined
  return { ...config, passwordFile: config.passwordFile === '' ? 'none' : 'set', caFile: config.caFile === '' ? 'none' : 'set' }
}
