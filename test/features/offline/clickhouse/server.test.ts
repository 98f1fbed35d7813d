import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { lateOffline, openClickHouseOffline } from '../../../../features/offline/index.ts'
import type { Tiers } from '../../../../features/offline/index.ts'
import { openOfflineStore } from '../../../../ops/run/offline/offline-store.ts'
import { Closers } from '../../../../ops/run/closers.ts'
import type { ClickHouseConfig } from '../../../../ops/config/index.ts'
import { ManualClock, systemClock } from '../../../../streams/time/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { batchOf, describeWithEngine, observationsAt, PATIENT, startTestEngine, type TestEngine } from './kit.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** No server's binary is to be had in the tests: the engine in its own process stands for one, by the same protocol. */
describeWithEngine('a ClickHouse at an address', () => {
  let started: TestEngine
  const dir = tempDir()
  beforeAll(async () => { started = await startTestEngine() })
  afterAll(async () => { await started[Symbol.asyncDispose](); dir.remove() })

  const secretFile = (text: string): string => { const path = join(dir.path, `password-${text.length}`); writeFileSync(path, `${text}\n`); return path }
  const server = (more: Partial<ClickHouseConfig> = {}): ClickHouseConfig => ({ url: started.engine.url, user: 'latido', passwordFile: secretFile(started.engine.token), database: 'served', caFile: '', ...more })
  const dataDir = { path: (...parts: readonly string[]): string => join(dir.path, ...parts), [Symbol.dispose]: () => {} }
  const open = async (clickhouse: ClickHouseConfig, closers: Closers, mayBeAway = false, tiers: Tiers = {}): ReturnType<typeof openOfflineStore> => await openOfflineStore({ offline: 'embedded', clickhouse, tiers }, dataDir, { clock: systemClock, views: [], mayBeAway }, closers)
  const rows = async (store: { query (sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> }): Promise<unknown> => (await store.query('SELECT count() AS n FROM observations'))[0]?.['n']

  it('takes the place of the embedded engine, in a database of its own', async () => {
    await using closers = new Closers()
    const opened = await open(server(), closers)
    if (opened.kind === 'off') throw new Error(opened.why)
    await opened.store.write(batchOf({ observations: [observationsAt(1)] }))
    expect(await rows(opened.store)).toBe(1)
    await using same = await openClickHouseOffline({ url: started.engine.url, username: 'x', password: started.engine.token, clock: systemClock, database: 'served' })
    expect(await rows(same)).toBe(1)
  })

  it('that refuses the password, has a newer schema, or is away is said at once where it must be there', async () => {
    await using closers = new Closers()
    await expect(open(server({ passwordFile: secretFile('wrong') }), closers)).rejects.toMatchObject({ code: 'OFFLINE_UNAVAILABLE' })
    await expect(open(server({ url: 'http://127.0.0.1:1' }), closers)).rejects.toMatchObject({ code: 'OFFLINE_UNAVAILABLE' })
    await expect(open(server({ passwordFile: join(dir.path, 'none') }), closers)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    const opened = await open(server({ database: 'newer' }), closers)
    if (opened.kind === 'off') throw new Error(opened.why)
    await opened.store.sql.command("INSERT INTO latido_migrations VALUES (99, 99, 'later', 'up', 99, now64(3))")
    await expect(open(server({ database: 'newer' }), closers, true)).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' })
  })

  it('that is away at the start gets everything when it has come', async () => {
    await using closers = new Closers()
    const away = await open(server({ url: 'http://127.0.0.1:1' }), closers, true)
    if (away.kind === 'off') throw new Error(away.why)
    await expect(away.store.write(batchOf({ observations: [observationsAt(1)] }))).rejects.toMatchObject({ code: 'OFFLINE_UNAVAILABLE' })
    let url = 'http://127.0.0.1:1'
    await using store = lateOffline(() => openClickHouseOffline({ url, username: 'latido', password: started.engine.token, clock: systemClock, database: 'late' }))
    await expect(store.write(batchOf({ observations: [observationsAt(1)] }))).rejects.toMatchObject({ code: 'OFFLINE_UNAVAILABLE' })
    await expect(store.trends(PATIENT, ['heartRate'], 0, 1, 1)).rejects.toMatchObject({ code: 'OFFLINE_UNAVAILABLE' })
    url = started.engine.url
    await store.write(batchOf({ observations: [observationsAt(1), observationsAt(2)] }))
    expect(await rows(store)).toBe(2)
  })

  it('drops raw device readings that are older than their tier, keeps the rest and every rollup, and keeps all again when the tier is taken back', async () => {
    const clock = new ManualClock()
    const with_ = (tiers: Tiers): ReturnType<typeof openClickHouseOffline> => openClickHouseOffline({ url: started.engine.url, username: 'x', password: started.engine.token, clock, database: 'tiers', tiers })
    const old = Math.floor(systemClock.now() / MINUTE_MS) * MINUTE_MS - 100 * DAY_MS // at the beginning of a minute
    clock.set(systemClock.now())
    const reading = (offset: number, arrival: number, resultId: string): ReturnType<typeof observationsAt> => observationsAt(offset, { arrival, kind: resultId === '' ? 'device' : 'laboratory', observations: [{ concept: 'heartRate', value: 60, comparator: '=', eventTime: arrival, status: 'final', quality: 'valid', resultId }] })
    {
      await using store = await with_({})
      await store.write(batchOf({ observations: [reading(1, old, ''), reading(2, old, 'order-1'), reading(3, systemClock.now(), '')] }))
      await store.rollUp()
    }
    {
      await using store = await with_({ deviceMs: 90 * DAY_MS })
      await store.sql.command('OPTIMIZE TABLE observations FINAL')
      expect(await store.query('SELECT `offset` FROM observations ORDER BY `offset`')).toEqual([{ offset: 2 }, { offset: 3 }])
      await store.write(batchOf({ observations: [reading(4, old + 1, '')] })) // into a minute that has lost its readings
      await store.rollUp()
      expect(await store.query('SELECT count FROM observation_minutes ORDER BY minute')).toEqual([{ count: 1 }, { count: 1 }])
    }
    await using store = await with_({})
    expect(await store.query("SELECT comment, create_table_query LIKE '% TTL %' AS ttl FROM system.tables WHERE database = currentDatabase() AND name = 'observations'")).toEqual([{ comment: '', ttl: 0 }])
  })

  it('refuses a cold volume that its storage policy does not have', async () => {
    await expect(openClickHouseOffline({ url: started.engine.url, username: 'x', password: started.engine.token, clock: systemClock, database: 'cold', tiers: { cold: { afterMs: 30 * DAY_MS, volume: 'cold' } } })).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('has no volume "cold"') as string })
  })
})
