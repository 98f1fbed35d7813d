/** Data sets: labels joined with what was known at their time, as named versions of Parquet files with a manifest; and the lake that they lie in. */
export { buildDataset, DATASET_DEFAULTS } from './build.ts'
export type { DatasetOptions } from './build.ts'
export { openLabelFile } from './label-file.ts'
export type { LabelFile, LabelFileOptions } from './label-file.ts'
/** Where features come from; a compiler of definitions plugs in as `CompiledView`. */
export { columnName, computedSource, servedSource } from './source.ts'
export type { CompiledView, FeatureColumn, FeatureRows, FeatureSource, SpineTable } from './source.ts'
export { localLake } from './lake.ts'
export type { Lake } from './lake.ts'
export { manifestText, parseManifest } from './manifest.ts'
export type { DatasetColumn, DatasetFile, DatasetManifest, DatasetView } from './manifest.ts'
/** Versions of data sets in a lake. */
export { copyDataset, listDatasets, parseReference, readDataset, removeDataset, verifyDataset, versionsOf } from './versions.ts'
export type { FileCheck } from './versions.ts'
export { s3Lake } from './s3-lake.ts'
export type { S3Credentials } from './s3-lake.ts'
/** Tables of the offline store in a lake. */
export { exportTables, importTables, LAKE_TABLES, listTables } from './tables.ts'
export type { ExportOptions, LakeStretch, LakeTable } from './tables.ts'
