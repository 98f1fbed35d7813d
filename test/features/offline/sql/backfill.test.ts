import { expect, it } from 'vitest'
import { age, featureView, last, mean } from '../../../../features/define/index.ts'
import { backfill, columnTable, type ClickHouseOffline } from '../../../../features/offline/index.ts'
import type { ObservationsRow } from '../../../../features/offline/index.ts'
import type { PatientKey } from '../../../../streams/events/index.ts'
import { batchOf, describeWithEngine } from '../clickhouse/kit.ts'
import { openTestStore } from './kit.ts'

const HOUR_MS = 3_600_000
const START = Date.UTC(2030, 0, 7)
const view = featureView({ name: 'probe', version: 3, owner: 'test', description: 'a view that never ran', ttl: '2 h', emit: { every: '1 m' }, features: { last: last('lactate'), mean: mean('lactate').overReadings('6 h'), age: age('lactate') } })

/** A result each hour of five, drawn an hour before it was known, of three patients. */
function results (): readonly ObservationsRow[] {
  return ['p1', 'p2', 'p3'].flatMap((patient, p) => [0, 1, 2, 3, 4].map((hour): ObservationsRow => ({
    patient: patient as PatientKey, arrival: START + (hour + p) * HOUR_MS, kind: 'laboratory', source: 'test', partition: p, offset: hour,
    observations: [{ concept: 'lactate', value: hour, comparator: '=', eventTime: START + (hour + p - 1) * HOUR_MS, status: 'final', quality: 'valid', resultId: '' }],
  })))
}

const options = { view, from: START, to: START + 24 * HOUR_MS, at: { everyMs: HOUR_MS }, into: { table: 'features', shape: 'vectors' } } as const

async function rowsIn (store: ClickHouseOffline): Promise<readonly unknown[]> {
  return await store.query("SELECT patient, toUnixTimestamp64Milli(as_of) AS asOf, values, times, trigger, through, `partition`, `offset` FROM features WHERE view = 'probe' ORDER BY patient, as_of")
}

describeWithEngine('backfill', () => {
  it('computes a view that never ran each hour while a patient is there, and twice the same', async () => {
    await using test = await openTestStore()
    await test.store.write(batchOf({ observations: results() }))
    const shares: number[] = []
    expect(await backfill(test.store.sql, { ...options, chunkRows: 12, onProgress: share => { shares.push(share) } })).toEqual({ rows: 18, written: 18, there: 0, stopped: false })
    expect(shares.at(-1)).toBe(1)
    const rows = await rowsIn(test.store)
    expect(rows).toHaveLength(18)
    expect(rows[1]).toEqual({ patient: 'p1', asOf: START + HOUR_MS, values: [1, 0.5, 1], times: [START, START, START], trigger: 'backfill', through: -1, partition: 0, offset: -1 })
    expect(await backfill(test.store.sql, options)).toEqual({ rows: 18, written: 0, there: 18, stopped: false })
    expect(await rowsIn(test.store)).toEqual(rows)
  })

  it('goes on where it was stopped', async () => {
    await using test = await openTestStore()
    await test.store.write(batchOf({ observations: results() }))
    const stopping = new AbortController()
    const first = await backfill(test.store.sql, { ...options, chunkRows: 6, signal: stopping.signal, onProgress: () => { stopping.abort() } })
    expect(first).toEqual({ rows: 18, written: 6, there: 0, stopped: true })
    expect(await backfill(test.store.sql, { ...options, chunkRows: 6 })).toEqual({ rows: 18, written: 12, there: 6, stopped: false })
    expect(await rowsIn(test.store)).toHaveLength(18)
  })

  it('computes at the moments of logged vectors, of another version too, as each knew the log', async () => {
    await using test = await openTestStore()
    const vector = { type: 'vector', view: 'probe', version: 2, asOf: START + HOUR_MS, trigger: 'laboratory', values: new Float64Array([9]), times: new Float64Array([9]), through: 1 } as const
    await test.store.write(batchOf({ observations: results(), vectors: [{ patient: 'p1' as PatientKey, arrival: START + HOUR_MS, partition: 0, offset: 7, vector }] }))
    expect(await backfill(test.store.sql, { ...options, at: 'emissions' })).toMatchObject({ rows: 1, written: 1 })
    expect(await test.store.query('SELECT version, values, through, `offset` FROM features ORDER BY version')).toEqual([
      { version: 2, values: [9], through: 1, offset: 7 }, { version: 3, values: [0, 0, 2], through: 1, offset: -3 },
    ])
  })

  it('fills a table of named columns for a file', async () => {
    await using test = await openTestStore()
    await test.store.write(batchOf({ observations: results() }))
    await test.store.sql.command(columnTable(view, 'probe_file'))
    expect(await backfill(test.store.sql, { ...options, into: { table: 'probe_file', shape: 'columns' } })).toMatchObject({ rows: 18, written: 18 })
    expect(await test.store.query("SELECT last, mean, age, `last time` AS t FROM probe_file WHERE patient = 'p1' ORDER BY as_of LIMIT 1 OFFSET 2")).toEqual([{ last: 2, mean: 1, age: 1, t: START + HOUR_MS }])
  })

  it('leaves no table of its own behind', async () => {
    await using test = await openTestStore()
    await test.store.write(batchOf({ observations: results() }))
    await backfill(test.store.sql, options)
    expect(await test.store.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'backfill')")).toEqual([])
  })
})
