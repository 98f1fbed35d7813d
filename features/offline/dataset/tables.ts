import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { ArrivalTimeMs, Clock } from '../../../streams/time/index.ts'
import { SCHEMA_VERSION, type OfflineSql } from '../clickhouse/index.ts'
import { momentOf, named } from '../sql-text.ts'
import { localLake, type Lake } from './lake.ts'
import { MANIFEST_FILE } from './manifest.ts'
import { writeParquet } from './parquet-file.ts'

export type LakeTable = 'observations' | 'encounters' | 'statements' | 'merges' | 'features' | 'scores' | 'alerts'
/** Tables of the offline store that go to a lake, each with the order of its rows there. */
export const LAKE_TABLES: Readonly<Record<LakeTable, string>> = {
  observations: 'patient, concept, event_time, `partition`, `offset`, `index`',
  encounters: 'patient, arrival_time, `partition`, `offset`',
  statements: 'patient, kind, statement_id, arrival_time, `partition`, `offset`',
  merges: 'patient, arrival_time, `partition`, `offset`',
  features: 'view, version, patient, as_of, `partition`, `offset`',
  scores: 'patient, model, model_version, as_of, `partition`, `offset`',
  alerts: 'patient, arrival_time, `partition`, `offset`',
}

/** A stretch of a table in the lake: rows that arrived in [from, to). */
export interface LakeStretch { readonly table: LakeTable, readonly from: string, readonly to: string, readonly rows: number, readonly bytes: number, readonly became: 'written' | 'there' | 'read' }

const PART = 'part-00000.parquet'
const Manifest = z.object({
  format: z.literal(1), table: z.enum(Object.keys(LAKE_TABLES) as [LakeTable, ...LakeTable[]]), from: z.iso.datetime(), to: z.iso.datetime(), created: z.iso.datetime(), schemaVersion: z.int(), columns: z.array(z.string()),
  rows: z.int(), bytes: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
type Manifest = z.infer<typeof Manifest>

export interface ExportOptions { readonly tables: readonly LakeTable[], readonly from: ArrivalTimeMs, readonly to: ArrivalTimeMs, readonly onStretch?: (stretch: LakeStretch) => void }

/**
 * Writes what arrived in [from, to) as Parquet, a stretch a month and table, each with a manifest of its hash. A stretch that is there is passed
 * over, so a stopped export goes on. Throws CONFIG_INVALID (an end in the future), DATA_DIR_UNWRITABLE, LAKE_UNREACHABLE, and what the store throws.
 */
export async function exportTables (sql: OfflineSql, lake: Lake, clock: Clock, { tables, from, to, onStretch }: ExportOptions): Promise<void> {
  if (to > clock.now()) throw new LatidoError('CONFIG_INVALID', 'the end of the export lies in the future: what arrives until then would be missing for ever', 'give a --to that has passed')
  for (const table of tables) {
    for (const month of monthsOf(from, to)) {
      const folder = folderOf(table, month)
      const there = await manifestOf(lake, folder)
      if (there !== undefined) { onStretch?.(stretchOf(there, 'there')); continue }
      const written = await writeStretch(sql, lake, clock, table, month, folder)
      if (written !== undefined) onStretch?.(stretchOf(written, 'written'))
    }
  }
}

/** Reads every stretch of the tables back; rows that are there already count once. Throws DATASET_DAMAGED, SCHEMA_INCOMPATIBLE, and what the store throws. */
export async function importTables (sql: OfflineSql, lake: Lake, tables: readonly LakeTable[], onStretch: (stretch: LakeStretch) => void = () => {}): Promise<void> {
  for (const table of tables) {
    for (const name of await lake.list(`tables/${table}`)) {
      const folder = `tables/${table}/${name}`
      const manifest = await manifestOf(lake, folder)
      if (manifest === undefined) continue // a write that was cut off
      await readStretch(sql, lake, folder, manifest)
      onStretch(stretchOf(manifest, 'read'))
    }
  }
}

/** The stretches that a lake has. */
export async function listTables (lake: Lake): Promise<readonly LakeStretch[]> {
  const stretches: LakeStretch[] = []
  for (const table of Object.keys(LAKE_TABLES) as LakeTable[]) {
    for (const name of await lake.list(`tables/${table}`)) {
      const manifest = await manifestOf(lake, `tables/${table}/${name}`)
      if (manifest !== undefined) stretches.push(stretchOf(manifest, 'there'))
    }
  }
  return stretches
}

interface Stretch { readonly from: ArrivalTimeMs, readonly to: ArrivalTimeMs }

/** [from, to) cut at the beginnings of months, UTC. */
function monthsOf (from: ArrivalTimeMs, to: ArrivalTimeMs): readonly Stretch[] {
  const months: Stretch[] = []
  for (let at = from; at < to;) {
    const day = new Date(at)
    const next = Math.min(to, Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1))
    months.push({ from: at, to: next })
    at = next
  }
  return months
}

const compact = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.000/g, '')
function folderOf (table: LakeTable, { from, to }: Stretch): string { return `tables/${table}/${compact(from)}-${compact(to)}` }

