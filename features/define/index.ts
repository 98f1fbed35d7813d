/** How features are defined: builders over concepts, views that bundle them. */
export { AGGREGATES, conceptsOf, FACTS, MEMBER_AGGREGATES, membersIn, partsOf } from './expression.ts'
export type { Aggregate, Comparison, Expression, Fact, Feature, MemberAggregate } from './expression.ts'
export {
  age, banded, coalesce, constant, count, countMissing, countSinceAdmission, delta, deviation, distinctCount, fact, first, greatest, last, least, max, maxOfPresent, mean, min, minus, missingRate, patients, plus,
  quantile, range, ratio, rounded, slope, sum, sumOfPresent, timeAbove, timeBelow, times, timeSinceAbove, timeSinceBelow, timeWeightedMean, variance, when,
} from './builders.ts'
export type { LastFeature, WindowBuilder } from './builders.ts'
/** The unit of an expression. */
export { UnitMismatch, unitOf } from './units.ts'
export { ENTITIES, featureView, viewFingerprint, viewKey } from './view.ts'
export type { EmitPolicy, Entity, FeatureView, FeatureViewSpec, ValuesOf } from './view.ts'
