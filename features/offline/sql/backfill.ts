import { isLatidoError, LatidoError } from '../../../streams/errors/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../../../streams/time/index.ts'
import type { FeatureView } from '../../define/index.ts'
import type { OfflineSql } from '../clickhouse/index.ts'
import { compileView } from './compile-view.ts'
import { anyMerged } from './merged.ts'
import { countsOf, rowsOf, type SpineOptions } from './spine.ts'
import { named, quoted } from '../sql-text.ts'

/** Why a row of `features` is there that a backfill wrote. Its offset is negative, which no log has: what is served is told from what is computed by it. */
export const BACKFILL_TRIGGER = 'backfill'

export const BACKFILL_DEFAULTS = {
  /** Rows that are computed at a time; what bounds memory. Halved, from there on, where ClickHouse says that its memory does not suffice. */
  chunkRows: 2_000,
} as const

export interface BackfillOptions {
  readonly view: FeatureView
  /** From this moment on, and before the other. */
  readonly from: ArrivalTimeMs
  readonly to: ArrivalTimeMs
  /** `everyMs`: regular moments, counted from 1970, at which a patient is there: at least one reading of the view arrived within its TTL. `emissions`: when the stream sent a vector of the view, of any version. */
  readonly at: { readonly everyMs: DurationMs } | 'emissions'
  /** `features`, or the table of named columns that is made for a file. */
  readonly into: { readonly table: string, readonly shape: 'vectors' | 'columns' }
  readonly chunkRows?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (share: number) => void
}

/** What became of the rows: `there` were written before, by this run's likes. */
export interface BackfillSummary { readonly rows: number, readonly written: number, readonly there: number, readonly stopped: boolean }

interface Chunk { readonly patients: readonly string[], readonly from: ArrivalTimeMs, readonly to: ArrivalTimeMs, readonly rows: number }

/**
 * Computes a view at many moments from the observations and writes the rows, chunk by chunk. A row's place follows from patient, moment and `through`
 * alone, so a row that is written twice is one row; a chunk that is there whole is passed over. So whoever was stopped starts again and goes on.
 */
export async function backfill (sql: OfflineSql, options: BackfillOptions): Promise<BackfillSummary> {
  const { view, chunkRows = BACKFILL_DEFAULTS.chunkRows, signal, onProgress } = options
  const merged = await anyMerged(sql)
  const spine: SpineOptions = { view, from: options.from, to: options.to, at: options.at }
  const waiting = chunksOf(await countsOf(sql, spine), spine, chunkRows)
  const rows = waiting.reduce((n, chunk) => n + chunk.rows, 0)
  const done = { written: 0, there: 0 }
  let rowsMax = chunkRows
  while (waiting.length > 0 && signal?.aborted !== true) {
    const chunk = waiting.shift()!
    if (chunk.rows > rowsMax && chunk.to - chunk.from > 1) { waiting.unshift(...await halves(sql, spine, chunk)); continue }
    try {
      done[await carryOut(sql, options, spine, chunk, merged)] += chunk.rows
    } catch (e) {
      if (!isTooLarge(e) || chunk.rows <= 1) throw e
      rowsMax = Math.ceil(chunk.rows / 2)
      waiting.unshift(chunk)
    }
    onProgress?.(rows === 0 ? 1 : (done.written + done.there) / rows)
  }
  return { rows, ...done, stopped: waiting.length > 0 }
}

/** ClickHouse's code 241: the query needs more memory than it may have. */
function isTooLarge (e: unknown): boolean { return isLatidoError(e) && /code 241\b/.test(e.message) }

/** Whole patients together, as far as they fit. */
function chunksOf (counts: readonly { readonly patient: string, readonly rows: number }[], { from, to }: SpineOptions, chunkRows: number): Chunk[] {
  const chunks: { patients: string[], from: number, to: number, rows: number }[] = []
  for (const { patient, rows } of counts) {
    const open = chunks.at(-1)
    if (open !== undefined && open.rows + rows <= chunkRows) { open.patients.push(patient); open.rows += rows } else chunks.push({ patients: [patient], from, to, rows })
  }
  return chunks
}

