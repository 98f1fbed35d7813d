import { LatidoError } from '../../../streams/errors/index.ts'
import type { ArrivalTimeMs } from '../../../streams/time/index.ts'
import { viewKey, type FeatureView } from '../../define/index.ts'
import type { OfflineSql } from '../clickhouse/index.ts'
import { momentOf, named, quoted } from '../sql-text.ts'

/** A column that a view brings into a data set. */
export interface FeatureColumn { readonly name: string, readonly feature: string, readonly unit: string, readonly type: string }

/** Labels of which the features are asked: a table with `label_id`, `patient`, `label_time`. Its patients lie in [from, to]. */
export interface SpineTable { readonly table: string, readonly from: string, readonly to: string }

/**
 * How a view's columns meet the labels. `asof`: rows with `patient`, `known_at` (a key that rises with what is known; the label's is `LABEL_KEY`) and
 * columns, of which the newest below the label's counts. `rows`: rows with `label_id` and columns, at most one a label. Either is joined from the
 * left, so no label is lost and none is doubled.
 */
export type FeatureRows =
  | { readonly kind: 'asof', readonly sql: string } & JoinedColumns
  | { readonly kind: 'rows', readonly sql: string } & JoinedColumns

/** Columns of the joined rows under names of their own, and the values that the data set has: expressions over these. */
export interface JoinedColumns {
  readonly joined: readonly { readonly name: string, readonly column: string }[]
  readonly values: readonly { readonly name: string, readonly expression: string }[]
}

/** Where features come from: `served` are the vectors that were sent when it happened, `computed` comes from the observations anew. */
export interface FeatureSource {
  readonly kind: 'served' | 'computed'
  columnsOf (view: FeatureView): readonly FeatureColumn[]
  rows (view: FeatureView, spine: SpineTable): FeatureRows
}

export function columnName (view: Pick<FeatureView, 'name'>, feature: string): string { return `${view.name}__${feature}` }

function featureColumns (view: FeatureView): readonly FeatureColumn[] {
  return view.names.map((feature, i) => ({ name: columnName(view, feature), feature, unit: view.units[i] ?? '', type: 'Nullable(Float64)' }))
}

function perFeature (view: FeatureView): JoinedColumns {
  const own = (feature: string): string => named(`= ${columnName(view, feature)}`)
  return {
    joined: view.names.map(feature => ({ name: own(feature), column: named(feature) })),
    values: view.names.map(feature => ({ name: columnName(view, feature), expression: `if(isNaN(${own(feature)}), NULL, ${own(feature)})` })),
  }
}

/** Compiles a view to a query over `observations` with the columns `label_id` and one for each feature, absent as NULL or NaN. */
export type CompiledView = (view: FeatureView, spineTable: string) => string

export function computedSource (compile: CompiledView): FeatureSource {
  return {
    kind: 'computed',
    columnsOf: featureColumns,
    rows: (view, { table }) => ({ kind: 'rows', sql: compile(view, table), ...perFeature(view) }),
  }
}

/** Milliseconds, then partition, then offset: of two vectors of one moment the later in the log is the newer. Exact in 128 bits (a plain literal so large would be a double). */
const key = (ms: string, partition: string, offset: string): string => `toDecimal128(${ms}, 0) * toDecimal128('1000000000000000000000', 0) + toDecimal128(${partition}, 0) * 10000000000000000 + ${offset}`

/** A label knows everything up to its time. */
export const LABEL_KEY: string = key('toUnixTimestamp64Milli(label_time)', '99999', '9999999999999999')

/**
 * The vectors of table `features`. A vector is known when it has arrived and its own moment has come; of those known at a label's time the one
 * with the newest moment counts, while it is within the view's TTL. A vector that arrives after a newer one never counts: it is left out
 * (`late` says for which views there are any, since finding them costs a sort).
 */
export async function servedSource (sql: OfflineSql, views: readonly FeatureView[], arrivedBy: ArrivalTimeMs): Promise<FeatureSource> {
  const late = new Set<FeatureView>()
  for (const view of views) if (await isDisordered(sql, view)) late.add(view)
  return {
    kind: 'served',
    columnsOf: view => [{ name: columnName(view, 'as_of'), feature: 'as_of', unit: 'ms since 1970', type: "Nullable(DateTime64(3, 'UTC'))" }, ...featureColumns(view)],
    rows: (view, spine) => {
      const [asOf, vector] = [named(`= ${view.name} as of`), named(`= ${view.name} values`)]
      const fresh = `${asOf} > fromUnixTimestamp64Milli(0, 'UTC') AND toUnixTimestamp64Milli(label_time) - toUnixTimestamp64Milli(${asOf}) <= ${Math.floor(view.ttlMs)}`
      return {
        kind: 'asof',
        sql: late.has(view) ? inOrderOfArrival(view, spine, arrivedBy) : vectors(view, spine, arrivedBy),
        joined: [{ name: asOf, column: 'as_of' }, { name: vector, column: 'values' }],
        values: [
          { name: columnName(view, 'as_of'), expression: `if(${fresh}, ${asOf}, NULL)` },
          ...view.names.map((feature, i) => ({ name: columnName(view, feature), expression: `if(${fresh} AND NOT isNaN(${vector}[${i + 1}]), ${vector}[${i + 1}], NULL)` })),
        ],
      }
    },
  }
}

function vectors (view: FeatureView, { from, to }: SpineTable, arrivedBy: ArrivalTimeMs): string {
  const knownAt = key('toUnixTimestamp64Milli(greatest(arrival_time, as_of))', '`partition`', '`offset`')
  return `SELECT patient, as_of, values, ${knownAt} AS known_at FROM features
    WHERE view = ${quoted(view.name)} AND version = ${view.version} AND patient BETWEEN ${quoted(from)} AND ${quoted(to)} AND arrival_time <= ${momentOf(arrivedBy)}`
}

/** Those that were the newest when they became known. */
function inOrderOfArrival (view: FeatureView, spine: SpineTable, arrivedBy: ArrivalTimeMs): string {
  return `SELECT * EXCEPT (newest_before) FROM (SELECT *, max(as_of) OVER (PARTITION BY patient ORDER BY known_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest_before FROM (${vectors(view, spine, arrivedBy)})) WHERE as_of >= newest_before`
}

/** True if a vector arrived after its moment. Throws VIEW_INVALID where stored vectors are not of this definition. */
async function isDisordered (sql: OfflineSql, view: FeatureView): Promise<boolean> {
  const [found] = await sql.rows('SELECT countIf(arrival_time != as_of) AS late, countIf(length(values) != {features:UInt32}) AS misfits FROM features WHERE view = {view:String} AND version = {version:UInt32}', { view: view.name, version: view.version, features: view.names.length }, { final: 0 })
  if (Number(found?.['misfits'] ?? 0) > 0) throw new LatidoError('VIEW_INVALID', `the store has vectors of ${viewKey(view)} with another number of features`, 'give the changed view a new version')
  return Number(found?.['late'] ?? 0) > 0
}
