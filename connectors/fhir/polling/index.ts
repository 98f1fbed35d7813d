/** Polling: whole types by their time of change, or patient by patient. */
export { systemSource } from './system-source.ts'
export type { SystemPollOptions } from './system-source.ts'
export { patientSource } from './patient-source.ts'
export type { PatientList, PatientPollOptions, PatientSearch } from './patient-source.ts'
/** Patients, places and drugs that resources refer to, kept sealed and bounded. */
export { References, REFERENCES_DEFAULTS } from './references.ts'
export type { KnownResource, ReferencesOptions } from './references.ts'
export { deletionMessage } from './deletions.ts'
