/** Views planned into one incremental state machine per patient. */
export { featuresMachine } from './machine.ts'
export type { FeatureOutput } from './machine.ts'
export type { PatientState } from './state.ts'
/** Derived expressions, over what those are that they are made of. */
export { derive } from './derive.ts'
export type { Derived, Evaluate, Evaluation } from './derive.ts'
/** What is kept for views, and how many bytes a key that takes. */
export { planViews, tileMsOf } from './plan.ts'
export type { Plan, SeriesPlan } from './plan.ts'
export { describePatient } from './describe.ts'
export type { PatientHolding, Point, SeriesHolding } from './describe.ts'
