import type { FeatureView } from '../../define/index.ts'
import { compileView } from './compile-view.ts'

/** A view at the labels of a table (`label_id`, `patient`, `label_time`): what was known then, by arrival. A row a label, under `label_id`; absent as NaN. */
export function featuresAt (view: FeatureView, labels: string): string {
  const spine = `(SELECT toUInt64(label_id) AS row, patient, label_time AS as_of, toInt64(-1) AS through FROM ${labels})`
  return `SELECT row AS label_id, * EXCEPT (row) FROM (${compileView(view, { spine })})`
}
