/** The online store on Redis, and features served from it. */
/** The online store on Redis. */
export { embeddedOwner, openRedisOnline, redisOptionsOf } from './redis-online.ts'
/** Features read online. */
export { openServing, startServing } from './serving.ts'
