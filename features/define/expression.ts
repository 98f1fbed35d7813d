import type { ConceptId } from '../../streams/events/index.ts'
import type { DurationMs } from '../../streams/time/index.ts'

/** What an aggregate says of the readings in a window. Slope is per hour; deviation and variance are of a sample (n - 1). */
export const AGGREGATES = ['count', 'sum', 'mean', 'min', 'max', 'variance', 'deviation', 'first', 'slope', 'range'] as const
export type Aggregate = (typeof AGGREGATES)[number]

/** Facts of the encounter, not of a series. */
export const FACTS = ['ageYears', 'male', 'female', 'hoursInUnit', 'hoursFromHospitalToUnit'] as const
export type Fact = (typeof FACTS)[number]

export type Comparison = '<' | '<=' | '>' | '>=' | '='

/**
 * A feature as a tree, planned once into the streaming operator (and, elsewhere, into SQL). NaN is absence; unless said otherwise an
 * operator is absent when one of its inputs is.
 */
export type Expression =
  /** The newest reading by event time, if not older than `withinMs`. `back: 1` is the one before it. */
  | { readonly op: 'last', readonly concept: ConceptId, readonly withinMs: DurationMs | undefined, readonly back: 0 | 1 }
  /** Hours since the newest reading's event time. */
  | { readonly op: 'age', readonly concept: ConceptId }
  /** Over readings with event time in [asOf - windowMs, asOf]: `sparse` keeps readings (exact); `dense` keeps tiles (head exact, tail moves by a tile). */
  | { readonly op: 'window', readonly aggregate: Aggregate, readonly concept: ConceptId, readonly windowMs: DurationMs, readonly kept: 'sparse' | 'dense' }
  /** Over means of `sampleMs` long samples, so that 1 Hz numerics and hourly charting weigh the same: the present sample and those that began less than windowMs before asOf. */
  | { readonly op: 'sampled', readonly aggregate: Aggregate, readonly concept: ConceptId, readonly windowMs: DurationMs, readonly sampleMs: DurationMs }
  /** Readings since the encounter began. */
  | { readonly op: 'countSinceAdmission', readonly concept: ConceptId }
  | { readonly op: 'fact', readonly fact: Fact }
  | { readonly op: 'constant', readonly value: number }
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

/** A feature under its name is an expression with a unit. */
export interface Feature { readonly expression: Expression, readonly unit: string }
