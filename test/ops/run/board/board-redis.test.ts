import { expect, it } from 'vitest'
import { parseConfig } from '../../../../ops/config/index.ts'
import { Board, watchedStore } from '../../../../ops/run/board/board.ts'
import { boardRescanMs, openBoardIndex } from '../../../../ops/run/board/board-index.ts'
import { BoardProjector } from '../../../../ops/run/board/board-projector.ts'
import { openRedisOnline } from '../../../../ops/run/online/redis-online.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { describeWith, startRedis, until } from '../../../kit/servers/index.ts'
import { alertsRow, ALL, encounterRow } from './board-kit.ts'

const describeStack = await describeWith('redisStack')
const describeRedis = await describeWith('redis')
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const clock = systemClock

async function open (url: string, args: readonly string[] = []): Promise<{ readonly board: Board, readonly online: ReturnType<typeof watchedStore>, [Symbol.asyncDispose] (): Promise<void> }> {
  const config = parseConfig(['--redis', url, ...args], {})
  const store = await openRedisOnline(config.redis!, 'test', { clock, logger: silent })
  const index = await openBoardIndex(config, clock, silent)
  const board = new Board({ online: store, index, clock, ...boardRescanMs(config) })
  const projector = await BoardProjector.start({ board, index, clock, logger: silent, options: { tickMs: 20, writeEveryMs: 50 } })
  return {
    board,
    online: watchedStore(store, patients => { board.changed(patients); projector.changed(patients) }),
    async [Symbol.asyncDispose] () {
      await projector[Symbol.asyncDispose]()
      await index[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

describeStack('the board on Redis with search', () => {
  it('is searched by every instance, whichever wrote, and survives a restart', async () => {
    await using redis = await startRedis({ stack: true })
    await using first = await open(redis.url)
    await first.online.put([encounterRow('p1', 1, 'ICU', '2'), alertsRow('p1', 1, 'active'), encounterRow('p2', 1, 'ICU', '10')])
    await until('both', 60_000, async () => (await first.board.search({ ...ALL, text: 'icu' })).total === 2)
    {
      await using second = await open(redis.url)
      const answer = await second.board.search({ ...ALL, text: 'emergency' })
      expect(answer).toMatchObject({ total: 1, by: 'redis-search', patients: [{ patient: 'p1', bed: '2' }] })
      await first.online.put([alertsRow('p1', 2, undefined)])
      await until('the alert to be over', 60_000, async () => (await second.board.search({ ...ALL, text: 'emergency' })).total === 0)
    }
    await first.online.erase('p1')
    await until('one to be gone', 60_000, async () => (await first.board.search(ALL)).total === 1)
    expect(redis.cli('KEYS', '*board:*:p1')).toBe('')
  })
})

describeRedis('the board on a Redis without search', () => {
  it('is searched in memory, and says so', async () => {
    await using redis = await startRedis()
    await using one = await open(redis.url)
    await one.online.put([encounterRow('p1', 1, 'ICU', '2')])
    await until('the patient', 60_000, async () => (await one.board.search({ ...ALL, text: 'icu' })).total === 1)
    expect(await one.board.search(ALL)).toMatchObject({ by: 'own-index', why: 'this Redis has no search module' })
  })

  it('is searched in memory where the user of the online store may not search', async () => {
    await using redis = await startRedis()
    redis.cli('ACL', 'SETUSER', 'default', 'on', 'nopass', 'resetkeys', '~latido:*', '-@all', '+mget', '+get', '+set', '+mset', '+smembers', '+sadd', '+srem', '+del', '+exists', '+type', '+eval', '+evalsha', '+info', '+client', '+hello', '+ping')
    await using one = await open(redis.url)
    expect(await one.board.search(ALL)).toMatchObject({ total: 0, by: 'own-index', why: 'this Redis does not let its user search' })
  })
})

it('looks for what others wrote and what expired only where that may be', () => {
  expect(boardRescanMs(parseConfig([], {}))).toEqual({})
  expect(boardRescanMs(parseConfig(['--redis', 'redis://127.0.0.1'], {}))).toEqual({})
  expect(boardRescanMs(parseConfig(['--redis', 'redis://127.0.0.1', '--redis-expire', '90 d'], {})).rescanMs).toBe(60_000)
  expect(boardRescanMs(parseConfig(['--redis', 'redis://127.0.0.1', '--kafka', '127.0.0.1:9092', '--schema-registry', 'http://127.0.0.1:8081'], {})).rescanMs).toBe(5_000)
})
