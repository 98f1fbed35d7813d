import { CONCEPTS, type ConceptId } from '../../streams/events/index.ts'
import { parseDuration, type Duration } from '../../streams/time/index.ts'
import type { Aggregate, Comparison, Expression, Fact, Feature } from './expression.ts'

const unitOf = (concept: ConceptId): string => CONCEPTS[concept].unit

export interface LastFeature extends Feature { within (window: Duration): Feature }

/** The newest reading by event time; `.within('24 h')` makes it absent when older. */
export function last (concept: ConceptId): LastFeature {
  const make = (withinMs: number | undefined): Feature => ({ unit: unitOf(concept), expression: { op: 'last', concept, withinMs, back: 0 } })
  return { ...make(undefined), within: window => make(parseDuration(window)) }
}

/** The newest reading minus the one before it. */
export function delta (concept: ConceptId): Feature {
  const read = (back: 0 | 1): Expression => ({ op: 'last', concept, withinMs: undefined, back })
  return { unit: unitOf(concept), expression: { op: 'minus', left: read(0), right: read(1) } }
}

/** Hours since the newest reading. */
export function age (concept: ConceptId): Feature { return { unit: 'h', expression: { op: 'age', concept } } }

export interface WindowBuilder {
  /** Over a dense series (device numerics), kept as tiles. */
  over (window: Duration): Feature
  /** Over a sparse series (laboratory, charted), kept as readings: exact, and corrections replace. */
  overReadings (window: Duration): Feature
  /** Over hourly (or other) samples: each sample is the mean of its readings. */
  overSamples (window: Duration, sample?: Duration): Feature
}

function aggregate (name: Aggregate, unit: (u: string) => string) {
  return (concept: ConceptId): WindowBuilder => {
    const make = (expression: Expression): Feature => ({ unit: unit(unitOf(concept)), expression })
    return {
      over: window => make({ op: 'window', aggregate: name, concept, windowMs: parseDuration(window), kept: 'dense' }),
      overReadings: window => make({ op: 'window', aggregate: name, concept, windowMs: parseDuration(window), kept: 'sparse' }),
      overSamples: (window, sample = '1 h') => make({ op: 'sampled', aggregate: name, concept, windowMs: parseDuration(window), sampleMs: parseDuration(sample) }),
    }
  }
}

type Aggregator = (concept: ConceptId) => WindowBuilder
const same = (u: string): string => u
export const count: Aggregator = aggregate('count', () => '1')
export const sum: Aggregator = aggregate('sum', same)
export const mean: Aggregator = aggregate('mean', same)
export const min: Aggregator = aggregate('min', same)
export const max: Aggregator = aggregate('max', same)
export const variance: Aggregator = aggregate('variance', u => `(${u})2`)
export const deviation: Aggregator = aggregate('deviation', same)
export const first: Aggregator = aggregate('first', same)
export const slope: Aggregator = aggregate('slope', u => `(${u})/h`)
export const range: Aggregator = aggregate('range', same)

export function countSinceAdmission (concept: ConceptId): Feature { return { unit: '1', expression: { op: 'countSinceAdmission', concept } } }
export function fact (name: Fact): Feature { return { unit: name === 'ageYears' ? 'a' : name.startsWith('hours') ? 'h' : '1', expression: { op: 'fact', fact: name } } }
export function constant (value: number, unit = '1'): Feature { return { unit, expression: { op: 'constant', value } } }

const both = (op: 'plus' | 'minus' | 'times' | 'ratio' | 'least' | 'greatest', unit: (l: string, r: string) => string) =>
  (left: Feature, right: Feature): Feature => ({ unit: unit(left.unit, right.unit), expression: { op, left: left.expression, right: right.expression } })

type Pairwise = (left: Feature, right: Feature) => Feature
export const plus: Pairwise = both('plus', same)
export const minus: Pairwise = both('minus', same)
export const times: Pairwise = both('times', (l, r) => l === '1' ? r : r === '1' ? l : `${l}.${r}`)
export const ratio: Pairwise = both('ratio', (l, r) => l === r ? '1' : r === '1' ? l : `${l}/(${r})`)
export const least: Pairwise = both('least', same)
export const greatest: Pairwise = both('greatest', same)

export function coalesce (...of: readonly [Feature, ...Feature[]]): Feature { return { unit: of[0].unit, expression: { op: 'coalesce', of: of.map(f => f.expression) } } }
export function rounded (of: Feature, decimals = 0): Feature { return { unit: of.unit, expression: { op: 'rounded', of: of.expression, decimals } } }

/** Points of a score: `banded(x, [[8, 3], [11, 1], [20, 0], [24, 2]], 3)` is 3 up to 8, 1 up to 11, 0 up to 20, 2 up to 24, 3 above. */
export function banded (of: Feature, bands: readonly (readonly [upTo: number, points: number])[], above: number): Feature {
  return { unit: '{points}', expression: { op: 'banded', of: of.expression, bands: bands.map(([upTo, points]) => ({ upTo, points })), above } }
}

export function when (of: Feature, is: Comparison, than: number, yes: Feature, no: Feature): Feature {
  return { unit: yes.unit, expression: { op: 'when', of: of.expression, is, than, yes: yes.expression, no: no.expression } }
}

export function sumOfPresent (...of: readonly Feature[]): Feature { return { unit: of[0]?.unit ?? '1', expression: { op: 'sumOfPresent', of: of.map(f => f.expression) } } }
export function maxOfPresent (...of: readonly Feature[]): Feature { return { unit: of[0]?.unit ?? '1', expression: { op: 'maxOfPresent', of: of.map(f => f.expression) } } }
export function countMissing (...of: readonly Feature[]): Feature { return { unit: '1', expression: { op: 'countMissing', of: of.map(f => f.expression) } } }
