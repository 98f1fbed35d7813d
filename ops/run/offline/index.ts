/** The offline store: what fills it, and what commands take from it. */
/** A view at past moments, from the observations. */
export { backfillFile, backfillStore } from './backfill.ts'
export type { BackfillRequest } from './backfill.ts'
/** The offline store and its lake, for commands. */
export { isRemote, openLake, withOfflineStore } from './dataset.ts'
/** Vectors to a file. */
export { exportVectors } from './export-vectors.ts'
export type { ExportSummary } from './export-vectors.ts'
/** What the store takes from the topics. */
export { OFFLINE_TOPICS, offlineDecode } from './offline-decode.ts'
/** The store of a running instance. */
export { openOfflineStore, startRollups } from './offline-store.ts'
/** What was served against what the store says. */
export { SkewMonitor } from './skew-monitor.ts'
