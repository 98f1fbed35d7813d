/** What is held for one patient. */
/** As of an offset of the patient's partition. */
export { readPatient } from './patient-state.ts'
export type { PatientAt } from './patient-state.ts'
/** In words. */
export { renderPatient } from './render-patient.ts'
