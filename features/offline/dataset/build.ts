import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { ArrivalTimeMs, Clock } from '../../../streams/time/index.ts'
import { viewFingerprint, viewKey, type FeatureView } from '../../define/index.ts'
import type { OfflineSql } from '../clickhouse/index.ts'
import { labelCompiler } from '../sql/index.ts'
import { named, quoted } from '../sql-text.ts'
import { SCRATCH_PREFIX, scratchName } from './identifiers.ts'
import { openLabelFile, type LabelFile, type LabelFileOptions } from './label-file.ts'
import type { Lake } from './lake.ts'
import { loadLabels, type Spine } from './load-labels.ts'
import { MANIFEST_FILE, manifestText, type DatasetColumn, type DatasetFile, type DatasetManifest } from './manifest.ts'
import { writeParquet } from './parquet-file.ts'
import { computedSource, LABEL_KEY, servedSource, type CompiledView, type FeatureSource, type SpineTable } from './source.ts'
import { checkedName, folderOf, nextVersion } from './versions.ts'

export interface DatasetOptions {
  readonly name: string
  /** Default: the next one. */
  readonly version?: number
  readonly labels: LabelFileOptions
  readonly views: readonly FeatureView[]
  /** Default `served`. */
  readonly source?: 'served' | 'computed'
  /** Default: the view's SQL over the observations. */
  readonly compile?: CompiledView
  /** Nothing that arrived later is used. Default: now. */
  readonly arrivedBy?: ArrivalTimeMs
  /** Labels that are joined at a time, whole patients; what bounds memory. */
  readonly chunkRows?: number
}

/** Labels that one query joins. What is computed takes more memory than what was served. */
export const DATASET_DEFAULTS = { servedRows: 50_000, computedRows: 5_000 } as const
const SCRATCH_KEPT_HOURS = 24
/** Each is written by one thread, so that its bytes are the same each time. */
const CHUNKS_AT_ONCE = 2

/**
 * Builds a version of a data set: labels, checked and loaded; for each chunk of patients one query that joins every view from the left and writes
 * a Parquet file; the manifest last. The lake sees all of it or nothing. Throws LABELS_INVALID, FILE_INVALID, DATASET_EXISTS, VIEW_INVALID,
 * OFFLINE_UNAVAILABLE, OFFLINE_QUERY_FAILED.
 */
export async function buildDataset (sql: OfflineSql, lake: Lake, clock: Clock, options: DatasetOptions): Promise<DatasetManifest> {
  const { name, views, arrivedBy = clock.now(), chunkRows = options.source === 'computed' ? DATASET_DEFAULTS.computedRows : DATASET_DEFAULTS.servedRows } = options
  checkedName(name)
  const version = options.version ?? await nextVersion(lake, name)
  const file = await openLabelFile(options.labels)
  await dropLeftovers(sql)
  const source = await sourceOf(sql, options, arrivedBy)
  const folder = await mkdtemp(join(tmpdir(), 'latido-dataset-'))
  let spine: Spine | undefined
  try {
    spine = await loadLabels(sql, file)
    refuseCollisions(file, spine, views, source)
    if (source.kind === 'computed') await refuseLater(sql, file, spine, arrivedBy)
    const files = await writeChunks(sql, spine, views, source, folder, chunkRows)
    const manifest: DatasetManifest = {
      format: 1, name, version, created: new Date(clock.now()).toISOString(), source: source.kind, arrivedBy: new Date(arrivedBy).toISOString(),
      labels: { file: file.name, sha256: file.sha256, rows: spine.rows },
      views: views.map(view => ({ name: view.name, version: view.version, fingerprint: viewFingerprint(view), ttlMs: view.ttlMs })),
      columns: columnsOf(spine, views, source), rows: spine.rows, files, engine: String((await sql.rows('SELECT version() AS version', {}))[0]?.['version']),
    }
    await writeFile(join(folder, MANIFEST_FILE), manifestText(manifest), { mode: 0o600 })
    await lake.publish(folder, [...files.map(f => f.name), MANIFEST_FILE], folderOf(name, version))
    return manifest
  } finally {
    await rm(folder, { recursive: true, force: true })
    if (spine !== undefined) await sql.command(`DROP TABLE IF EXISTS ${spine.table} SYNC`)
  }
}

async function sourceOf (sql: OfflineSql, { source = 'served', compile, views }: DatasetOptions, arrivedBy: ArrivalTimeMs): Promise<FeatureSource> {
  if (views.length === 0) throw new LatidoError('CONFIG_INVALID', 'a data set needs a view', 'name one or more with --views')
  if (source === 'served') return await servedSource(sql, views, arrivedBy)
  return computedSource(compile ?? await labelCompiler(sql))
}

function refuseCollisions (file: LabelFile, spine: Spine, views: readonly FeatureView[], source: FeatureSource): void {
  const features = new Set(views.flatMap(view => source.columnsOf(view)).map(column => column.name))
  const both = spine.labels.find(label => features.has(label.name))
  if (both !== undefined) throw new LatidoError('LABELS_INVALID', `${file.name}: a label is called "${both.name}", as a feature is`, 'rename the column')
}

