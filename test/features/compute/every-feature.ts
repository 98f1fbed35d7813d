import { AGGREGATES, featureView, type Aggregate, type Expression, type Feature, type FeatureView } from '../../../features/define/index.ts'
import type { ConceptId } from '../../../streams/events/index.ts'
import { valueBase } from './lattice.ts'

const S = 1_000
const HOUR = 3_600_000
const NOT_OVER_SAMPLES: ReadonlySet<Aggregate> = new Set(['timeWeightedMean', 'timeAbove', 'timeBelow', 'timeSinceAbove', 'timeSinceBelow'])
const TILES = [3 * S, 10 * S, 30 * S, 100 * S, 2 * HOUR, 48 * HOUR]
const READINGS = [[30 * S, 0], [120 * S, 0], [120 * S, 20 * S], [24 * HOUR, 0], [72 * HOUR, 0], [72 * HOUR, 24 * HOUR]] as const
const SAMPLES = [[60 * S, 10 * S], [100 * S, 30 * S], [36 * HOUR, 6 * HOUR]] as const
const MISSING = [[60 * S, 10 * S], [100 * S, 30 * S], [48 * HOUR, 5 * HOUR]] as const

/** Every operator that reads a series, with every aggregate over every kind of window, and some that join them. */
export function everyExpression (concept: ConceptId): readonly Expression[] {
  const read = (back: 0 | 1, withinMs?: number): Expression => ({ op: 'last', concept, withinMs, back })
  const at = (aggregate: Aggregate): { readonly at?: number } => aggregate === 'quantile' ? { at: 0.7 } : /Above|Below/.test(aggregate) ? { at: valueBase(concept) + 1 } : {}
  const windows = AGGREGATES.flatMap((aggregate): readonly Expression[] => [
    ...READINGS.map(([windowMs, untilMs]): Expression => ({ op: 'window', aggregate, ...at(aggregate), concept, windowMs, untilMs, kept: 'sparse' })),
    ...(aggregate === 'distinctCount' ? [] : TILES.map((windowMs): Expression => ({ op: 'window', aggregate, ...at(aggregate), concept, windowMs, untilMs: 0, kept: 'dense' }))),
    ...(NOT_OVER_SAMPLES.has(aggregate) ? [] : SAMPLES.map(([windowMs, sampleMs]): Expression => ({ op: 'sampled', aggregate, ...at(aggregate), concept, windowMs, sampleMs }))),
  ])
  const mean: Expression = { op: 'window', aggregate: 'mean', concept, windowMs: 30 * S, untilMs: 0, kept: 'dense' }
  const joined: readonly Expression[] = [
    ...(['plus', 'minus', 'times', 'ratio', 'least', 'greatest'] as const).map((op): Expression => ({ op, left: read(0, 60 * S), right: mean })),
    { op: 'coalesce', of: [read(0, 10 * S), mean, read(1)] },
    { op: 'rounded', of: mean, decimals: 1 },
    { op: 'banded', of: read(0), bands: [{ upTo: valueBase(concept), points: 2 }, { upTo: valueBase(concept) + 1, points: 1 }], above: 0 },
    ...(['<', '<=', '>', '>=', '='] as const).map((is): Expression => ({ op: 'when', of: read(1), is, than: valueBase(concept) + 1, yes: mean, no: read(0) })),
    { op: 'sumOfPresent', of: [read(0, 10 * S), mean] }, { op: 'maxOfPresent', of: [read(0, 10 * S), mean] }, { op: 'countMissing', of: [read(0, 10 * S), mean, read(1)] },
  ]
  return [
    read(0), read(0, 20 * S), read(1), read(1, 24 * HOUR), { op: 'age', concept }, { op: 'countSinceAdmission', concept },
    ...MISSING.map(([windowMs, everyMs]): Expression => ({ op: 'missingRate', concept, windowMs, everyMs })), ...windows, ...joined,
    ...(['ageYears', 'male', 'female', 'hoursInUnit', 'hoursFromHospitalToUnit'] as const).map((fact): Expression => ({ op: 'fact', fact })), { op: 'constant', value: 7, unit: '1' },
  ]
}

/** All of them as one view, which speaks at every message. */
export function everyFeature (concepts: readonly ConceptId[], named: (e: Expression) => boolean = () => true): FeatureView {
  const features = Object.fromEntries(concepts.flatMap((concept, c) => everyExpression(concept).filter(named).map((expression, i): [string, Feature] => [`f${c}x${i}`, { expression }])))
  return featureView({ name: 'everything', version: 1, owner: 'test', description: 'every operator and aggregate', ttl: '1 m', emit: { every: '7 s', on: ['device', 'charted', 'laboratory'] }, features })
}

const SUMS: ReadonlySet<string> = new Set(['sum', 'mean', 'variance', 'deviation', 'slope', 'timeWeightedMean', 'quantile'])

/** Values lie a second apart: the scale of a slope. */
const SLOPE_SCALE = 3_600

/** Where sums, means or moments come in, 1e-9 relative; else equal. */
export function agrees (e: Expression, got: number, expected: number): boolean {
  if (Object.is(got, expected) || got === expected) return true
  const summed = e.op === 'window' || e.op === 'sampled' ? SUMS.has(e.aggregate) || (e.op === 'window' && e.kept === 'dense' && /^time(Above|Below)/.test(e.aggregate)) : !('concept' in e) && e.op !== 'fact' && e.op !== 'constant' && e.op !== 'countMissing'
  const scale = 'aggregate' in e && e.aggregate === 'slope' ? SLOPE_SCALE : 1
  return summed && Math.abs(got - expected) <= 1e-9 * Math.max(scale, Math.abs(got), Math.abs(expected))
}
