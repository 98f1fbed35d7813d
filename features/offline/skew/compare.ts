/** What a comparison of one feature of one vector came to. `served-absent`: the stream said nothing, the store says a value; `stored-absent` the other way round. */
export const OUTCOMES = ['equal', 'within', 'different', 'served-absent', 'stored-absent'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Sums, moments and slopes are added up in another order by SQL: relative, of the larger of both and 1. */
export const TOLERANCE = 1e-9

export interface Compared { readonly outcome: Outcome, readonly relative: number }

/** A served value against the one computed from the observations; NaN is absence. */
export function compareValues (served: number, stored: number): Compared {
  if (Object.is(served, stored) || served === stored) return { outcome: 'equal', relative: 0 }
  if (Number.isNaN(served)) return { outcome: 'served-absent', relative: Infinity }
  if (Number.isNaN(stored)) return { outcome: 'stored-absent', relative: Infinity }
  const relative = Math.abs(served - stored) / Math.max(1, Math.abs(served), Math.abs(stored))
  return { outcome: relative <= TOLERANCE ? 'within' : 'different', relative }
}

export function isSkewed (outcome: Outcome): boolean { return outcome !== 'equal' && outcome !== 'within' }

/** Of a feature's outcomes those that are skew and have occurred. */
export function skewIn (outcomes: Readonly<Record<Outcome, number>>): readonly (readonly [Outcome, number])[] {
  return OUTCOMES.filter(outcome => isSkewed(outcome) && outcomes[outcome] > 0).map(outcome => [outcome, outcomes[outcome]])
}
