import type { ConceptId } from '../../streams/events/index.ts'
import { parseDuration, type Duration } from '../../streams/time/index.ts'
import type { Aggregate, Comparison, Expression, Fact, Feature, MemberAggregate } from './expression.ts'
import type { FeatureView } from './view.ts'

const feature = (expression: Expression): Feature => ({ expression })

export interface WindowBuilder {
  /** Over device numerics, kept as tiles, and charted readings beside them. */
  over (window: Duration): Feature
  /** Over laboratory and charted readings alone: exact, and corrections replace. `until: '8 d'` ends the window 8 days before now. */
  overReadings (window: Duration, options?: { readonly until?: Duration }): Feature
  /** Over hourly (or other) samples: each sample is the mean of its readings. */
  overSamples (window: Duration, sample?: Duration): Feature
}

function windows (aggregate: Aggregate, concept: ConceptId, at?: number): WindowBuilder {
  const named = { aggregate, ...(at === undefined ? {} : { at }), concept }
  return {
    over: window => feature({ op: 'window', ...named, windowMs: parseDuration(window), untilMs: 0, kept: 'dense' }),
    overReadings: (window, { until } = {}) => feature({ op: 'window', ...named, windowMs: parseDuration(window), untilMs: until === undefined ? 0 : parseDuration(until), kept: 'sparse' }),
    overSamples: (window, sample = '1 h') => feature({ op: 'sampled', ...named, windowMs: parseDuration(window), sampleMs: parseDuration(sample) }),
  }
}

export interface LastFeature extends Feature, WindowBuilder { within (window: Duration): Feature }

/** The newest reading by event time; `.within('24 h')` makes it absent when older. */
export function last (concept: ConceptId): LastFeature {
  const make = (withinMs: number | undefined): Feature => feature({ op: 'last', concept, withinMs, back: 0 })
  return { ...make(undefined), ...windows('last', concept), within: window => make(parseDuration(window)) }
}

/** The newest reading minus the one before it; `.overReadings('24 h')` and its kin: minus the oldest of the window. */
export function delta (concept: ConceptId): Feature & WindowBuilder {
  const read = (back: 0 | 1): Expression => ({ op: 'last', concept, withinMs: undefined, back })
  return { ...feature({ op: 'minus', left: read(0), right: read(1) }), ...windows('delta', concept) }
}

/** Hours since the newest reading. */
export function age (concept: ConceptId): Feature { return feature({ op: 'age', concept }) }

type Aggregator = (concept: ConceptId) => WindowBuilder
const aggregator = (name: Aggregate): Aggregator => concept => windows(name, concept)
export const count: Aggregator = aggregator('count')
export const sum: Aggregator = aggregator('sum')
export const mean: Aggregator = aggregator('mean')
export const min: Aggregator = aggregator('min')
export const max: Aggregator = aggregator('max')
export const variance: Aggregator = aggregator('variance')
export const deviation: Aggregator = aggregator('deviation')
export const first: Aggregator = aggregator('first')
/** Least squares, per hour. */
export const slope: Aggregator = aggregator('slope')
export const range: Aggregator = aggregator('range')
export const distinctCount: Aggregator = aggregator('distinctCount')
/** Each reading holds until the next; over tiles each tile that has readings weighs the same. */
export const timeWeightedMean: Aggregator = aggregator('timeWeightedMean')

type LimitedAggregator = (concept: ConceptId, at: number) => WindowBuilder
const limited = (name: Aggregate): LimitedAggregator => (concept, at) => windows(name, concept, at)
/** `quantile('heartRate', 0.95)`: exact over readings and samples, within 1 % of the value over tiles. */
export const quantile: LimitedAggregator = limited('quantile')
/** Hours above a limit (strictly), each reading holding until the next. */
export const timeAbove: LimitedAggregator = limited('timeAbove')
export const timeBelow: LimitedAggregator = limited('timeBelow')
/** Hours since the newest reading above a limit (strictly). */
export const timeSinceAbove: LimitedAggregator = limited('timeSinceAbove')
export const timeSinceBelow: LimitedAggregator = limited('timeSinceBelow')

