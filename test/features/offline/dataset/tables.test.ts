import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exportTables, importTables, LAKE_TABLES, listTables, localLake, type ClickHouseOffline, type LakeStretch, type LakeTable, type OfflineBatch } from '../../../../features/offline/index.ts'
import type { PatientKey } from '../../../../streams/events/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { storeOn } from '../../../kit/offline-store.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { batchOf, describeWithEngine, startTestEngine, type TestEngine } from '../clickhouse/kit.ts'

const JANUARY = Date.UTC(2026, 0, 30, 12, 0, 0, 7)
const DAY_MS = 86_400_000
const FROM = Date.UTC(2026, 0, 1)
const TO = Date.UTC(2026, 2, 1)
const TABLES = Object.keys(LAKE_TABLES) as LakeTable[]
const clock = new ManualClock(TO)

/** Rows of every kind over two months, with what is awkward in a file: absent values, quotes, the first and the last millisecond of a month. */
function rows (): OfflineBatch {
  const at = (offset: number, arrival: number) => ({ patient: `p'${offset % 3}` as PatientKey, arrival, partition: offset % 2, offset })
  const arrivals = [...Array.from({ length: 20 }, (_, i) => JANUARY + i * DAY_MS / 4), Date.UTC(2026, 1, 1) - 1, Date.UTC(2026, 1, 1)]
  return batchOf({
    observations: arrivals.map((arrival, i) => ({ ...at(i, arrival), kind: 'laboratory', source: 'hl7:"lab"', observations: [{ concept: 'lactate', value: i / 7, comparator: '<', eventTime: arrival - 3, status: 'final', quality: 'valid', resultId: `r\t${i}` }] })),
    encounters: arrivals.slice(0, 3).map((arrival, i) => ({ ...at(i, arrival), event: { type: 'encounter', action: 'admit', eventTime: arrival, source: 'test', ward: 'W', bed: '1', ageYears: -1, sex: 'female', hoursSinceHospitalAdmission: -1 } })),
    vectors: arrivals.map((arrival, i) => ({ ...at(i, arrival), vector: { type: 'vector', view: 'v', version: 1, asOf: arrival, trigger: 'timer', through: i, values: Float64Array.of(i, NaN, -1e300), times: Float64Array.of(arrival, NaN, 0) } })),
    scores: [{ ...at(1, JANUARY), value: { model: 'm', modelVersion: '1', view: 'v', viewVersion: 1, asOf: JANUARY, probability: 0.1, presentShare: 1, reasons: [{ feature: 'é' }] } }],
  })
}

describeWithEngine('tables of the offline store in a lake', () => {
  let engine: TestEngine
  let store: ClickHouseOffline
  const folder = tempDir()
  beforeAll(async () => {
    engine = await startTestEngine()
    store = await storeOn(engine.engine)
    await store.write(rows())
  })
  afterAll(async () => { await store[Symbol.asyncDispose](); await engine[Symbol.asyncDispose](); folder.remove() })

  const contents = async (): Promise<readonly string[]> => await Promise.all(TABLES.map(async table => JSON.stringify(await store.query(`SELECT * FROM ${table} ORDER BY ${LAKE_TABLES[table]}`))))
  const exported = async (): Promise<readonly LakeStretch[]> => {
    const stretches: LakeStretch[] = []
    await exportTables(store.sql, localLake(folder.path), clock, { tables: TABLES, from: FROM, to: TO, onStretch: s => { stretches.push(s) } })
    return stretches
  }

  it('go out by month and come back as they were, and what is there is passed over and counts once', async () => {
    const before = await contents()
    const first = await exported()
    expect(first.filter(s => s.table === 'observations').map(({ from, rows: n, became }) => [from, n, became])).toEqual([['2026-01-01T00:00:00.000Z', 7, 'written'], ['2026-02-01T00:00:00.000Z', 15, 'written']])
    expect((await exported()).map(s => s.became)).toEqual(first.map(() => 'there'))
    expect(await listTables(localLake(folder.path))).toEqual(expect.arrayContaining(first.map(s => ({ ...s, became: 'there' }))))
    for (const table of TABLES) await store.sql.command(`TRUNCATE TABLE ${table} SYNC`)
    for (let again = 0; again < 2; again++) await importTables(store.sql, localLake(folder.path), TABLES)
    expect(await contents()).toEqual(before)
  })

  it('are not exported up to a moment that is still to come', async () => {
    await expect(exportTables(store.sql, localLake(folder.path), clock, { tables: TABLES, from: FROM, to: TO + 1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('say which file is damaged, and load nothing of it', async () => {
    await exported()
    const stretch = join(folder.path, 'tables/observations', readdirSync(join(folder.path, 'tables/observations'))[0]!)
    const file = join(stretch, 'part-00000.parquet')
    const bytes = readFileSync(file)
    const [{ n: before } = { n: -1 }] = await store.query('SELECT count() AS n FROM observations') as readonly { readonly n: number }[]
    writeFileSync(file, bytes.with(100, bytes[100]! ^ 1))
    await expect(importTables(store.sql, localLake(folder.path), ['observations'])).rejects.toMatchObject({ code: 'DATASET_DAMAGED', message: expect.stringContaining('part-00000.parquet') as string })
    writeFileSync(file, bytes)
    writeFileSync(join(stretch, 'manifest.json'), '{"format": 1')
    await expect(importTables(store.sql, localLake(folder.path), ['observations'])).rejects.toMatchObject({ code: 'DATASET_DAMAGED' })
    rmSync(join(stretch, 'manifest.json'))
    await importTables(store.sql, localLake(folder.path), ['observations'])
    expect(await store.query('SELECT count() AS n FROM observations')).toEqual([{ n: before }])
  })
})