async function writeStretch (sql: OfflineSql, lake: Lake, clock: Clock, table: LakeTable, { from, to }: Stretch, folder: string): Promise<Manifest | undefined> {
  const within = `arrival_time >= ${momentOf(from)} AND arrival_time < ${momentOf(to)}`
  const rows = Number((await sql.rows(`SELECT count() AS n FROM ${table} WHERE ${within}`, {}))[0]?.['n'] ?? 0)
  if (rows === 0) return undefined
  const columns = (await sql.rows('SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position', { table })).map(row => String(row['name']))
  const local = await mkdtemp(join(tmpdir(), 'latido-lake-'))
  try {
    const { bytes, sha256 } = await writeParquet(sql, `SELECT ${columns.map(named).join(', ')} FROM ${table} WHERE ${within} ORDER BY ${LAKE_TABLES[table]}`, local, PART, rows, 1)
    const manifest: Manifest = { format: 1, table, from: new Date(from).toISOString(), to: new Date(to).toISOString(), created: new Date(clock.now()).toISOString(), schemaVersion: SCHEMA_VERSION, columns, rows, bytes, sha256 }
    await writeFile(join(local, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
    await lake.publish(local, [PART, MANIFEST_FILE], folder)
    return manifest
  } finally {
    await rm(local, { recursive: true, force: true })
  }
}

async function readStretch (sql: OfflineSql, lake: Lake, folder: string, manifest: Manifest): Promise<void> {
  if (manifest.schemaVersion > SCHEMA_VERSION) throw new LatidoError('SCHEMA_INCOMPATIBLE', `${folder} was written by schema ${manifest.schemaVersion}, this is ${SCHEMA_VERSION}`, 'upgrade this instance first')
  const local = await mkdtemp(join(tmpdir(), 'latido-lake-'))
  try {
    const file = join(local, PART)
    await lake.fetch(`${folder}/${PART}`, file)
    const hash = await localLake(local).hash(PART) // of what will be loaded, and without reading the lake again
    if (hash?.sha256 !== manifest.sha256) throw new LatidoError('DATASET_DAMAGED', `${folder}/${PART} is not the file of its manifest`, 'restore it from its source, or export it again')
    await sql.load(`${manifest.table} (${manifest.columns.map(named).join(', ')})`, 'Parquet', createReadStream(file), { settings: { insert_deduplication_token: manifest.sha256 } })
  } finally {
    await rm(local, { recursive: true, force: true })
  }
}

async function manifestOf (lake: Lake, folder: string): Promise<Manifest | undefined> {
  const text = await lake.readText(`${folder}/${MANIFEST_FILE}`)
  if (text === undefined) return undefined
  try {
    return Manifest.parse(JSON.parse(text))
  } catch (e) {
    throw new LatidoError('DATASET_DAMAGED', `the manifest of ${folder} is damaged`, 'restore it from its source, or export it again', e)
  }
}

function stretchOf ({ table, from, to, rows, bytes }: Manifest, became: LakeStretch['became']): LakeStretch { return { table, from, to, rows, bytes, became } }
