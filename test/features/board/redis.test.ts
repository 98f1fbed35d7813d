import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRedisBoardIndex, OwnBoardIndex, type BoardIndex, type BoardQuery } from '../../../features/board/index.ts'
import { SCHEMA_NAME } from '../../../features/board/redis/schema.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { describeWith, startRedis, until, type RedisServer } from '../../kit/servers/index.ts'
import { entity, entityOf, query } from './arbitraries.ts'
import { boardIndexContract } from './contract.ts'

const ALL: BoardQuery = { sort: 'place', descending: false, offset: 0, limit: 100 }
const describeStack = await describeWith('redisStack')
const describeRedis = await describeWith('redis')

describeStack('the index in Redis with search', () => {
  let redis: RedisServer
  let prefixes = 0
  beforeAll(async () => { redis = await startRedis({ stack: true }) }, 300_000)
  afterAll(async () => { await redis?.[Symbol.asyncDispose]() })
  const open = (prefix = `t${++prefixes}:`): Promise<BoardIndex> => openRedisBoardIndex({ nodes: [{ host: '127.0.0.1', port: redis.port }], prefix, clock: systemClock })
  const found = async (index: BoardIndex, asked: Partial<BoardQuery> = {}): Promise<readonly string[]> => (await index.search({ ...ALL, ...asked })).entities.map(({ patient }) => patient)

  boardIndexContract(() => open())

  it('answers every query as the index in memory does', async () => {
    await using searched = await open()
    const step = fc.record({ puts: fc.array(entity, { maxLength: 8 }), removals: fc.array(entity.map(({ patient }) => patient), { maxLength: 2 }), queries: fc.array(query, { minLength: 1, maxLength: 6 }) })
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async steps => {
      await searched.remove(await searched.patients(), await searched.version())
      await using own = new OwnBoardIndex()
      for (const { puts, removals, queries } of steps) {
        const [put, removed] = [await searched.version(), await searched.version()]
        for (const index of [searched, own]) {
          await index.put(puts, put)
          await index.remove(removals, removed)
        }
        for (const asked of queries) {
          const { total, entities } = await searched.search(asked)
          const { total: ownTotal, entities: ownEntities } = await own.search(asked)
          expect({ total, entities }, JSON.stringify(asked)).toEqual({ total: ownTotal, entities: ownEntities })
        }
      }
    }), { numRuns: 120 })
  })

  it('is made once where many start at the same time, and none finds it missing', async () => {
    const prefix = 'together:'
    const indexes = await Promise.all(Array.from({ length: 6 }, async (_, i) => {
      const index = await open(prefix)
      await index.put([entityOf(`p${i}`)], await index.version())
      expect(await found(index)).toContain(`p${i}`)
      return index
    }))
    for (const index of indexes) expect(await found(index)).toHaveLength(6)
    for (const index of indexes) await index[Symbol.asyncDispose]()
  })

  it('finds at once, after a restart, what was there before', async () => {
    const before = await open('again:')
    const patients = Array.from({ length: 2_000 }, (_, i) => `p${String(i).padStart(4, '0')}`)
    await before.put(patients.map(patient => entityOf(patient)), await before.version())
    await before[Symbol.asyncDispose]()
    redis.cli('FT.DROPINDEX', `again:board:${SCHEMA_NAME}:index`)
    await using after = await open('again:')
    expect((await after.search({ ...ALL, limit: 1 })).total).toBe(2_000)
  })

  it('drops the index and the documents of other fields, and nobody else\'s', async () => {
    redis.cli('JSON.SET', 'fields:board:0ld:p1', '$', '{"x":1}')
    redis.cli('FT.CREATE', 'fields:board:0ld:index', 'ON', 'JSON', 'PREFIX', '1', 'fields:board:0ld:', 'SCHEMA', '$.x', 'AS', 'x', 'NUMERIC')
    redis.cli('FT.CREATE', 'others:index', 'SCHEMA', 'x', 'NUMERIC')
    await using index = await open('fields:')
    expect(await found(index)).toEqual([])
    expect(redis.cli('EXISTS', 'fields:board:0ld:p1')).toBe('0')
    const names = redis.cli('FT._LIST')
    expect(names).toContain('others:index')
    expect(names).not.toContain('0ld')
  })

  it('makes its index again when Redis was emptied under it', async () => {
    await using index = await open('emptied:')
    await index.put([entityOf('p1')], await index.version())
    redis.cli('FT.DROPINDEX', `emptied:board:${SCHEMA_NAME}:index`, 'DD')
    expect(await found(index)).toEqual([])
    await index.put([entityOf('p2')], await index.version())
    expect(await found(index)).toEqual(['p2'])
  })

  it('takes what is written after a number was lost with everything else', async () => {
    await using index = await open('lost:')
    const underWay = await index.version()
    redis.cli('DEL', 'lost:board-version')
    await index.put([entityOf('p1', { bed: 'older' })], underWay)
    await index.put([entityOf('p1', { bed: 'newer' })], await index.version())
    expect((await index.search(ALL)).entities.map(({ bed }) => bed)).toEqual(['newer'])
  })

  it('holds the pseudonym and nobody\'s name', async () => {
    await using index = await open('names:')
    await index.put([entityOf('p1')], await index.version())
    const document = JSON.parse(redis.cli('JSON.GET', `names:board:${SCHEMA_NAME}:p1`)) as { readonly entity: string }
    expect(Object.keys(JSON.parse(document.entity) as object).sort()).toEqual(['admitted', 'ageYears', 'alertPriority', 'alertState', 'bed', 'news2', 'news2Missing', 'onBoard', 'patient', 'risk', 'riskModel', 'sex', 'text', 'updatedAt', 'ward'])
  })
})

