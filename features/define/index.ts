/** How features are defined: builders over concepts, views that bundle them. */
export { AGGREGATES, FACTS } from './expression.ts'
export type { Aggregate, Comparison, Expression, Fact, Feature } from './expression.ts'
export {
  age, banded, coalesce, constant, count, countMissing, countSinceAdmission, delta, deviation, fact, first, greatest, last, least, max, maxOfPresent, mean, min, minus, plus, range, ratio, rounded, slope, sum,
  sumOfPresent, times, variance, when,
} from './builders.ts'
export type { LastFeature, WindowBuilder } from './builders.ts'
export { conceptsOf, featureView, partsOf } from './view.ts'
export type { EmitPolicy, FeatureView, FeatureViewSpec } from './view.ts'
