import { createReadStream } from 'node:fs'
import { isLatidoError, LatidoError } from '../../../streams/errors/index.ts'
import type { OfflineSql } from '../clickhouse/index.ts'
import { named, quoted } from '../sql-text.ts'
import { scratchName } from './identifiers.ts'
import type { LabelFile } from './label-file.ts'
import type { ParquetColumn } from './parquet-columns.ts'

/** Labels in a table: `label_id` (row of the file, from 1), `patient`, `label_time`, and the label columns, sorted by patient, time and row. */
export interface Spine {
  readonly table: string
  readonly rows: number
  readonly labels: readonly { readonly name: string, readonly type: string }[]
}

const STAGED: Readonly<Record<ParquetColumn['type'], string>> = {
  integer: 'Nullable(Int64)', number: 'Nullable(Float64)', text: 'Nullable(String)', flag: 'Nullable(Bool)', date: 'Nullable(Date32)', time: "Nullable(DateTime64(3, 'UTC'))", local: "Nullable(DateTime64(3, 'UTC'))", other: 'Nullable(String)',
}
/** One reader, so that rows keep the order of the file. */
const IN_ORDER = { max_threads: 1, max_insert_threads: '1', input_format_parquet_preserve_order: 1, input_format_parallel_parsing: 0 } as const

/**
 * Loads a label file into a table of its own, checks every row, and answers the spine; the caller drops it.
 * Throws LABELS_INVALID, which names the file, the first faulty row and its column, and no value.
 */
export async function loadLabels (sql: OfflineSql, file: LabelFile): Promise<Spine> {
  const staged = scratchName()
  const table = scratchName()
  await sql.command(`CREATE TABLE ${staged} (${file.columns.map(({ name, type }) => `${named(name)} ${STAGED[type]}`).join(', ')}) ENGINE = Log`)
  try {
    await stage(sql, file, staged)
    await refuseRows(sql, file, staged)
    const labels = await labelsOf(sql, file, staged)
    await sql.command(`CREATE TABLE ${table} ENGINE = MergeTree ORDER BY (patient, label_time, label_id) AS
      SELECT ${['label_id', 'assumeNotNull(patient_text) AS patient', "fromUnixTimestamp64Milli(assumeNotNull(time_ms), 'UTC') AS label_time", ...labels.map(({ name, expression }) => `${expression} AS ${named(name)}`)].join(', ')}
      FROM (${read(file, staged)}) SETTINGS max_threads = 1`)
    const rows = Number((await sql.rows(`SELECT count() AS n FROM ${table}`, {}))[0]?.['n'])
    return { table, rows, labels: labels.map(({ name, type }) => ({ name, type })) }
  } catch (e) {
    await sql.command(`DROP TABLE IF EXISTS ${table} SYNC`)
    throw e
  } finally {
    await sql.command(`DROP TABLE IF EXISTS ${staged} SYNC`)
  }
}

async function stage (sql: OfflineSql, file: LabelFile, staged: string): Promise<void> {
  const columns = file.columns.map(({ name }) => named(name)).join(', ')
  const settings = file.format === 'csv' ? { input_format_csv_skip_first_lines: '1', input_format_csv_empty_as_default: 0 as const } : { input_format_parquet_local_time_as_utc: 1 as const }
  try {
    await sql.load(`${staged} (${columns})`, file.format === 'csv' ? 'CSV' : 'Parquet', createReadStream(file.path), { settings: { ...IN_ORDER, ...settings } })
  } catch (e) {
    if (!isLatidoError(e) || e.code !== 'OFFLINE_QUERY_FAILED') throw e
    const row = /at row (\d+)/.exec(e.message)?.[1]
    throw new LatidoError('LABELS_INVALID', `${file.name}: ${row === undefined ? 'its rows do not fit its header' : `row ${row} does not fit the header`}`, 'each row needs a value for each column of the header; quote texts that hold commas', e)
  }
}

/** Rows as `label_id`, `patient_text`, `time_ms`, `time_is` (what is wrong with it), and every column. */
function read ({ patientColumn, timeColumn, columns, zone }: LabelFile, staged: string): string {
  const time = columns.find(column => column.name === timeColumn)!
  const { ms, fault } = timeOf(named(timeColumn), time.type, zone)
  return `SELECT *, trim(toString(${named(patientColumn)})) AS patient_text, ${ms} AS time_ms, ${fault} AS time_is, rowNumberInAllBlocks() + 1 AS label_id FROM ${staged}`
}

const HOURS = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?'
const BARE = `^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]${HOURS}$`
const ZONED = `^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]${HOURS}(Z|[+-][0-9]{2}:?[0-9]{2})$`
/** Years 1973 to 2299: what is shorter is seconds by mistake. */
const MILLISECONDS = '^[0-9]{12,14}$'
const MS_MIN = 1e11
const MS_MAX = 10_413_791_999_999

