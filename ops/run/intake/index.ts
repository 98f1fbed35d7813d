/** What comes in: the intake, identities, and what several instances share of both. */
/** The kinds of connectors that feeds may name, the feeds of a folder, and their start. */
export { connectorKinds, openConnectors, readConfiguredFeeds } from './connectors.ts'
/** A file to the log. */
export { importFile } from './import.ts'
export type { ImportRequest, ImportSummary } from './import.ts'
/** JSON files that options name. */
export { readMappedOptionFile, readOptionFile } from './option-file.ts'
/** This process's intake, beneath all that takes or refuses. */
export { openOwnIntake } from './own-intake.ts'
/** Who a patient is; on a cluster with what other instances learned. */
export { openVault } from './vault.ts'
