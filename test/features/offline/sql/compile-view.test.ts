import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { age, featureView, last, mean, patients, quantile, ratio, type FeatureView } from '../../../../features/define/index.ts'
import { compileView, featuresAt } from '../../../../features/offline/index.ts'
import { ALL_VIEWS, vitalsView } from '../../../../features/views/index.ts'
import { describeWithEngine } from '../clickhouse/kit.ts'
import { asked, openTestStore } from './kit.ts'

const small = (features: Parameters<typeof featureView>[0]['features']): FeatureView => featureView({ name: 'small', version: 1, owner: 'test', description: 'a small view', ttl: '1 h', emit: { every: '1 m' }, features })

/** Kept in a file, so that a change of the generated SQL is seen when it is reviewed; LATIDO_GOLDEN=write writes it anew. */
function golden (file: string, sql: string): void {
  const path = new URL(`golden/${file}`, import.meta.url)
  if (process.env['LATIDO_GOLDEN'] === 'write' || !existsSync(path)) writeFileSync(path, `${sql}\n`)
  expect(`${sql}\n`).toBe(readFileSync(path, 'utf8'))
}

it('compiles a window over readings and an age to the SQL in the golden file', () => {
  golden('lactate.sql', compileView(small({ lactateMean: mean('lactate').overReadings('24 h'), lactateAge: age('lactate') }), { spine: 'spine', merged: false }))
})

it('compiles tiles and a ratio to the SQL in the golden file', () => {
  golden('shock.sql', compileView(small({ median: quantile('heartRate', 0.5).over('1 h'), shockIndex: ratio(last('heartRate').within('10 m'), last('systolic')) }), { spine: 'spine', shape: 'arrays', merged: false }))
})

it('refuses a view that speaks of wards', () => {
  const ward = featureView({ name: 'wardLoad', version: 1, entity: 'ward', owner: 'test', description: 'patients', ttl: '1 h', emit: { every: '1 m' }, features: { there: patients.count(vitalsView, vitalsView.names[0]!) } })
  expect(() => compileView(ward, { spine: 'spine' })).toThrow(expect.objectContaining({ code: 'VIEW_INVALID', message: expect.stringContaining('wardLoad') as unknown }))
})

describeWithEngine('what is planned can be compiled', () => {
  it('every view of patients that there is, asked of somebody of whom nothing is known', async () => {
    await using test = await openTestStore()
    for (const view of ALL_VIEWS.filter(v => v.entity === 'patient')) {
      // Merges take ClickHouse seconds to plan, and are the same for all views: one of them will do.
      const [row] = await asked(test.store, view, [{ patient: 'nobody', asOf: 1_000_000_000_000, through: -1 }], { merged: view.name === 'kidney' })
      expect([view.name, row?.values.length, row?.times.length]).toEqual([view.name, view.names.length, view.names.length])
    }
  })

  it('at labels, joined as a data set joins it', async () => {
    await using test = await openTestStore()
    const { sql } = test.store
    const view = small({ lactateAge: age('lactate'), lactateMean: mean('lactate').overReadings('24 h') })
    await sql.command("CREATE TABLE labels (label_id UInt64, patient String, label_time DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY label_id")
    await sql.command("INSERT INTO labels SELECT 7, 'nobody', now64(3)")
    const rows = await sql.rows(`SELECT l.label_id AS id, isNaN(r.lactateAge) AS absent, r.* FROM labels AS l LEFT ANY JOIN (${featuresAt(view, 'labels')}) AS r ON l.label_id = r.label_id SETTINGS join_use_nulls = 1`, {}, { readonly: '0' })
    expect(rows).toMatchObject([{ id: 7, absent: 1 }])
  })
})
