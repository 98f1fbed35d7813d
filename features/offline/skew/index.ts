/** Skew: vectors as they were served against the same features computed from the observations. */
export { checkSkew } from './check-skew.ts'
export type { FeatureSkew, SkewExample, SkewReport, SkewRequest } from './check-skew.ts'
export { CAUSE_TEXTS, CAUSES } from './causes.ts'
export type { SkewCause } from './causes.ts'
export { skewIn, TOLERANCE } from './compare.ts'
export type { Outcome } from './compare.ts'
