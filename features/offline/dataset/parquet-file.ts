import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { OfflineSql } from '../clickhouse/index.ts'
import type { DatasetFile } from './manifest.ts'

/**
 * Everything that decides on the bytes of a Parquet file is said here, so that the same rows give the same file: one thread (the order), codec,
 * row groups, pages, no dictionaries. ClickHouse writes no time into a file; its version stands in it, so another version may give other bytes.
 */
const STABLE = {
  max_threads: 1, max_block_size: '8192',
  output_format_parquet_compression_method: 'zstd', output_format_parquet_row_group_size: '16384', output_format_parquet_data_page_size: '1048576', output_format_parquet_batch_size: '1024',
  output_format_parquet_max_dictionary_size: '0', output_format_parquet_write_bloom_filter: 0, output_format_parquet_write_page_index: 0, output_format_parquet_parallel_encoding: 0,
  output_format_parquet_string_as_string: 1, output_format_parquet_version: '2.6', output_format_parquet_use_custom_encoder: 1, output_format_parquet_datetime_as_uint32: 0,
} as const

/** Writes a query's rows to a Parquet file and answers what its manifest says of it. */
export async function writeParquet (sql: OfflineSql, query: string, folder: string, name: string, rows: number, final: 0 | 1 = 0): Promise<DatasetFile> {
  const hash = createHash('sha256')
  let bytes = 0
  const body = await sql.bytes(query, 'Parquet', { settings: { ...STABLE, ...(final === 1 ? { final: 1 } : {}) } })
  const counted = new Transform({ transform (chunk: Buffer, _encoding, done) { hash.update(chunk); bytes += chunk.length; done(null, chunk) } })
  await pipeline(body, counted, createWriteStream(join(folder, name), { mode: 0o600 }))
  return { name, rows, bytes, sha256: hash.digest('hex') }
}
