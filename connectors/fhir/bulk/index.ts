/** Bulk Data export: a source that starts exports, waits, and reads their files line by line. */
export { bulkSource } from './source.ts'
export type { BulkOptions, ExportState } from './source.ts'
export { linesOf } from './ndjson.ts'
