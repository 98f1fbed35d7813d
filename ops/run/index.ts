/** The composition root: the only place that builds anything. */
export { startLatido } from './start.ts'
export type { RunningLatido } from './start.ts'
/** The kinds of connectors that feeds may name: the product's, and those of a folder. */
export { connectorKinds } from './intake/index.ts'
/** The product's views and those of a user's folder. */
export { definedViews, loadOwnViews } from './views/index.ts'
export { namedPatientViews } from './views/index.ts'
/** The feature catalogue, and what changes what is published. */
export { lintCatalogue, planCatalogue, publishedIn, publishViews, readCatalogue, retireView } from './views/index.ts'
export type { LintReport } from './views/index.ts'
export { exportVectors } from './offline/index.ts'
export type { ExportSummary } from './offline/index.ts'
export { replaySource } from './replay.ts'
export type { ReplayOptions, ReplaySummary } from './replay.ts'
/** A file to the log. */
export { importFile } from './intake/index.ts'
export type { ImportRequest, ImportSummary } from './intake/index.ts'
/** The topics and schemas of a Kafka cluster, before anything runs on it. */
export { openProvisioning } from './log/index.ts'
export type { ClusterPlan, Provisioning } from './log/index.ts'
export { isProvisioned, renderCluster } from './log/index.ts'
/** Fills an online store that has lost its rows. */
export { rebuildOnlineOf } from './online/index.ts'
/** What is held for one patient. */
export { readPatient } from './patient/index.ts'
export type { PatientAt } from './patient/index.ts'
export { renderPatient } from './patient/index.ts'
/** The offline store and its lake, for commands. */
export { isRemote, openLake, withOfflineStore } from './offline/index.ts'
/** Features online, served by a process that does nothing else. */
export { startServing } from './online/index.ts'
/** A view at past moments, computed from the observations. */
export { backfillFile, backfillStore } from './offline/index.ts'
export type { BackfillRequest } from './offline/index.ts'
/** Connectors of a user's own. */
export { loadHarness, newConnector } from './own-connectors/index.ts'
