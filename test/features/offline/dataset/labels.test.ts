import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ClickHouseOffline } from '../../../../features/offline/index.ts'
import { openLabelFile, type LabelFileOptions } from '../../../../features/offline/dataset/index.ts'
import { loadLabels } from '../../../../features/offline/dataset/load-labels.ts'
import { storeOn } from '../../../kit/offline-store.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { describeWithEngine, startTestEngine, type TestEngine } from '../clickhouse/kit.ts'
import { labelFile } from './kit.ts'

describeWithEngine('a label file', () => {
  let started: TestEngine
  let offline: ClickHouseOffline
  const dir = tempDir()
  beforeAll(async () => {
    started = await startTestEngine()
    const { engine } = started
    offline = await storeOn(engine)
  })
  afterAll(async () => { await offline[Symbol.asyncDispose](); await started[Symbol.asyncDispose](); dir.remove() })

  async function load (path: string, options: Partial<LabelFileOptions> = {}): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const spine = await loadLabels(offline.sql, await openLabelFile({ path, ...options }))
    try {
      return await offline.query(`SELECT * REPLACE (toUnixTimestamp64Milli(label_time) AS label_time) FROM ${spine.table} ORDER BY label_id`)
    } finally {
      await offline.sql.command(`DROP TABLE ${spine.table}`)
    }
  }
  const csv = (text: string, options?: Partial<LabelFileOptions>): ReturnType<typeof load> => load(labelFile(dir.path, text), options)
  async function parquet (select: string, options?: Partial<LabelFileOptions>): ReturnType<typeof load> {
    const path = join(dir.path, 'labels.parquet')
    const chunks: Buffer[] = []
    for await (const chunk of await offline.sql.bytes(select, 'Parquet') as AsyncIterable<Buffer>) chunks.push(chunk)
    writeFileSync(path, Buffer.concat(chunks))
    return load(path, options)
  }
  const T = Date.UTC(2026, 2, 14, 15, 9, 26, 535)

  it('as CSV: instants with any offset, fractions, milliseconds since 1970; numbers become numbers, and what is empty is absent', async () => {
    expect(await csv('\uFEFFpatient,time,i,f,s\r\na,2026-03-14T15:09:26.535Z,1,0.5,x\r\nb,2026-03-14 16:09:26.535+01:00,,,\r\n"c",1773500966535,-7,3,"y, ""z"""\r\n')).toEqual([
      { label_id: 1, patient: 'a', label_time: T, i: 1, f: 0.5, s: 'x' }, { label_id: 2, patient: 'b', label_time: T, i: null, f: null, s: null }, { label_id: 3, patient: 'c', label_time: T, i: -7, f: 3, s: 'y, "z"' },
    ])
  })

  it('says the zone of its times, or is told it: also across the change to summer time', async () => {
    const bare = 'patient,time\na,2026-03-29T01:30:00\na,2026-03-29 03:30\n'
    await expect(csv(bare)).rejects.toMatchObject({ code: 'LABELS_INVALID', message: 'labels.csv: row 1, column "time" has no time zone (and 1 other row cannot be used)' })
    expect((await csv(bare, { zone: 'Europe/Madrid' })).map(row => row['label_time'])).toEqual([Date.UTC(2026, 2, 29, 0, 30), Date.UTC(2026, 2, 29, 1, 30)])
  })

  it('may have other names for its columns', async () => {
    expect(await csv('when,who\n2026-03-14T15:09:26.535Z,a\n', { patientColumn: 'who', timeColumn: 'when' })).toEqual([{ label_id: 1, patient: 'a', label_time: T }])
  })

  it('as Parquet: instants, local times by their zone, integers as milliseconds, patients as numbers', async () => {
    expect(await parquet("SELECT 7 AS patient, toDateTime64('2026-03-14 15:09:26.535', 6, 'UTC') AS time, 1.5 AS y, toDate32('2026-01-02') AS d, true AS f")).toEqual([{ label_id: 1, patient: '7', label_time: T, y: 1.5, d: '2026-01-02', f: true }])
    expect(await parquet(`SELECT 'a' AS patient, ${T}::Int64 AS time`)).toEqual([{ label_id: 1, patient: 'a', label_time: T }])
    expect(await parquet("SELECT 'a' AS patient, '2026-03-14T15:09:26.535Z' AS time")).toEqual([{ label_id: 1, patient: 'a', label_time: T }])
  })

  it('keeps the order of its rows in their numbers, in CSV and in Parquet', async () => {
    const n = 150_000
    const rows = await csv(['patient,time,n', ...Array.from({ length: n }, (_, i) => `p${i % 11},${T + i % 17},${i + 1}`)].join('\n'))
    expect(rows.length).toBe(n)
    expect(rows.every(row => row['label_id'] === row['n'])).toBe(true)
    const columns = await parquet(`SELECT 'p' AS patient, ${T}::Int64 AS time, number + 1 AS n FROM numbers(${n})`)
    expect(columns.length).toBe(n)
    expect(columns.every(row => row['label_id'] === row['n'])).toBe(true)
  })

  const faulty: readonly (readonly [string, string, string])[] = [
    ['a time that is missing', 'patient,time\na,2026-03-14T15:09:26Z\nb,\n', 'labels.csv: row 2, column "time" is empty'],
    ['a time that is none', 'patient,time\na,tomorrow\n', 'labels.csv: row 1, column "time" is no time'],
    ['a day that is not in the calendar', 'patient,time\na,2026-02-30T00:00:00Z\n', 'labels.csv: row 1, column "time" is no time'],
    ['a date without a time', 'patient,time\na,2026-02-20\n', 'labels.csv: row 1, column "time" is no time'],
    ['seconds instead of milliseconds', 'patient,time\na,1773500966\n', 'labels.csv: row 1, column "time" is no time'],
    ['a patient that is missing', 'patient,time\na,2026-03-14T15:09:26Z\n  ,2026-03-14T15:09:26Z\n', 'labels.csv: row 2, column "patient" is empty'],
    ['two columns of one name', 'patient,time,x,x\na,2026-03-14T15:09:26Z,1,2\n', 'labels.csv: two columns are called "x"'],
    ['a column without a name', 'patient,time,\na,2026-03-14T15:09:26Z,1\n', 'labels.csv: a column has no name'],
    ['no column of patients', 'who,time\na,2026-03-14T15:09:26Z\n', 'labels.csv: there is no column "patient"'],
    ['a name that the data set uses itself', 'patient,time,label_id\na,2026-03-14T15:09:26Z,1\n', 'labels.csv: a label is called "label_id", which the data set uses itself'],
    ['a row that is too long', 'patient,time,y\na,2026-03-14T15:09:26Z,1\na,2026-03-14T15:09:26Z,1,2\n', 'labels.csv: row 2 does not fit the header'],
    ['a row that is too short', 'patient,time,y\na,2026-03-14T15:09:26Z,1\na,2026-03-14T15:09:26Z\n', 'labels.csv: row 2 does not fit the header'],
  ]
  it.each(faulty)('with %s is refused, by its row and column', async (_what, text, message) => {
    await expect(csv(text)).rejects.toMatchObject({ code: 'LABELS_INVALID', message })
  })

  it('that is empty, not there, a folder, without rows or not Parquet is refused', async () => {
    for (const [path, message] of [
      [labelFile(dir.path, '', 'empty.csv'), 'empty.csv is empty'], [join(dir.path, 'nowhere.csv'), 'nowhere.csv cannot be read (ENOENT)'], [dir.path, ''], [labelFile(dir.path, 'patient,time\n', 'head.csv'), 'head.csv has no rows'],
      [labelFile(dir.path, 'patient,time\na,2026-03-14T15:09:26Z\n', 'text.parquet'), 'text.parquet is not a whole Parquet file'],
    ] as const) await expect(load(path)).rejects.toMatchObject({ code: 'FILE_INVALID', ...(message === '' ? {} : { message }) })
  })

  it('in Parquet that was cut off or damaged never crashes the reader', async () => {
    await parquet(`SELECT 'a' AS patient, ${T}::Int64 AS time`)
    const whole = readFileSync(join(dir.path, 'labels.parquet'))
    const footer = whole.readUInt32LE(whole.length - 8)
    for (let i = 0; i < 60; i++) {
      const damaged = Buffer.from(whole)
      damaged[whole.length - 8 - footer + (i * 7) % footer]! ^= 1 << (i % 8)
      const path = join(dir.path, 'damaged.parquet')
      writeFileSync(path, damaged)
      await openLabelFile({ path }).then(() => {}, (e: unknown) => { expect(e).toMatchObject({ name: 'LatidoError' }) })
    }
  })
})
