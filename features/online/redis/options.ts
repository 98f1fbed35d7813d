import type { Clock, DurationMs } from '../../../streams/time/index.ts'

export interface RedisNode { readonly host: string, readonly port: number }
export interface RedisTls { readonly ca?: Buffer, readonly cert?: Buffer, readonly key?: Buffer }

export interface RedisOnlineOptions {
  /** One server, or some nodes of a cluster; the others are found. */
  readonly nodes: readonly RedisNode[]
  readonly tls?: RedisTls
  /** ACL user; the default user where it is absent. */
  readonly username?: string
  /** Asked for at each connection, so that a new one is taken up. */
  readonly password?: () => string
  /** Stands before every key; no braces. */
  readonly prefix: string
  /** The log whose records cause the rows: rows of another are refused (ONLINE_FOREIGN_DATA). */
  readonly owner?: string
  readonly clock: Clock
  readonly connectTimeoutMs: DurationMs
  /** No answer for so long while one is due: the connection is given up. */
  readonly answerTimeoutMs: DurationMs
  /** Between two attempts to connect; meanwhile calls fail at once. */
  readonly reconnectPauseMs: DurationMs
  /** An entity of which nothing was written for so long goes, with all its tables; 0: never. */
  readonly expireAfterMs: DurationMs
  /** One call of the script takes at most so many entities, and about so many bytes: it holds the server meanwhile. */
  readonly batchEntitiesMax: number
  readonly batchBytesMax: number
  readonly batchesInFlightMax: number
}

export const REDIS_DEFAULTS: Omit<RedisOnlineOptions, 'nodes' | 'clock'> = {
  prefix: 'latido:',
  connectTimeoutMs: 5_000,
  answerTimeoutMs: 5_000,
  reconnectPauseMs: 250,
  expireAfterMs: 0,
  batchEntitiesMax: 256,
  batchBytesMax: 1 << 20,
  batchesInFlightMax: 8,
}