function timeOf (column: string, type: ParquetColumn['type'], zone: string): { readonly ms: string, readonly fault: string } {
  const among = (ms: string): string => `if(${ms} BETWEEN ${MS_MIN} AND ${MS_MAX}, ${ms}, NULL)`
  const missing = (ms: string): string => `multiIf(${column} IS NULL, 'missing', ${ms} IS NULL, 'no time', '')`
  const plain = (ms: string): { readonly ms: string, readonly fault: string } => ({ ms, fault: missing(ms) })
  if (type === 'integer') return plain(among(column))
  if (type === 'time') return plain(`toUnixTimestamp64Milli(${column})`)
  if (type === 'local') return plain(`toUnixTimestamp64Milli(toDateTime64(toString(${column}), 3, ${quoted(zone)}))`)
  const told = `trim(ifNull(${column}, ''))`
  const day = `toString(toDate32OrNull(substring(${told}, 1, 10))) = substring(${told}, 1, 10)`
  const parsed = (of: string): string => `toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(replaceAll(${told}, ',', '.'), 3, ${quoted(of)}))`
  const bare = `match(${told}, '${BARE}')`
  const ms = `multiIf(match(${told}, '${ZONED}') AND ${day}, ${parsed('UTC')}, ${bare} AND ${day} AND ${quoted(zone)} != '', ${parsed(zone === '' ? 'UTC' : zone)}, match(${told}, '${MILLISECONDS}'), ${among(`toInt64OrNull(${told})`)}, NULL)`
  return { ms, fault: `multiIf(${told} = '', 'missing', ${bare} AND ${quoted(zone)} = '', 'no zone', ${ms} IS NULL, 'no time', '')` }
}

const FAULTS: Readonly<Record<string, readonly [string, string]>> = {
  patient: ['is empty', 'every label needs the pseudonym of its patient'],
  missing: ['is empty', 'every label needs its time'],
  'no zone': ['has no time zone', 'write Z or an offset behind it, or say the zone of all such times with --zone'],
  'no time': ['is no time', 'write it as ISO 8601 (2026-03-14T15:09:26Z) or in milliseconds since 1970'],
}

async function refuseRows (sql: OfflineSql, file: LabelFile, staged: string): Promise<void> {
  const [found] = await sql.rows(`SELECT count() AS n, countIf(fault != '') AS faulty, argMinIf(fault, label_id, fault != '') AS first, minIf(label_id, fault != '') AS row
    FROM (SELECT label_id, if(ifNull(patient_text, '') = '', 'patient', time_is) AS fault FROM (${read(file, staged)}))`, {}, { max_threads: 1 })
  if (Number(found?.['n'] ?? 0) === 0) throw new LatidoError('FILE_INVALID', `${file.name} has no rows`, 'give a file with a row for each label')
  const faulty = Number(found?.['faulty'])
  if (faulty === 0) return
  const fault = String(found?.['first'])
  const [what, action] = FAULTS[fault]!
  const more = faulty === 1 ? '' : ` (and ${faulty - 1} other row${faulty === 2 ? '' : 's'} cannot be used)`
  throw new LatidoError('LABELS_INVALID', `${file.name}: row ${String(found?.['row'])}, column "${fault === 'patient' ? file.patientColumn : file.timeColumn}" ${what}${more}`, action)
}

interface Label { readonly name: string, readonly type: string, readonly expression: string }

/** Columns of a CSV become integers or numbers where every value is one. An empty value is absent. */
async function labelsOf (sql: OfflineSql, file: LabelFile, staged: string): Promise<readonly Label[]> {
  const labels = file.columns.filter(({ name }) => name !== file.patientColumn && name !== file.timeColumn)
  if (file.format === 'parquet') return labels.map(({ name, type }) => ({ name, type: STAGED[type], expression: named(name) }))
  if (labels.length === 0) return []
  const told = (name: string): string => `nullIf(trim(ifNull(${named(name)}, '')), '')`
  const counts = labels.flatMap(({ name }, i) => [`countIf(${told(name)} IS NOT NULL AND toInt64OrNull(${told(name)}) IS NULL) AS i${i}`, `countIf(${told(name)} IS NOT NULL AND toFloat64OrNull(${told(name)}) IS NULL) AS f${i}`])
  const [found] = await sql.rows(`SELECT ${counts.join(', ')} FROM ${staged}`, {})
  return labels.map(({ name }, i) => {
    if (Number(found?.[`i${i}`]) === 0) return { name, type: 'Nullable(Int64)', expression: `toInt64OrNull(${told(name)})` }
    if (Number(found?.[`f${i}`]) === 0) return { name, type: 'Nullable(Float64)', expression: `toFloat64OrNull(${told(name)})` }
    return { name, type: 'Nullable(String)', expression: told(name) }
  })
}
