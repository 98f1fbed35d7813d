import { expect, it } from 'vitest'
import { describeWith, startRedis, startRedisCluster } from './index.ts'

const describeRedis = await describeWith('redis')
describeRedis('a real Redis', { timeout: 60_000 }, () => {
  it('starts, is killed and starts again at its place, empty', async () => {
    await using redis = await startRedis()
    expect(redis.cli('set', 'a', '1')).toBe('OK')
    await redis.kill()
    expect(redis.running).toBe(false)
    await redis.start()
    expect(redis.cli('exists', 'a')).toBe('0')
  })
})

const describeCluster = await describeWith('redisCluster')
describeCluster('a real Redis cluster', { timeout: 60_000 }, () => {
  it('has three masters that share the slots', async () => {
    await using cluster = await startRedisCluster()
    expect(cluster.nodes.map(node => /cluster_slots_ok:(\d+)/.exec(node.cli('cluster', 'info'))?.[1])).toEqual(['16384', '16384', '16384'])
    expect(() => cluster.nodes.map(node => node.cli('set', 'a', '1'))).toThrow('MOVED')
  })
})

const describeStack = await describeWith('redisStack')
describeStack('a real Redis Stack', { timeout: 60_000 }, () => {
  it('has search and JSON', async () => {
    await using redis = await startRedis({ stack: true })
    expect(redis.cli('FT._LIST')).toBe('')
    expect(redis.cli('JSON.SET', 'a', '$', '{"b":1}')).toBe('OK')
  })
})
