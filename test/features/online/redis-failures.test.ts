import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openRedisOnlineStore, REDIS_DEFAULTS, waitingOnlineStore, type OnlineStore, type RedisOnlineOptions } from '../../../features/online/index.ts'
import { bucketOf, entityKey } from '../../../features/online/redis/keys.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { describeWith, FaultProxy, startRedis, startRedisCluster, until, type RedisServer } from '../../kit/servers/index.ts'
import { row } from './contract.ts'

const open = (port: number, more: Partial<RedisOnlineOptions> = {}): Promise<OnlineStore> => openRedisOnlineStore({ ...REDIS_DEFAULTS, reconnectPauseMs: 20, nodes: [{ host: '127.0.0.1', port }], clock: systemClock, ...more })
const versions = async (store: OnlineStore, tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (number | undefined)[])[]> => (await store.get(tables, entities)).map(rows => rows.map(r => r?.version))

const describeRedis = await describeWith('redis')
describeRedis('the online store on a Redis that fails', () => {
  let redis: RedisServer
  beforeEach(async () => { redis = await startRedis() })
  afterEach(async () => { await redis[Symbol.asyncDispose]() })

  it('leaves each entity whole when the connection is cut in the middle of a batch, and is complete when it is said again', async () => {
    await using proxy = await FaultProxy.open(redis.port)
    await using store = await open(proxy.port)
    const entities = Array.from({ length: 4_000 }, (_, i) => `e${i}`)
    const put = (version: number): Promise<void> => store.put(entities.flatMap(entity => [row('t', entity, version, 'x'.repeat(200)), row('u', entity, version, 'y'.repeat(200))]))
    await put(1)
    let cutInside = 0
    for (const [i, bytes] of [40_000, 400_000, 900_000, 1_500_000].entries()) {
      proxy.cutAfter('up', bytes)
      await expect(put(i + 2)).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
      await until('Redis to be back', 60_000, () => store.put([row('other', 'other', i)]).then(() => true, () => false))
      const seen = await versions(store, ['t', 'u'], entities)
      expect(seen.filter(([t, u]) => t !== u)).toEqual([])
      if (new Set(seen.map(([t]) => t)).size === 2) cutInside++
      await put(i + 2)
      expect(new Set((await versions(store, ['t', 'u'], entities)).flat())).toEqual(new Set([i + 2]))
    }
    expect(cutInside).toBeGreaterThan(0)
  })

  it('gives up a server that takes the connection and says nothing, when it connects and later', async () => {
    await using proxy = await FaultProxy.open(redis.port)
    let opened: OnlineStore | undefined
    await until('an answer in so short a time', 60_000, async () => { opened = await open(proxy.port, { answerTimeoutMs: 300 }).catch(() => undefined); return opened !== undefined })
    await using store = opened!
    await proxy.set({ kind: 'hold', direction: 'down' })
    await expect(store.put([row('t', 'a', 1)])).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
    await expect(open(proxy.port, { connectTimeoutMs: 300 })).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE', message: expect.stringContaining(`127.0.0.1:${proxy.port}`) })
    await proxy.set({ kind: 'open' })
    await until('Redis to be back', 60_000, () => store.put([row('t', 'a', 2)]).then(() => true, () => false))
  })

  it('goes on when Redis was killed and comes back empty: what is written then is there, what was written before is not', async () => {
    const changes: string[] = []
    await using store = waitingOnlineStore(await open(redis.port), { clock: systemClock, onChange: (state, why) => { changes.push(why?.code ?? state) } })
    await store.put([row('t', 'before', 1)])
    await redis.kill()
    await expect(store.get(['t'], ['before'])).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
    const writing = store.put([row('t', 'meanwhile', 2)])
    await until('the write to wait', 60_000, () => store.state === 'away')
    await redis.start()
    await writing
    expect([await versions(store, ['t'], ['before', 'meanwhile']), changes]).toEqual([[[undefined], [2]], ['ONLINE_UNAVAILABLE', 'on']])
  })

  it('sends its scripts again to a server that has forgotten them', async () => {
    await using store = await open(redis.port)
    await store.put([row('t', 'a', 1)])
    redis.cli('script', 'flush')
    await store.put([row('t', 'a', 2)])
    redis.cli('script', 'flush')
    await store.erase('a')
    expect(redis.cli('dbsize')).toBe('0')
  })

  it('waits for room where Redis is full, having written nothing of the batch, and says ONLINE_FULL', async () => {
    await using store = waitingOnlineStore(await open(redis.port), { clock: systemClock, onChange: () => {} })
    await store.put([row('t', 'a', 1)])
    const keys = redis.cli('dbsize')
    redis.cli('config', 'set', 'maxmemory', '1')
    const direct = await open(redis.port)
    await expect(direct.put([row('t', 'a', 2), row('t', 'b', 2)])).rejects.toMatchObject({ code: 'ONLINE_FULL' })
    await direct[Symbol.asyncDispose]()
    expect([await versions(store, ['t'], ['a', 'b']), redis.cli('dbsize')]).toEqual([[[1], [undefined]], keys])
    const writing = store.put([row('t', 'a', 3)])
    await until('the write to wait', 60_000, () => store.state === 'away')
    redis.cli('config', 'set', 'maxmemory', '0')
    await writing
    expect(await versions(store, ['t'], ['a'])).toEqual([[3]])
  })

  it('refuses a replica at the start, and waits where its server has become one', async () => {
    await using primary = await startRedis()
    await using store = await open(redis.port)
    redis.cli('replicaof', '127.0.0.1', String(primary.port))
    await until('the replica to be one', 60_000, () => redis.cli('info', 'replication').includes('master_link_status:up'))
    await expect(store.put([row('t', 'a', 1)])).rejects.toMatchObject({ code: 'ONLINE_READ_ONLY' })
    await expect(open(redis.port)).rejects.toMatchObject({ code: 'ONLINE_READ_ONLY', message: expect.stringContaining('replica') })
    redis.cli('replicaof', 'no', 'one')
    await until('a primary again', 60_000, () => store.put([row('t', 'a', 2)]).then(() => true, () => false))
  })

  it('names a key of another type, a form that it does not know and another log\'s rows, and touches none of them', async () => {
    await using store = await open(redis.port, { owner: 'one log' })
    redis.cli('hset', entityKey('latido:', 'hash'), 'a', 'b')
    redis.cli('set', entityKey('latido:', 'newer'), '\x02whatever')
    for (const entity of ['hash', 'newer']) await expect(store.put([row('t', entity, 1), row('t', 'a', 1)])).rejects.toMatchObject({ code: 'ONLINE_FOREIGN_DATA' })
    await expect(store.get(['t'], ['newer'])).rejects.toMatchObject({ code: 'ONLINE_FOREIGN_DATA' })
    expect([redis.cli('hget', entityKey('latido:', 'hash'), 'a'), await versions(store, ['t'], ['a'])]).toEqual(['b', [[undefined]]])
    await expect(open(redis.port, { owner: 'another log' })).rejects.toMatchObject({ code: 'ONLINE_FOREIGN_DATA', message: expect.stringContaining('one log') })
    await (await open(redis.port, { owner: 'another log', prefix: 'other:' }))[Symbol.asyncDispose]()
  })

  it('names protected mode', async () => {
    const server = createServer(socket => { socket.on('error', () => {}); socket.end('-DENIED Redis is running in protected mode because protected mode is enabled\r\n') }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await expect(open((server.address() as { port: number }).port)).rejects.toMatchObject({ code: 'ONLINE_DENIED', message: expect.stringContaining('protected mode') })
    server.close()
  })

  it('refuses several servers that are not a cluster', async () => {
    await expect(open(redis.port, { nodes: [{ host: '127.0.0.1', port: redis.port }, { host: '127.0.0.1', port: redis.port }] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('keeps no index of a table whose rows have all been taken out, however they were written', async () => {
    await using store = await open(redis.port)
    await store.put([row('t', 'a', 1), row('t', 'b', 1), row('u', 'a', 1)])
    await store.put([row('t', 'a', 2, null), row('u', 'a', 2)])
    await store.put([row('t', 'b', 2, null)])
    const keys = redis.cli('--scan').split('\n').map(key => key.split('}')[1]).toSorted()
    expect(keys).toEqual(['e:a', 'e:b', 't:u'])
  })

  it('lets an entity go of which nothing was written for long enough, and forgets it in its indexes', async () => {
    await using store = await open(redis.port, { expireAfterMs: 200 })
    await store.put([row('t', 'a', 1)])
    await until('it to expire', 60_000, async () => (await versions(store, ['t'], ['a']))[0]![0] === undefined)
    expect(await store.scan('t')).toEqual([])
    expect(redis.cli('dbsize')).toBe('0')
  })
})

const describeCluster = await describeWith('redisCluster')
describeCluster('the online store on a Redis Cluster that fails', () => {
  it('shares the buckets evenly, goes on when a node comes back, and finds slots that have moved', async () => {
    await using cluster = await startRedisCluster()
    const [first, second] = cluster.nodes
    await using store = waitingOnlineStore(await open(first!.port, { expireAfterMs: 0 }), { clock: systemClock, onChange: () => {} })
    const entities = Array.from({ length: 600 }, (_, i) => `e${i}`)
    const put = (version: number): Promise<void> => store.put(entities.map(entity => row('t', entity, version)))
    await put(1)
    expect(Math.min(...cluster.nodes.map(node => Number(node.cli('dbsize'))))).toBeGreaterThan(150)
    await second!.kill()
    const writing = put(2)
    await until('the write to wait', 60_000, () => store.state === 'away')
    await second!.start()
    await writing
    expect(new Set((await versions(store, ['t'], entities)).flat())).toEqual(new Set([2]))
    moveBucket(cluster.nodes)
    await put(3)
    expect(new Set((await versions(store, ['t'], entities)).flat())).toEqual(new Set([3]))
  })

  /** The slot of one bucket goes from the first node to the second, keys and all. */
  function moveBucket (nodes: readonly RedisServer[]): void {
    const [from, to] = nodes as [RedisServer, RedisServer]
    const entity = Array.from({ length: 1_000 }, (_, i) => `e${i}`).find(e => bucketOf(e) === 0)!
    const slot = from.cli('cluster', 'keyslot', entityKey('latido:', entity))
    const idOf = (node: RedisServer): string => node.cli('cluster', 'myid')
    to.cli('cluster', 'setslot', slot, 'importing', idOf(from))
    from.cli('cluster', 'setslot', slot, 'migrating', idOf(to))
    for (const key of from.cli('cluster', 'getkeysinslot', slot, '1000').split('\n').filter(k => k !== '')) from.cli('migrate', '127.0.0.1', String(to.port), key, '0', '5000')
    for (const node of nodes) node.cli('cluster', 'setslot', slot, 'node', idOf(to))
  }
})
