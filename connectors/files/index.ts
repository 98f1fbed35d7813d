/** Data files: as feeds, and as streams of historical messages in order of arrival over all patients. */
/** PhysioNet/CinC Challenge 2019: hourly rows of ICU stays, .csv, .csv.gz or a folder of .psv. */
export { openPhysionet2019 } from './physionet2019/source.ts'
export type { Physionet2019Options } from './physionet2019/source.ts'
/** MIMIC-III or its demo: charted values arrive at storetime. */
export { openMimic3 } from './mimic3/source.ts'
export type { Mimic3Options } from './mimic3/source.ts'
/** What both answer, and the options that both take. */
export type { HistoricalMessage, HistoricalSource, ReadOptions } from './port.ts'
/** Files as a feed: a folder into which they are dropped, and one that is taken at once. */
export { FILES_IN_FLIGHT_MAX, filesKind, formatOf } from './kind.ts'
export type { FilesParts } from './kind.ts'
export { FILES_OPTIONS, FORMAT_NAMES } from './options.ts'
export type { FilesOptions, FormatName } from './options.ts'
export { runImport } from './import/import-file.ts'
export type { Imported, ImportOptions, RunningImport } from './import/import-file.ts'
export type { FileProgress } from './import/files-source.ts'
export type { FileFormat } from './import/format.ts'
/** What FHIR lends to files. */
export type { FhirParts, FhirReferences } from './formats/fhir-ndjson.ts'
