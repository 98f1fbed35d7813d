/** The offline store: the port, the loop that fills it from the log, and ClickHouse behind it. */
export type {
  DeadLetterRow, EncounterRow, JsonRow, LogPosition, MergeRow, ObservationsRow, OfflineBatch, OfflineStore, ScorePoint, TrendPoint, VectorRow,
} from './port.ts'
export { OfflineBatchBuilder } from './batch.ts'
export { OFFLINE_WRITER_DEFAULTS, runOfflineWriter } from './writer.ts'
export type { OfflineDecode, OfflineWriter, OfflineWriterCounters, OfflineWriterLogger, OfflineWriterOptions } from './writer.ts'
export { SCHEMA_VERSION, lateOffline, openClickHouseOffline, startEngine } from './clickhouse/index.ts'
export type { ClickHouseOffline, ClickHouseOfflineOptions, OfflineSql, Engine, EngineLogger, EngineOptions, EngineStart, EngineState, Tiers } from './clickhouse/index.ts'
/** Skew: vectors as they were served against the same features computed from the observations. */
export { CAUSE_TEXTS, checkSkew, skewIn } from './skew/index.ts'
export type { FeatureSkew, SkewCause, SkewExample, SkewReport, SkewRequest } from './skew/index.ts'
/** Data sets, and the lake that they lie in. */
export { buildDataset, copyDataset, listDatasets, localLake, parseReference, readDataset, removeDataset, s3Lake, verifyDataset } from './dataset/index.ts'
export { exportTables, importTables, LAKE_TABLES, listTables } from './dataset/index.ts'
export type { ExportOptions, LakeStretch, LakeTable } from './dataset/index.ts'
export type { CompiledView, DatasetManifest, DatasetOptions, FileCheck, Lake, S3Credentials } from './dataset/index.ts'
/** Views computed from the observations, as SQL. */
export { backfill, BACKFILL_TRIGGER, columnTable, compileView, featuresAt } from './sql/index.ts'
export type { BackfillOptions, BackfillSummary, CompileOptions } from './sql/index.ts'
