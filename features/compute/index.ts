/** Views planned into one incremental state machine per patient. */
export { featuresMachine } from './machine.ts'
export type { FeatureOutput, PatientState } from './machine.ts'
export { planViews } from './plan.ts'
export type { Plan, SeriesPlan } from './plan.ts'
export { describePatient } from './describe.ts'
export type { PatientHolding, Point, SeriesHolding } from './describe.ts'
