import type { ConceptId } from '../../../streams/events/index.ts'
import type { DurationMs } from '../../../streams/time/index.ts'
import { partsOf, type Expression, type FeatureView } from '../../define/index.ts'

/** Windows that are longer than this see kept readings from before the patient was forgotten. */
const LONG_MS: DurationMs = 24 * 3_600_000

/** What the features of a view need of one concept. */
export interface ConceptNeeds {
  readonly concept: ConceptId
  /** How far windows over tiles and samples reach back; 0: there are none. */
  readonly allMs: DurationMs
  /** How far windows over kept readings reach back; 0: there are none. */
  readonly keptMs: DurationMs
  readonly newest: boolean
  readonly count: boolean
  /** Some window is so long that it sees kept readings from before the patient was forgotten. */
  readonly long: boolean
}

/** What is needed, by concept. */
export function needsOf (view: FeatureView): readonly ConceptNeeds[] {
  const leaves = view.expressions.flatMap(leavesOf)
  return view.concepts.map(concept => {
    const mine = leaves.filter(e => 'concept' in e && e.concept === concept)
    const keptMs = longestOf(mine, keptReach)
    return {
      concept, keptMs,
      allMs: longestOf(mine, allReach),
      newest: mine.some(e => e.op === 'last' || e.op === 'age'),
      count: mine.some(e => e.op === 'countSinceAdmission'),
      long: mine.some(isLong),
    }
  })
}

/** An expression's own reads: the leaves of its tree. */
export function leavesOf (e: Expression): readonly Expression[] { return partsOf(e).length === 0 ? [e] : partsOf(e).flatMap(leavesOf) }

/** A window of any kind that sees kept readings from before the patient was forgotten. */
export function isLong (e: Expression): boolean { return 'windowMs' in e && e.windowMs > LONG_MS }

function longestOf (leaves: readonly Expression[], reach: (e: Expression) => DurationMs): DurationMs { return leaves.reduce((ms, e) => Math.max(ms, reach(e)), 0) }

function keptReach (e: Expression): DurationMs { return e.op === 'window' && e.kept === 'sparse' ? e.windowMs : 0 }

function allReach (e: Expression): DurationMs {
  switch (e.op) {
    case 'window': return e.kept === 'dense' ? e.windowMs : 0
    case 'sampled': return e.windowMs
    case 'missingRate': return e.windowMs + e.everyMs
    default: return 0
  }
}
