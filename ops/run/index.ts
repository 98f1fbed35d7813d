/** The composition root: the only place that builds anything. */
export { startLatido } from './start.ts'
export type { RunningLatido } from './start.ts'
/** The kinds of connectors that feeds may name: the product's, and those of a folder. */
export { connectorKinds } from './connectors.ts'
/** The product's views and those of a user's folder. */
export { definedViews, loadOwnViews } from './defined-views.ts'
export { namedPatientViews } from './named-views.ts'
/** The feature catalogue, and what changes what is published. */
export { lintCatalogue, planCatalogue, publishedIn, publishViews, readCatalogue, retireView } from './catalogue.ts'
export type { LintReport } from './catalogue.ts'
export { exportVectors } from './export-vectors.ts'
export type { ExportSummary } from './export-vectors.ts'
export { replaySource } from './replay.ts'
export type { ReplayOptions, ReplaySummary } from './replay.ts'
/** A file to the log. */
export { importFile } from './import.ts'
export type { ImportRequest, ImportSummary } from './import.ts'
/** The topics and schemas of a Kafka cluster, before anything runs on it. */
export { openProvisioning } from './provision.ts'
export type { ClusterPlan, Provisioning } from './provision.ts'
export { isProvisioned, renderCluster } from './render-cluster.ts'
/** Fills an online store that has lost its rows. */
export { rebuildOnlineOf } from './rebuild-online.ts'
/** What is held for one patient. */
export { readPatient } from './patient-state.ts'
export type { PatientAt } from './patient-state.ts'
export { renderPatient } from './render-patient.ts'
/** The offline store and its lake, for commands. */
export { isRemote, openLake, withOfflineStore } from './dataset.ts'
/** Features online, served by a process that does nothing else. */
export { startServing } from './serving.ts'
/** A view at past moments, computed from the observations. */
export { backfillFile, backfillStore } from './backfill.ts'
export type { BackfillRequest } from './backfill.ts'
/** Connectors of a user's own. */
export { loadHarness, newConnector } from './own-connectors/index.ts'
