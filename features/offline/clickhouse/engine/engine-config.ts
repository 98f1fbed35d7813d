/**
 * The engine's server settings, small: one ward's data, beside everything else of the product on one machine.
 * Measured (chdb 3.4, linux x64, three runs on two cores that others loaded): 285 MB resident once the tables are there, of which 200 MB are
 * pages of the library; peak 448 to 496 MB over a load of 1,000,000 observations (157,000 to 205,000 rows a second) and 20,000 vectors of
 * 300 features (5,400 to 6,700 a second, their making included).
 */
const SERVER_SETTINGS = {
  max_server_memory_usage: 600_000_000,
  mark_cache_size: 16_000_000,
  primary_index_cache_size: 16_000_000,
  index_mark_cache_size: 4_000_000,
  uncompressed_cache_size: 0,
  mmap_cache_size: 0,
  query_condition_cache_size: 1_000_000,
  background_pool_size: 1,
  background_merges_mutations_concurrency_ratio: 2,
  background_schedule_pool_size: 2,
  background_move_pool_size: 1,
  background_fetches_pool_size: 1,
  background_common_pool_size: 1,
  background_message_broker_schedule_pool_size: 1,
  background_distributed_schedule_pool_size: 1,
  background_buffer_flush_schedule_pool_size: 1,
  tables_loader_foreground_pool_size: 1,
  tables_loader_background_pool_size: 1,
  restore_threads: 1,
  max_thread_pool_size: 200,
  max_thread_pool_free_size: 4,
} as const

/**
 * jemalloc, https://jemalloc.net/jemalloc.3.html: gives memory back after a second. Three runs with and without,
 * in turn: 379 to 407 MB resident after a load against 420 to 482, and no run slower than its neighbour by more than the noise.
 */
export const ALLOCATOR = 'narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0'

/** Each query starts from these; what a request says comes after, and counts for that request alone. */
export const QUERY_SETTINGS = {
  max_threads: '2',
  max_insert_threads: '1',
  /** Bytes. */
  max_memory_usage: '400000000',
  /** Seconds. A query of a client that has gone cannot be interrupted, so none may run for ever. */
  max_execution_time: '60',
  /** Bytes of a block that an insert collects before it writes a part. */
  min_insert_block_size_bytes: '33554432',
  min_insert_block_size_rows: '262144',
  max_partitions_per_insert_block: '10000',
} as const

/**
 * Lanes: how many queries run at a time; each takes a thread of libuv's pool for as long as it runs. Connections of one process
 * run in parallel (one reading: SELECT 1 beside a heavy query p50 6 ms, p99 26 ms of 100), so inserts and queries wait only for their own kind.
 */
export const READ_LANES = 4
export const WRITE_LANES = 2
/** Requests that may wait for a lane; one more is refused (code 202). */
export const WAITING_MAX = 256
/** Threads of libuv's pool: the lanes, and some for files. */
export const POOL_THREADS: number = READ_LANES + WRITE_LANES + 4
/** A statement that is not an insert's data, in bytes. */
export const STATEMENT_BYTES_MAX = 16_000_000

export function serverConfigXml (): string {
  const lines = Object.entries(SERVER_SETTINGS).map(([name, value]) => `  <${name}>${value}</${name}>`)
  return `<clickhouse>\n${lines.join('\n')}\n</clickhouse>\n`
}
