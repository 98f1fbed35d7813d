/** DICOM: the imaging studies of an Orthanc archive, by its change feed. Tags alone are read, never pixels. */
export { orthancConnector } from './kind.ts'
/** What a feed of this kind may say, with its defaults. */
export { ORTHANC_LIMITS, orthancOptions } from './options.ts'
export type { OrthancOptions } from './options.ts'
/** What is read of a study, as dead letters have it. */
export type { StudyNotice, StudyTags } from './study.ts'
