import { AGGREGATES, age, countSinceAdmission, delta, fact, FACTS, featureView, last, missingRate, type Aggregate, type Expression, type Feature, type FeatureView } from '../../../../features/define/index.ts'
import { refusalOf } from '../../../../features/define/refusals.ts'
import type { ConceptId } from '../../../../streams/events/index.ts'

/** Lengths of the windows, in seconds: some within a minute, so that the lattice's steps meet their borders; `long` outlives a discharge. */
export interface Lengths { readonly readings: readonly number[], readonly until: number, readonly tiles: readonly number[], readonly samples: readonly (readonly [window: number, sample: number])[] }
export const SHORT: Lengths = { readings: [30, 120], until: 20, tiles: [30, 60, 120], samples: [[60, 10]] }
export const LONG: Lengths = { readings: [86_400, 172_800], until: 3_600, tiles: [86_400, 172_800], samples: [[86_400, 3_600], [172_800, 3_600]] }

const AT: Readonly<Partial<Record<Aggregate, number>>> = { quantile: 0.3, timeAbove: 1, timeBelow: 1, timeSinceAbove: 2, timeSinceBelow: 0 }

function windowsOf (concept: ConceptId, aggregate: Aggregate, { readings, until, tiles, samples }: Lengths): readonly Expression[] {
  const named = { aggregate, concept, ...(AT[aggregate] === undefined ? {} : { at: AT[aggregate] }) }
  return [
    ...readings.flatMap(s => [0, until].map((untilS): Expression => ({ op: 'window', ...named, windowMs: s * 1_000, untilMs: untilS * 1_000, kept: 'sparse' }))),
    ...tiles.map((s): Expression => ({ op: 'window', ...named, windowMs: s * 1_000, untilMs: 0, kept: 'dense' })),
    ...samples.map(([s, sample]): Expression => ({ op: 'sampled', ...named, windowMs: s * 1_000, sampleMs: sample * 1_000 })),
  ].filter(e => refusalOf(e) === undefined)
}

function nameOf (e: Expression): string {
  if (e.op === 'window') return `${e.aggregate}Over${e.kept === 'sparse' ? 'Readings' : 'Tiles'}${e.windowMs / 1_000}${e.untilMs === 0 ? '' : `Until${e.untilMs / 1_000}`}`
  return e.op === 'sampled' ? `${e.aggregate}OverSamples${e.windowMs / 1_000}` : e.op
}

/** Every operator that reads a series, with every aggregate of every kind of window that can be planned. */
export function everythingOf (concept: ConceptId, lengths: Lengths): Readonly<Record<string, Feature>> {
  const windows = AGGREGATES.flatMap(aggregate => windowsOf(concept, aggregate, lengths))
  return {
    [`${concept}Last`]: last(concept), [`${concept}LastWithin`]: last(concept).within('20 s'), [`${concept}Age`]: age(concept), [`${concept}Delta`]: delta(concept),
    [`${concept}Before`]: { expression: { op: 'last', concept, withinMs: undefined, back: 1 } }, [`${concept}Total`]: countSinceAdmission(concept), [`${concept}Missing`]: missingRate(concept, '10 s').over('1 m'),
    ...Object.fromEntries(windows.map(expression => [`${concept}${nameOf(expression).replace(/^./, c => c.toUpperCase())}`, { expression }])),
  }
}

/** All of it, over some concepts, and every fact. */
export function everything (concepts: readonly ConceptId[], lengths: Lengths): FeatureView {
  return featureView({
    name: 'everything', version: 1, owner: 'test', description: 'every operator', ttl: '1 m', emit: { every: '5 s', on: ['device', 'charted', 'laboratory'] },
    features: { ...Object.assign({}, ...concepts.map(c => everythingOf(c, lengths))) as Record<string, Feature>, ...Object.fromEntries(FACTS.map(name => [name, fact(name)])) },
  })
}
