import type { ArrivalTimeMs, DurationMs } from '../../../streams/time/index.ts'
import type { FeatureView } from '../../define/index.ts'
import type { OfflineSql } from '../clickhouse/index.ts'
import { momentOf, msOf, quoted } from '../sql-text.ts'
import { concepts } from './text.ts'

export interface SpineOptions {
  readonly view: FeatureView
  readonly from: ArrivalTimeMs
  readonly to: ArrivalTimeMs
  readonly at: { readonly everyMs: DurationMs } | 'emissions'
  readonly patients?: readonly string[]
}

/** The rows at which a view is computed, as a query with the parameter `patients`: patient, as_of, through. */
export function rowsOf ({ view, from, to, at }: SpineOptions): string {
  const theirs = 'patient IN {patients:Array(String)}'
  return at === 'emissions' ? emissions(view, from, to, theirs) : moments(view, from, to, at.everyMs, theirs)
}

/** How many rows each patient has. Patients stand in the order of a hash: chunks of them are alike whatever their names. */
export async function countsOf (sql: OfflineSql, { view, from, to, at, patients }: SpineOptions): Promise<readonly { readonly patient: string, readonly rows: number }[]> {
  const theirs = patients === undefined ? '1' : 'patient IN {patients:Array(String)}'
  const rows = at === 'emissions' ? emissions(view, from, to, theirs) : moments(view, from, to, at.everyMs, theirs)
  const found = await sql.rows(`SELECT patient, count() AS rows FROM (${rows}) GROUP BY patient ORDER BY sipHash64(patient), patient`, patients === undefined ? {} : { patients })
  return found.map(row => ({ patient: String(row['patient']), rows: Number(row['rows']) }))
}

function emissions (view: FeatureView, from: number, to: number, theirs: string): string {
  return `SELECT DISTINCT patient, as_of, through FROM features WHERE view = ${quoted(view.name)} AND offset >= 0 AND as_of >= ${momentOf(from)} AND as_of < ${momentOf(to)} AND ${theirs}`
}

/** Each reading makes its patient be there for the view's TTL. */
function moments (view: FeatureView, from: number, to: number, everyMs: DurationMs, theirs: string): string {
  const every = Math.floor(everyMs)
  const ttl = Math.floor(view.ttlMs)
  const [first, end] = [Math.ceil(from / every), Math.ceil(to / every)]
  return `SELECT DISTINCT patient, fromUnixTimestamp64Milli(toInt64(arrayJoin(range(toUInt64(greatest(cell, ${first})), toUInt64(greatest(greatest(cell, ${first}), least(cell + ${Math.max(1, Math.ceil(ttl / every))}, ${end}))))) * ${every}), 'UTC') AS as_of, toInt64(-1) AS through
FROM (SELECT DISTINCT patient, intDiv(${msOf('arrival_time')} + ${every - 1}, ${every}) AS cell FROM observations
  WHERE concept IN ${concepts(view.concepts)} AND arrival_time > ${momentOf(from - ttl)} AND arrival_time < ${momentOf(to)} AND ${theirs})`
}
