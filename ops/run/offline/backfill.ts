import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { FeatureView } from '../../../features/define/index.ts'
import { backfill, type BackfillOptions, type BackfillSummary, type ClickHouseOffline, columnTable } from '../../../features/offline/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'

export type BackfillRequest = Pick<BackfillOptions, 'view' | 'from' | 'to' | 'at' | 'chunkRows' | 'signal' | 'onProgress'>

/** Into table `features`, where the rows stand beside those that were served. */
export async function backfillStore (store: ClickHouseOffline, request: BackfillRequest): Promise<BackfillSummary> {
  const { name, version, names, units } = request.view
  await store.registerView(name, version, names, units)
  return await backfill(store.sql, { ...request, into: { table: 'features', shape: 'vectors' } })
}

/**
 * Into a Parquet file: a row a patient and moment, of each feature its value (NaN: absent) and its event time (ms). The file appears whole or not at all.
 * What a stopped run has computed stays in a table, from which the next goes on. Throws DATA_DIR_UNWRITABLE where the file cannot be written.
 */
export async function backfillFile (store: ClickHouseOffline, request: BackfillRequest, file: string): Promise<BackfillSummary> {
  const { view } = request
  const table = tableOf(request)
  const half = `${file}.${randomBytes(4).toString('hex')}.part`
  await writable(half, view)
  try {
    await store.sql.command(columnTable(view, table))
    const summary = await backfill(store.sql, { ...request, into: { table, shape: 'columns' } })
    if (summary.stopped) return summary
    const body = await store.sql.bytes(`SELECT * FROM ${table} FINAL ORDER BY patient, as_of`, 'Parquet', { settings: { output_format_parquet_string_as_string: 1, output_format_parquet_row_group_size: '16384', max_block_size: '8192' } })
    await pipeline(body, createWriteStream(half, { mode: 0o600 }))
    await rename(half, file)
    await store.sql.command(`DROP TABLE IF EXISTS ${table} SYNC`)
    return summary
  } finally {
    await rm(half, { force: true })
  }
}

/** Of the same request the same table. */
function tableOf ({ view, from, to, at }: BackfillRequest): string {
  return `backfill_${view.name}_${view.version}_${from}_${to}_${at === 'emissions' ? 'emissions' : at.everyMs}`
}

/** Before hours of work. */
async function writable (file: string, view: FeatureView): Promise<void> {
  try {
    await pipeline([], createWriteStream(file, { mode: 0o600 }))
  } catch (cause) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', `the file for ${view.name} cannot be written`, 'choose another with --into', cause)
  }
}
