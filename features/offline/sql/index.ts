/** Feature views as ClickHouse SQL: every feature of a patient as it was known at any time, from the observations. */
export { compileReadings, compileView } from './compile-view.ts'
export type { CompileOptions } from './compile-view.ts'
/** For data sets: a view at labels. */
export { featuresAt, labelCompiler } from './computed.ts'
/** Whether a query must know of merges. */
export { anyMerged } from './merged.ts'
/** A view at many moments, written to the offline store. */
export { backfill, BACKFILL_DEFAULTS, BACKFILL_TRIGGER, columnTable } from './backfill.ts'
export type { BackfillOptions, BackfillSummary } from './backfill.ts'
