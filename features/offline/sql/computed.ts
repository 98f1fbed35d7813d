import type { FeatureView } from '../../define/index.ts'
import type { OfflineSql } from '../clickhouse/index.ts'
import { compileView, type CompileOptions } from './compile-view.ts'
import { anyMerged } from './merged.ts'

/** A view at the labels of a table (`label_id`, `patient`, `label_time`): what was known then, by arrival. A row a label, under `label_id`; absent as NaN. */
export function featuresAt (view: FeatureView, labels: string, options: Pick<CompileOptions, 'merged'> = {}): string {
  const spine = `(SELECT toUInt64(label_id) AS row, patient, label_time AS as_of, toInt64(-1) AS through FROM ${labels})`
  return `SELECT row AS label_id, * EXCEPT (row) FROM (${compileView(view, { spine, ...options })})`
}

/** `featuresAt` for what a store holds. */
export async function labelCompiler (sql: OfflineSql): Promise<(view: FeatureView, labels: string) => string> {
  const merged = await anyMerged(sql)
  return (view, labels) => featuresAt(view, labels, { merged })
}
