/** The online store: latest row per (table, entity), versioned writes; embedded in LMDB, or on Redis. */
export type { OnlineRow, OnlineStore, StoredRow } from './port.ts'
export { openEmbeddedOnlineStore } from './embedded/store.ts'
/** The same on Redis; the client is loaded when it is opened. */
export { openRedisOnlineStore, REDIS_DEFAULTS, RedisConnection, script } from './redis/index.ts'
export type { RedisNode, RedisOnlineOptions, RedisTls } from './redis/index.ts'
/** A store whose writes wait while it is away: the processors' side. */
export { waitingOnlineStore } from './waiting.ts'
export type { WaitingOptions, WaitingStore } from './waiting.ts'
