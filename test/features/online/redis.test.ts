import { openRedisOnlineStore, REDIS_DEFAULTS } from '../../../features/online/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { requireServer, startRedis, startRedisCluster } from '../../kit/servers/index.ts'
import { onlineStoreContract } from './contract.ts'
import { it } from 'vitest'

if (await requireServer('redis')) {
  onlineStoreContract({
    name: 'Redis',
    prepare: async () => {
      const redis = await startRedis()
      return { open: () => openRedisOnlineStore({ ...REDIS_DEFAULTS, nodes: [{ host: '127.0.0.1', port: redis.port }], clock: systemClock }), [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() }
    },
  })
} else it.skip('a real Redis is missing')

if (await requireServer('redisCluster')) {
  onlineStoreContract({
    name: 'Redis Cluster',
    prepare: async () => {
      const cluster = await startRedisCluster()
      return { open: () => openRedisOnlineStore({ ...REDIS_DEFAULTS, nodes: cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })), clock: systemClock }), [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() }
    },
  })
} else it.skip('a real Redis Cluster is missing')