describeStack('a Redis that goes away', () => {
  it('is an operating failure at once, and searched again when it is back', async () => {
    await using redis = await startRedis({ stack: true })
    await using index = await openRedisBoardIndex({ nodes: [{ host: '127.0.0.1', port: redis.port }], prefix: 'away:', clock: systemClock })
    await index.put([entityOf('p1')], await index.version())
    await redis.kill()
    await expect(index.search(ALL)).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
    await expect(index.put([entityOf('p2')], 9)).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
    await redis.start()
    await until('the index to be back', 60_000, async () => (await index.search(ALL).catch(() => undefined))?.total === 0)
  })
})

describeStack('a Redis with a password and an ACL user', () => {
  it('is searched by who may, also after the password was changed', async () => {
    await using redis = await startRedis({ stack: true })
    redis.cli('ACL', 'SETUSER', 'board', 'on', '>first', 'resetchannels', '~t:*', '-@all', ...'+get +set +del +eval +info +client|setinfo +hello +ping +time +unlink +scan +module|list +json.get +json.set +ft._list +ft.create +ft.info +ft.search +ft.dropindex'.split(' '))
    let password = 'first'
    const options = { nodes: [{ host: '127.0.0.1', port: redis.port }], prefix: 't:', clock: systemClock, username: 'board', password: () => password }
    await using index = await openRedisBoardIndex(options)
    await index.put([entityOf('p1')], await index.version())
    expect(await index.search(ALL)).toMatchObject({ total: 1, by: 'redis-search' })
    redis.cli('ACL', 'SETUSER', 'board', '<first', '>second')
    password = 'second'
    redis.cli('CLIENT', 'KILL', 'USER', 'board')
    await until('the index to be back', 60_000, async () => (await index.search(ALL).catch(() => undefined))?.total === 1)
    password = 'wrong'
    await expect(openRedisBoardIndex(options)).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE', message: expect.stringContaining('WRONGPASS') })
  })
})

describeRedis('a Redis without search', () => {
  it('leaves the search to the index in memory, which says why', async () => {
    await using redis = await startRedis()
    await using index = await openRedisBoardIndex({ nodes: [{ host: '127.0.0.1', port: redis.port }], prefix: 't:', clock: systemClock })
    await index.put([entityOf('p1')], await index.version())
    expect(await index.search(ALL)).toMatchObject({ total: 1, by: 'own-index', why: 'this Redis has no search module' })
  })

  it('refuses a Redis that is not there, and does not wait for ever', async () => {
    const redis = await startRedis()
    await redis[Symbol.asyncDispose]()
    await expect(openRedisBoardIndex({ nodes: [{ host: '127.0.0.1', port: redis.port }], prefix: 't:', clock: systemClock })).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
  })
})
