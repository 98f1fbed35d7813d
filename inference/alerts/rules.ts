import { viewKey } from '../../features/define/index.ts'
import { NEWS2_PARTS } from '../../features/views/index.ts'
import type { FeatureVector } from '../../features/vector.ts'
import type { AlertOptions } from './options.ts'
import type { AlertRule, Priority, Reason, Score } from './types.ts'

/** What one input says of one rule. */
export interface Finding {
  readonly rule: AlertRule
  readonly value: number
  readonly threshold: number
  /** The condition holds: raise after the dwell. */
  readonly raised: boolean
  /** The condition is gone, with hysteresis; between the two nothing changes. */
  readonly gone: boolean
  readonly missing: readonly string[]
  readonly reasons: readonly Reason[]
  readonly onsetEventTime: number
  readonly basis: string
}

export const RULE_TRAITS: Readonly<Record<AlertRule, { readonly priority: Priority, readonly latches: boolean }>> = {
  'news2-emergency': { priority: 'high', latches: true },
  'news2-urgent': { priority: 'medium', latches: false },
  'sepsis-risk': { priority: 'medium', latches: false },
  'no-data': { priority: 'low', latches: false },
}

/** A higher rule that is not normal keeps a lower one quiet: one patient, one reason to come. */
export const SUPPRESSED_BY: Readonly<Partial<Record<AlertRule, AlertRule>>> = { 'news2-urgent': 'news2-emergency' }

// RCP 2017: 7 or more is an emergency; 5 or 6, or 3 in one part, is urgent. One point of hysteresis below each before it is gone.
const EMERGENCY = 7
const URGENT = 5
const RED = 3
/** The risk must fall to this share of the threshold before a sepsis alert is gone. */
export const RISK_HYSTERESIS = 0.8

/** Names of a view's features, so that vectors can be read by name. */
export type NamesOf = (view: string, version: number) => readonly string[] | undefined

/** NEWS2's two rules. With parts missing the sum is a lower bound: it may raise, and says which parts. */
export function news2Findings (vector: FeatureVector, names: readonly string[]): readonly Finding[] {
  const at = (name: string): number => vector.values[names.indexOf(name)] ?? NaN
  const timeOf = (name: string): number => vector.times[names.indexOf(name)] ?? NaN
  const score = at('news2')
  if (Number.isNaN(score)) return []
  const red = at('news2Max') >= RED
  const reasons = NEWS2_PARTS.filter(part => at(part) > 0)
    .map((part): Reason => ({ feature: part, value: orNull(at(`${part}Value`)), contribution: at(part), eventTime: orNull(timeOf(part)) }))
    .sort((a, b) => b.contribution - a.contribution)
  const shared = {
    value: score,
    missing: NEWS2_PARTS.filter(part => Number.isNaN(at(part))),
    reasons,
    onsetEventTime: reasons.reduce((newest, r) => Math.max(newest, r.eventTime ?? 0), 0) || vector.asOf,
    basis: viewKey(vector),
  }
  return [
    { ...shared, rule: 'news2-emergency', threshold: EMERGENCY, raised: score >= EMERGENCY, gone: score < EMERGENCY - 1 },
    { ...shared, rule: 'news2-urgent', threshold: URGENT, raised: score >= URGENT || red, gone: score < URGENT - 1 && !red },
  ]
}

export function sepsisFindings (vector: FeatureVector, score: Score, options: AlertOptions): readonly Finding[] {
  const newest = score.reasons.reduce((t, r) => Math.max(t, r.eventTime ?? 0), 0)
  return [{
    rule: 'sepsis-risk',
    value: score.probability,
    threshold: options.sepsisThreshold,
    raised: score.probability >= options.sepsisThreshold,
    gone: score.probability < options.sepsisThreshold * RISK_HYSTERESIS,
    missing: [],
    reasons: score.reasons,
    onsetEventTime: newest === 0 ? vector.asOf : newest,
    basis: `${score.model}@${score.modelVersion}`,
  }]
}

function orNull (value: number): number | null { return Number.isNaN(value) ? null : value }
