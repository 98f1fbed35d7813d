/** The online store on Redis, and features served from it. */
/** Fills an online store that has lost its rows. */
export { rebuildOnlineOf } from './rebuild-online.ts'
/** The online store on Redis. */
export { embeddedOwner, openRedisOnline, redisOptionsOf } from './redis-online.ts'
/** Features read online. */
export { openServing, startServing } from './serving.ts'