/** What is computed at a label knows what had arrived by then: a label after the arrival bound would know more with each day. */
async function refuseLater (sql: OfflineSql, file: LabelFile, { table }: Spine, arrivedBy: ArrivalTimeMs): Promise<void> {
  const [found] = await sql.rows(`SELECT countIf(toUnixTimestamp64Milli(label_time) > {arrivedBy:Int64}) AS later FROM ${table}`, { arrivedBy: Math.floor(arrivedBy) })
  if (Number(found?.['later'] ?? 0) > 0) throw new LatidoError('LABELS_INVALID', `${file.name}: ${String(found?.['later'])} labels lie after the arrival bound, ${new Date(arrivedBy).toISOString()}`, 'leave them out, or give a later --arrived-by')
}

/** What a killed build left; one that runs is younger. */
async function dropLeftovers (sql: OfflineSql): Promise<void> {
  const left = await sql.rows(`SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '${SCRATCH_PREFIX}') AND metadata_modification_time < now() - INTERVAL ${SCRATCH_KEPT_HOURS} HOUR`, {})
  for (const { name } of left) await sql.command(`DROP TABLE IF EXISTS ${named(String(name))} SYNC`)
}

function columnsOf (spine: Spine, views: readonly FeatureView[], source: FeatureSource): readonly DatasetColumn[] {
  return [
    { name: 'label_id', type: 'UInt64', unit: '', from: 'key' }, { name: 'patient', type: 'String', unit: '', from: 'key' }, { name: 'label_time', type: "DateTime64(3, 'UTC')", unit: 'ms since 1970', from: 'key' },
    ...spine.labels.map(({ name, type }) => ({ name, type, unit: '', from: 'label' as const })),
    ...views.flatMap(view => source.columnsOf(view).map(({ name, type, unit }) => ({ name, type, unit, from: 'feature' as const, view: viewKey(view) }))),
  ]
}

interface Chunk { readonly from: string, readonly to: string, readonly rows: number }

async function writeChunks (sql: OfflineSql, spine: Spine, views: readonly FeatureView[], source: FeatureSource, folder: string, chunkRows: number): Promise<readonly DatasetFile[]> {
  const chunks = await chunksOf(sql, spine, chunkRows)
  const files: DatasetFile[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let i = next++; i < chunks.length; i = next++) files[i] = await writeChunk(sql, spine, views, source, folder, i, chunks)
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(CHUNKS_AT_ONCE, chunks.length) }, work)) // all, before the folder goes
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason
  return files
}

async function writeChunk (sql: OfflineSql, spine: Spine, views: readonly FeatureView[], source: FeatureSource, folder: string, i: number, chunks: readonly Chunk[]): Promise<DatasetFile> {
  const { from, to, rows } = chunks[i]!
  const whole = chunks.length === 1
  const table = whole ? spine.table : scratchName()
  try {
    if (!whole) await sql.command(`CREATE TABLE ${table} ENGINE = MergeTree ORDER BY (patient, label_time, label_id) AS SELECT * FROM ${spine.table} WHERE patient BETWEEN ${quoted(from)} AND ${quoted(to)}`)
    return await writeParquet(sql, joined(spine, { table, from, to }, views, source), folder, `part-${String(i).padStart(5, '0')}.parquet`, rows)
  } finally {
    if (!whole) await sql.command(`DROP TABLE IF EXISTS ${table} SYNC`)
  }
}

/** Ranges of whole patients, in order, of about `chunkRows` labels each. */
async function chunksOf (sql: OfflineSql, { table }: Spine, chunkRows: number): Promise<readonly Chunk[]> {
  const rows = await sql.rows(`SELECT min(patient) AS from, max(patient) AS to, sum(n) AS rows FROM (SELECT patient, n, intDiv(sum(n) OVER (ORDER BY patient) - n, {chunkRows:UInt64}) AS chunk FROM (SELECT patient, count() AS n FROM ${table} GROUP BY patient)) GROUP BY chunk ORDER BY chunk`, { chunkRows })
  return rows.map(row => ({ from: String(row['from']), to: String(row['to']), rows: Number(row['rows']) }))
}

/**
 * One query: the labels in their order, each view joined to them from the left, and the values last. A view's vector goes through the joins as one
 * column: with a column and an expression a feature at each join, ClickHouse took as long to plan the query as to run it.
 */
function joined (spine: Spine, at: SpineTable, views: readonly FeatureView[], source: FeatureSource): string {
  const labels = ['label_id', 'patient', 'label_time', ...spine.labels.map(({ name }) => named(name))]
  let sql = `SELECT *, ${LABEL_KEY} AS known_at FROM ${at.table} ORDER BY patient, label_time, label_id`
  const values: string[] = []
  for (const view of views) {
    const rows = source.rows(view, at)
    const brought = rows.joined.map(({ name, column }) => `r.${column} AS ${name}`).join(', ')
    sql = rows.kind === 'asof'
      ? `SELECT l.*, ${brought} FROM (${sql}) AS l ASOF LEFT JOIN (${rows.sql}) AS r ON l.patient = r.patient AND l.known_at >= r.known_at`
      : `SELECT l.*, ${brought} FROM (${sql}) AS l LEFT ANY JOIN (${rows.sql}) AS r ON l.label_id = r.label_id SETTINGS join_use_nulls = 1`
    values.push(...rows.values.map(({ name, expression }) => `${expression} AS ${named(name)}`))
  }
  return `SELECT ${[...labels, ...values].join(', ')} FROM (${sql})`
}
