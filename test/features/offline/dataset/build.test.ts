import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { ClickHouseOffline } from '../../../../features/offline/index.ts'
import { buildDataset, localLake, type DatasetManifest, type DatasetOptions } from '../../../../features/offline/dataset/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { storeOn } from '../../../kit/offline-store.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { describeWithEngine, startTestEngine, type TestEngine } from '../clickhouse/kit.ts'
import { blood, iso, labelFile, MINUTE_MS, NOON, signs, store } from './kit.ts'

describeWithEngine('a data set over served vectors', () => {
  let started: TestEngine
  let offline: ClickHouseOffline
  let dir: ReturnType<typeof tempDir>
  let database = 0
  const clock = new ManualClock()
  clock.set(NOON + 3_600_000)
  beforeAll(async () => { started = await startTestEngine() })
  afterAll(async () => { await started[Symbol.asyncDispose]() })
  beforeEach(async () => {
    const { engine } = started
    dir = tempDir()
    offline = await storeOn(engine, { database: `sets_${++database}` })
    return async () => { await offline[Symbol.asyncDispose](); dir.remove() }
  })

  const lakeFolder = (): string => join(dir.path, 'lake')
  const build = (labels: string, options: Partial<DatasetOptions> = {}): Promise<DatasetManifest> => buildDataset(offline.sql, localLake(lakeFolder()), clock, { name: 'test', labels: { path: labelFile(dir.path, labels) }, views: [signs], ...options })
  /** Rows of every file, in order, as a reader of Parquet sees them. */
  async function rowsOf (manifest: DatasetManifest): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const rows: Readonly<Record<string, unknown>>[] = []
    for (const { name } of manifest.files) {
      const table = `back_${name.slice(5, 10)}`
      await offline.sql.command(`CREATE OR REPLACE TABLE ${table} (${manifest.columns.map(c => `\`${c.name}\` ${c.type}`).join(', ')}) ENGINE = Log`)
      await offline.sql.load(table, 'Parquet', Readable.from([readFileSync(join(lakeFolder(), 'datasets/test', String(manifest.version), name))], { objectMode: false }))
      rows.push(...await offline.sql.rows(`SELECT * FROM ${table}`, {}))
    }
    return rows
  }

  it('gives each label the newest vector of its moment, and knows nothing of later ones', async () => {
    await store(offline, [{ asOf: NOON, offset: 1, values: [60, 97] }, { asOf: NOON + MINUTE_MS, offset: 2, values: [70, NaN] }, { patient: 'b', asOf: NOON, offset: 3, values: [99, 90] }])
    const rows = await rowsOf(await build(`patient,time,died\na,${iso(NOON - 1)},0\na,${iso(NOON)},1\na,${iso(NOON + MINUTE_MS - 1)},0\na,${iso(NOON + MINUTE_MS)},\nnobody,${iso(NOON)},1\n`))
    expect(rows.map(row => [row['label_id'], row['patient'], row['died'], row['signs__pulse'], row['signs__saturation']])).toEqual([
      [1, 'a', 0, null, null], [2, 'a', 1, 60, 97], [3, 'a', 0, 60, 97], [4, 'a', null, 70, null], [5, 'nobody', 1, null, null],
    ])
    expect(rows.map(row => row['signs__as_of'])).toEqual([null, '2026-03-14 12:00:00.000', '2026-03-14 12:00:00.000', '2026-03-14 12:01:00.000', null])
  })

  it('never uses a vector that had not arrived, and never one that came after a newer one', async () => {
    await store(offline, [
      { asOf: NOON, arrival: NOON + 5 * MINUTE_MS, offset: 1, values: [61, 1] }, // late by five minutes
      { asOf: NOON + 2 * MINUTE_MS, offset: 2, values: [62, 2] },
      { asOf: NOON + MINUTE_MS, arrival: NOON + 6 * MINUTE_MS, offset: 3, values: [63, 3] }, // late, and older than what was known
      { asOf: NOON + 8 * MINUTE_MS, arrival: NOON + 7 * MINUTE_MS, offset: 4, values: [64, 4] }, // before its moment
      { patient: 'b', asOf: NOON, arrival: NOON + 5 * MINUTE_MS, offset: 5, values: [65, 5] },
    ])
    const at = [1, 2, 5, 7, 8].map(m => `a,${iso(NOON + m * MINUTE_MS)}`)
    const rows = await rowsOf(await build(['patient,time', ...at, `b,${iso(NOON + 5 * MINUTE_MS - 1)}`, `b,${iso(NOON + 5 * MINUTE_MS)}`].join('\n')))
    expect(rows.map(row => row['signs__pulse'])).toEqual([null, 62, 62, 62, 64, null, 65])
  })

  it('uses nothing that arrived after the bound of the data set, so it can be built again when more has come', async () => {
    await store(offline, [{ asOf: NOON, offset: 1, values: [60, 1] }])
    const labels = `patient,time\na,${iso(NOON + 10 * MINUTE_MS)}\n`
    const first = await build(labels, { arrivedBy: NOON + MINUTE_MS })
    await store(offline, [{ asOf: NOON + 2 * MINUTE_MS, offset: 2, values: [90, 9] }])
    const again = await build(labels, { arrivedBy: NOON + MINUTE_MS })
    expect(again.files).toEqual(first.files)
    expect((await rowsOf(await build(labels))).map(row => row['signs__pulse'])).toEqual([90])
  })

  it('takes of two vectors of one moment the later in the log', async () => {
    await store(offline, [{ asOf: NOON, offset: 9, values: [2, 2] }, { asOf: NOON, offset: 10, values: [3, 3] }, { asOf: NOON, offset: 8, values: [1, 1] }])
    expect((await rowsOf(await build(`patient,time\na,${iso(NOON)}\n`))).map(row => row['signs__pulse'])).toEqual([3])
  })

  it('shows a vector up to its view\'s time to live, each view by its own', async () => {
    await store(offline, [{ asOf: NOON, offset: 1, values: [60, 97] }, { view: blood, asOf: NOON, offset: 2, values: [2.5] }])
    const rows = await rowsOf(await build(`patient,time\na,${iso(NOON + 15 * MINUTE_MS)}\na,${iso(NOON + 15 * MINUTE_MS + 1)}\n`, { views: [signs, blood] }))
    expect(rows.map(row => [row['signs__pulse'], row['blood__lactate']])).toEqual([[60, 2.5], [null, 2.5]])
    expect(rows[1]!['signs__as_of']).toBe(null)
  })

  it('loses no label and doubles none: equal patients and times stay apart, in chunks of any size', async () => {
    const sent = Array.from({ length: 200 }, (_, i) => ({ patient: `p${i % 7}`, asOf: NOON + i * 1_000, offset: i, values: [i, -i] }))
    await store(offline, sent)
    await store(offline, sent.slice(50)) // rows that came twice
    const labels = Array.from({ length: 300 }, (_, i) => [`p${i % 9}`, NOON + (i % 50) * 3_000, i] as const)
    const text = ['patient,time,n', ...labels.map(([p, t, n]) => `${p},${iso(t)},${n}`)].join('\n')
    const expected = labels.map(([p, t, n], i) => [i + 1, p, n, sent.filter(s => s.patient === p && s.asOf <= t).at(-1)?.values[0] ?? null])
    for (const chunkRows of [1_000, 70, 1]) {
      const manifest = await build(text, { chunkRows })
      const rows = (await rowsOf(manifest)).map(row => [row['label_id'], row['patient'], row['n'], row['signs__pulse']])
      expect([...rows].sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(expected)
      expect(manifest.files.map(f => f.rows).reduce((a, b) => a + b)).toBe(300)
      expect(manifest.files.length).toBe(chunkRows === 1_000 ? 1 : chunkRows === 70 ? 4 : 9)
    }
    expect(await offline.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'dataset_scratch')")).toEqual([])
  })

  it('is the same byte for byte when it is built again', async () => {
    await store(offline, Array.from({ length: 500 }, (_, i) => ({ patient: `p${i % 5}`, asOf: NOON + i * 997, offset: i, values: [Math.sin(i), i % 3 === 0 ? NaN : i] })))
    const text = ['patient,time,y', ...Array.from({ length: 400 }, (_, i) => `p${i % 5},${iso(NOON + i * 1_103)},${i % 2}`)].join('\n')
    const [first, second] = [await build(text, { views: [signs, blood], chunkRows: 100 }), await build(text, { views: [signs, blood], chunkRows: 100 })]
    expect(second.version).toBe(2)
    expect(second.files).toEqual(first.files)
    expect({ ...second, version: 1 }).toEqual(first)
  })

  it('takes the place of served vectors by a compiled query, on the same labels', async () => {
    const compile: DatasetOptions['compile'] = (_view, spine) => `SELECT label_id, toFloat64(label_id) * 2 AS pulse, nan AS saturation FROM ${spine} WHERE label_id != 2`
    const rows = await rowsOf(await build(`patient,time\nb,${iso(NOON)}\na,${iso(NOON)}\na,${iso(NOON)}\n`, { source: 'computed', compile: compile!, chunkRows: 1 }))
    expect(rows.map(row => [row['label_id'], row['signs__pulse'], row['signs__saturation']])).toEqual([[2, null, null], [3, 6, null], [1, 2, null]])
  })

  it('says in its manifest what it was made of', async () => {
    const manifest = await build(`patient,time,died,note\na,${iso(NOON)},1,"x, y"\n`)
    expect(JSON.parse(readFileSync(join(lakeFolder(), 'datasets/test/1/manifest.json'), 'utf8'))).toEqual(manifest)
    expect(manifest).toMatchObject({ name: 'test', version: 1, created: iso(NOON + 3_600_000), source: 'served', arrivedBy: iso(NOON + 3_600_000), rows: 1, labels: { file: 'labels.csv', rows: 1 }, views: [{ name: 'signs', version: 1, ttlMs: 900_000 }] })
    expect(manifest.views[0]!.fingerprint.length).toBeGreaterThan(20)
    expect(manifest.columns.map(c => [c.name, c.type, c.unit, c.from])).toEqual([
      ['label_id', 'UInt64', '', 'key'], ['patient', 'String', '', 'key'], ['label_time', "DateTime64(3, 'UTC')", 'ms since 1970', 'key'], ['died', 'Nullable(Int64)', '', 'label'], ['note', 'Nullable(String)', '', 'label'],
      ['signs__as_of', "Nullable(DateTime64(3, 'UTC'))", 'ms since 1970', 'feature'], ['signs__pulse', 'Nullable(Float64)', signs.units[0], 'feature'], ['signs__saturation', 'Nullable(Float64)', signs.units[1], 'feature'],
    ])
  })

  it('leaves nothing behind when it fails, and never changes a version', async () => {
    await build(`patient,time\na,${iso(NOON)}\n`, { version: 4 })
    await expect(build(`patient,time\na,${iso(NOON)}\n`, { version: 4 })).rejects.toMatchObject({ code: 'DATASET_EXISTS' })
    await expect(build('patient,time\na,yesterday\n')).rejects.toMatchObject({ code: 'LABELS_INVALID' })
    await store(offline, [{ asOf: NOON, offset: 1, values: [1, 2, 3] }])
    await expect(build(`patient,time\na,${iso(NOON)}\n`)).rejects.toMatchObject({ code: 'VIEW_INVALID' })
    await expect(build(`patient,time,signs__pulse\na,${iso(NOON)},1\n`, { source: 'computed', compile: () => '' })).rejects.toMatchObject({ code: 'LABELS_INVALID' })
    expect(readdirSync(join(lakeFolder(), 'datasets/test'))).toEqual(['4'])
    expect(await offline.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'dataset_scratch')")).toEqual([])
  })
})