/** Half of the patients each; of one patient, half of the time. */
async function halves (sql: OfflineSql, spine: SpineOptions, { patients, from, to }: Chunk): Promise<readonly Chunk[]> {
  const half = Math.ceil(patients.length / 2)
  const middle = Math.floor((from + to) / 2)
  if (patients.length === 1 && to - from <= 1) throw new LatidoError('OFFLINE_UNAVAILABLE', 'one moment of one patient needs more memory than ClickHouse may use', 'give ClickHouse more memory')
  const parts = patients.length > 1
    ? [{ patients: patients.slice(0, half), from, to }, { patients: patients.slice(half), from, to }]
    : [{ patients, from, to: middle }, { patients, from: middle, to }]
  return await Promise.all(parts.map(async part => ({ ...part, rows: (await countsOf(sql, { ...spine, ...part })).reduce((n, { rows }) => n + rows, 0) })))
}

async function carryOut (sql: OfflineSql, { view, into }: BackfillOptions, spine: SpineOptions, chunk: Chunk, merged: boolean): Promise<'written' | 'there'> {
  if (chunk.rows === 0) return 'there'
  const table = `backfill_spine_${process.pid}`
  const parameters = { patients: chunk.patients }
  await sql.command(`DROP TABLE IF EXISTS ${table} SYNC`)
  await sql.command(`CREATE TABLE ${table} (row UInt64, patient String, as_of DateTime64(3, 'UTC'), through Int64) ENGINE = MergeTree ORDER BY row`)
  try {
    await sql.command(`INSERT INTO ${table} SELECT row_number() OVER (ORDER BY patient, as_of, through) AS row, patient, as_of, through FROM (${rowsOf({ ...spine, from: chunk.from, to: chunk.to })}) SETTINGS final = 1`, { parameters })
    if (await isThere(sql, view, into, table)) return 'there'
    await sql.command(`${into.shape === 'vectors' ? vectors(view, into.table, table, merged) : columns(view, into.table, table, merged)}`)
    return 'written'
  } finally {
    await sql.command(`DROP TABLE IF EXISTS ${table} SYNC`)
  }
}

async function isThere (sql: OfflineSql, view: FeatureView, { table, shape }: BackfillOptions['into'], spine: string): Promise<boolean> {
  const of = shape === 'vectors' ? 'view = {view:String} AND version = {version:UInt32} AND `offset` < 0 AND ' : ''
  const key = shape === 'vectors' ? 'patient, as_of, through' : 'patient, as_of'
  const [found] = await sql.rows(`SELECT (SELECT count() FROM (SELECT DISTINCT ${key} FROM ${spine})) = (SELECT count() FROM (SELECT DISTINCT ${key} FROM ${table} WHERE ${of}(${key}) IN (SELECT ${key} FROM ${spine}))) AS there`, { view: view.name, version: view.version })
  return Number(found?.['there'] ?? 0) === 1
}

/** Arrival is the moment itself: the month that a row lies in, and its place in a join of what was known, follow from it. */
function vectors (view: FeatureView, into: string, spine: string, merged: boolean): string {
  return `INSERT INTO ${into} (patient, view, version, as_of, arrival_time, trigger, values, times, through, entity, \`partition\`, \`offset\`)
SELECT s.patient, ${quoted(view.name)}, ${view.version}, s.as_of, s.as_of, ${quoted(BACKFILL_TRIGGER)}, c.values, c.times, s.through, ${quoted(view.entity)}, 0, -2 - s.through
FROM ${spine} AS s INNER JOIN (${compileView(view, { spine, shape: 'arrays', merged })}) AS c ON c.row = s.row`
}

function columns (view: FeatureView, into: string, spine: string, merged: boolean): string {
  const told = view.names.flatMap(feature => [named(feature), named(`${feature} time`)])
  return `INSERT INTO ${into} (patient, as_of, ${told.join(', ')}) SELECT s.patient, s.as_of, ${told.map(column => `c.${column}`).join(', ')}
FROM ${spine} AS s INNER JOIN (${compileView(view, { spine, merged })}) AS c ON c.row = s.row`
}

/** The columns of a file: patient, as_of, and of each feature its value (NaN: absent) and its event time (ms) under `NAME time`. */
export function columnTable (view: FeatureView, table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (patient String, as_of DateTime64(3, 'UTC'), ${view.names.map(feature => `${named(feature)} Float64, ${named(`${feature} time`)} Float64`).join(', ')}) ENGINE = ReplacingMergeTree ORDER BY (patient, as_of)`
}