/** `missingRate('spo2', '1 m').over('1 h')`: the share of minutes without a reading. */
export function missingRate (concept: ConceptId, every: Duration): { over (window: Duration): Feature } {
  return { over: window => feature({ op: 'missingRate', concept, windowMs: parseDuration(window), everyMs: parseDuration(every) }) }
}

export function countSinceAdmission (concept: ConceptId): Feature { return feature({ op: 'countSinceAdmission', concept }) }
export function fact (name: Fact): Feature { return feature({ op: 'fact', fact: name }) }
export function constant (value: number, unit: string = '1'): Feature { return feature({ op: 'constant', value, unit }) }

type OfMembers = <N extends string>(view: FeatureView<N>, name: NoInfer<N>) => Feature
const ofMembers = (aggregate: MemberAggregate): OfMembers => (view, name) => members(aggregate, view, name)

function members (aggregate: MemberAggregate, view: FeatureView, name: string, at?: number): Feature {
  return feature({ op: 'members', aggregate, ...(at === undefined ? {} : { at }), view: view.name, version: view.version, feature: name, unit: view.units[view.names.indexOf(name)] ?? '1' })
}

/** Over the patients of a ward or a bed, for views of those entities: `patients.mean(news2View, 'news2')`. */
export const patients: {
  readonly count: OfMembers
  readonly sum: OfMembers
  readonly mean: OfMembers
  readonly min: OfMembers
  readonly max: OfMembers
  /** How many have at least `limit`. */
  countAtLeast<N extends string> (view: FeatureView<N>, name: NoInfer<N>, limit: number): Feature
} = {
  count: ofMembers('count'), sum: ofMembers('sum'), mean: ofMembers('mean'), min: ofMembers('min'), max: ofMembers('max'),
  countAtLeast: (view, name, limit) => members('countAtLeast', view, name, limit),
}

type Pairwise = (left: Feature, right: Feature) => Feature
const both = (op: 'plus' | 'minus' | 'times' | 'ratio' | 'least' | 'greatest'): Pairwise => (left, right) => feature({ op, left: left.expression, right: right.expression })
export const plus: Pairwise = both('plus')
export const minus: Pairwise = both('minus')
export const times: Pairwise = both('times')
export const ratio: Pairwise = both('ratio')
export const least: Pairwise = both('least')
export const greatest: Pairwise = both('greatest')

export function coalesce (...of: readonly [Feature, ...Feature[]]): Feature { return feature({ op: 'coalesce', of: of.map(f => f.expression) }) }
export function rounded (of: Feature, decimals: number = 0): Feature { return feature({ op: 'rounded', of: of.expression, decimals }) }

/** Points of a score: `banded(x, [[8, 3], [11, 1], [20, 0], [24, 2]], 3)` is 3 up to 8, 1 up to 11, 0 up to 20, 2 up to 24, 3 above. */
export function banded (of: Feature, bands: readonly (readonly [upTo: number, points: number])[], above: number): Feature {
  return feature({ op: 'banded', of: of.expression, bands: bands.map(([upTo, points]) => ({ upTo, points })), above })
}

export function when (of: Feature, is: Comparison, than: number, yes: Feature, no: Feature): Feature {
  return feature({ op: 'when', of: of.expression, is, than, yes: yes.expression, no: no.expression })
}

export function sumOfPresent (...of: readonly Feature[]): Feature { return feature({ op: 'sumOfPresent', of: of.map(f => f.expression) }) }
export function maxOfPresent (...of: readonly Feature[]): Feature { return feature({ op: 'maxOfPresent', of: of.map(f => f.expression) }) }
export function countMissing (...of: readonly Feature[]): Feature { return feature({ op: 'countMissing', of: of.map(f => f.expression) }) }
