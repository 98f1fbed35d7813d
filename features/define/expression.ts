import type { ConceptId } from '../../streams/events/index.ts'
import type { DurationMs } from '../../streams/time/index.ts'

/**
 * What an aggregate says of the readings in a window; docs/feature-semantics.md has each to the letter. Slope is per hour; deviation and
 * variance are of a sample (n - 1); times are hours; delta is newest minus oldest.
 */
export const AGGREGATES = [
  'count', 'sum', 'mean', 'min', 'max', 'variance', 'deviation', 'first', 'last', 'delta', 'slope', 'range', 'quantile', 'distinctCount',
  'timeWeightedMean', 'timeAbove', 'timeBelow', 'timeSinceAbove', 'timeSinceBelow',
] as const
export type Aggregate = (typeof AGGREGATES)[number]

/** What an aggregate of a ward or a bed says of one feature of the patients in it. */
export const MEMBER_AGGREGATES = ['count', 'sum', 'mean', 'min', 'max', 'countAtLeast'] as const
export type MemberAggregate = (typeof MEMBER_AGGREGATES)[number]

/** Facts of the encounter, not of a series. */
export const FACTS = ['ageYears', 'male', 'female', 'hoursInUnit', 'hoursFromHospitalToUnit'] as const
export type Fact = (typeof FACTS)[number]

export type Comparison = '<' | '<=' | '>' | '>=' | '='

/**
 * A feature as a tree, planned once into the streaming operator and compiled into SQL. NaN is absence; unless said otherwise an operator is
 * absent when one of its inputs is.
 */
export type Expression =
  /** The newest reading by event time, if not older than `withinMs`. `back: 1` is the one before it. */
  | { readonly op: 'last', readonly concept: ConceptId, readonly withinMs: DurationMs | undefined, readonly back: 0 | 1 }
  /** Hours since the newest reading's event time. */
  | { readonly op: 'age', readonly concept: ConceptId }
  /**
   * Over readings in the window that ends `untilMs` before asOf: `sparse` reads kept readings alone (exact); `dense` reads device numerics as
   * tiles and kept readings beside them (head exact, tail moves by a tile). `at` is the level of a quantile or the limit of a time.
   */
  | { readonly op: 'window', readonly aggregate: Aggregate, readonly at?: number, readonly concept: ConceptId, readonly windowMs: DurationMs, readonly untilMs: DurationMs, readonly kept: 'sparse' | 'dense' }
  /** Over means of `sampleMs` long samples, so that 1 Hz numerics and hourly charting weigh the same: the present sample and those that began less than windowMs before asOf. */
  | { readonly op: 'sampled', readonly aggregate: Aggregate, readonly at?: number, readonly concept: ConceptId, readonly windowMs: DurationMs, readonly sampleMs: DurationMs }
  /** Of the samples of `everyMs` in the window, the share that holds no reading; always present. */
  | { readonly op: 'missingRate', readonly concept: ConceptId, readonly windowMs: DurationMs, readonly everyMs: DurationMs }
  /** Readings since the encounter began. */
  | { readonly op: 'countSinceAdmission', readonly concept: ConceptId }
  /** Over the patients of a ward or a bed, those that have the feature. */
  | { readonly op: 'members', readonly aggregate: MemberAggregate, readonly at?: number, readonly view: string, readonly version: number, readonly feature: string, readonly unit: string }
  | { readonly op: 'fact', readonly fact: Fact }
  | { readonly op: 'constant', readonly value: number, readonly unit: string }
  | { readonly op: 'plus' | 'minus' | 'times' | 'ratio' | 'least' | 'greatest', readonly left: Expression, readonly right: Expression }
  /** The first that is present. */
  | { readonly op: 'coalesce', readonly of: readonly Expression[] }
  /** Half-up to `decimals` places. */
  | { readonly op: 'rounded', readonly of: Expression, readonly decimals: number }
  /** Points by value: the points of the first band whose `upTo` is not exceeded (closed above), else `above`. */
  | { readonly op: 'banded', readonly of: Expression, readonly bands: readonly { readonly upTo: number, readonly points: number }[], readonly above: number }
  /** Absent condition: absent. */
  | { readonly op: 'when', readonly of: Expression, readonly is: Comparison, readonly than: number, readonly yes: Expression, readonly no: Expression }
  /** Over what is present; absent only if all are. */
  | { readonly op: 'sumOfPresent' | 'maxOfPresent', readonly of: readonly Expression[] }
  /** How many are absent; always present. */
  | { readonly op: 'countMissing', readonly of: readonly Expression[] }

/** A feature under its name is an expression; its unit follows from it. */
export interface Feature { readonly expression: Expression }

/** The expressions that one is made of. */
export function partsOf (e: Expression): readonly Expression[] {
  switch (e.op) {
    case 'plus': case 'minus': case 'times': case 'ratio': case 'least': case 'greatest': return [e.left, e.right]
    case 'coalesce': case 'sumOfPresent': case 'maxOfPresent': case 'countMissing': return e.of
    case 'rounded': case 'banded': return [e.of]
    case 'when': return [e.of, e.yes, e.no]
    case 'last': case 'age': case 'window': case 'sampled': case 'missingRate': case 'countSinceAdmission': case 'members': case 'fact': case 'constant': return []
  }
}

/** Every concept that an expression reads. */
export function conceptsOf (e: Expression): readonly ConceptId[] {
  return [...('concept' in e ? [e.concept] : []), ...partsOf(e).flatMap(conceptsOf)]
}

/** Every feature of another view that an expression reads. */
export function membersIn (e: Expression): readonly Extract<Expression, { op: 'members' }>[] {
  return [...(e.op === 'members' ? [e] : []), ...partsOf(e).flatMap(membersIn)]
}
