/** The online store on Redis: a single server or a cluster, one value per entity, written by one conditional script. */
export { openRedisOnlineStore } from './store.ts'
export { REDIS_DEFAULTS } from './options.ts'
export type { RedisNode, RedisOnlineOptions, RedisTls } from './options.ts'
/** One way to a Redis, opened anew when it fails; for other things that instances share there. */
export { RedisConnection } from './connection.ts'
export { script } from './scripts.ts'
