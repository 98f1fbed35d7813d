/** Drift: counts per window against frozen reference bins, and their comparison by PSI. */
export { driftCountsMachine } from './drift-counts.ts'
export type { DriftCounts, DriftCountState, WatchedVector } from './drift-counts.ts'
export { driftMachine } from './drift.ts'
export type { DriftState } from './drift.ts'
export { binOf, psi, PSI_DEFAULTS, psiThreshold, referenceCounts } from './psi.ts'
export type { ReferenceBins } from './psi.ts'
export type { DriftReference, FeatureReference } from './reference.ts'
