/** The composition root: the only place that builds anything. */
export { startLatido } from './start.ts'
export type { RunningLatido } from './start.ts'
export { replaySource } from './replay.ts'
export type { ReplayOptions, ReplaySummary } from './replay.ts'
/** The kinds of connectors that feeds may name, the product's and those of a folder; a file to the log. */
export { connectorKinds, importFile } from './intake/index.ts'
export type { ImportRequest, ImportSummary } from './intake/index.ts'
/** Connectors of a user's own. */
export { loadHarness, newConnector } from './own-connectors/index.ts'
/** The product's views and those of a user's folder; the feature catalogue, and what changes what is published. */
export { definedViews, lintCatalogue, loadOwnViews, namedPatientViews, planCatalogue, publishedIn, publishViews, readCatalogue, retireView } from './views/index.ts'
export type { LintReport } from './views/index.ts'
/** The topics and schemas of a Kafka cluster, before anything runs on it. */
export { isProvisioned, openProvisioning, renderCluster } from './log/index.ts'
export type { ClusterPlan, Provisioning } from './log/index.ts'
/** The offline store and its lake, for commands; a view at past moments, computed from the observations. */
export { backfillFile, backfillStore, exportVectors, isRemote, openLake, withOfflineStore } from './offline/index.ts'
export type { BackfillRequest, ExportSummary } from './offline/index.ts'
/** Fills an online store that has lost its rows. */
export { rebuildOnlineOf } from './rebuild-online.ts'
/** Features online, served by a process that does nothing else. */
export { startServing } from './online/index.ts'
/** What is held for one patient. */
export { readPatient, renderPatient } from './patient/index.ts'
export type { PatientAt } from './patient/index.ts'
