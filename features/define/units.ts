import { CONCEPTS } from '../../streams/events/index.ts'
import type { Aggregate, Expression } from './expression.ts'

/** Exponents by base; what is in braces (`{points}`) and `1` have none. */
type Dimensions = ReadonlyMap<string, number>

/** A definition mixes units; `featureView` says of which feature. */
export class UnitMismatch extends Error {}

/** The unit of a feature in UCUM's manner: `mm[Hg]`, `/min`, `mm[Hg]/h`, `1`. Throws UnitMismatch where unlike units are added, compared or chosen between. */
export function unitOf (e: Expression): string {
  switch (e.op) {
    case 'last': return CONCEPTS[e.concept].unit
    case 'age': return 'h'
    case 'window': case 'sampled': return ofAggregate(e.aggregate, CONCEPTS[e.concept].unit)
    case 'missingRate': case 'countSinceAdmission': case 'countMissing': return '1'
    case 'members': return e.aggregate === 'count' || e.aggregate === 'countAtLeast' ? '1' : e.unit
    case 'fact': return e.fact === 'ageYears' ? 'a' : e.fact.startsWith('hours') ? 'h' : '1'
    case 'constant': return e.unit
    case 'plus': case 'minus': case 'least': case 'greatest': return same(e.op, [e.left, e.right])
    case 'times': return render(product(parse(unitOf(e.left)), parse(unitOf(e.right)), 1))
    case 'ratio': return render(product(parse(unitOf(e.left)), parse(unitOf(e.right)), -1))
    case 'coalesce': case 'sumOfPresent': case 'maxOfPresent': return same(e.op, e.of)
    case 'rounded': return unitOf(e.of)
    case 'banded': unitOf(e.of); return '{points}'
    case 'when': unitOf(e.of); return same(e.op, [e.yes, e.no])
  }
}

function ofAggregate (aggregate: Aggregate, unit: string): string {
  switch (aggregate) {
    case 'count': case 'distinctCount': return '1'
    case 'variance': return render(product(parse(unit), parse(unit), 1))
    case 'slope': return render(product(parse(unit), parse('h'), -1))
    case 'timeAbove': case 'timeBelow': case 'timeSinceAbove': case 'timeSinceBelow': return 'h'
    case 'sum': case 'mean': case 'min': case 'max': case 'deviation': case 'first': case 'last': case 'delta': case 'range': case 'quantile': case 'timeWeightedMean': return unit
  }
}

function same (op: string, of: readonly Expression[]): string {
  const units = of.map(unitOf)
  const odd = units.find(unit => render(parse(unit)) !== render(parse(units[0]!)))
  if (odd !== undefined) throw new UnitMismatch(`${op} of ${units[0]} and ${odd}`)
  return units.find(unit => unit.startsWith('{')) ?? units[0] ?? '1'
}

function parse (unit: string): Dimensions {
  const dimensions = new Map<string, number>()
  unit.split('/').forEach((part, i) => {
    for (const token of part.split('.')) {
      if (token === '' || token === '1' || token.startsWith('{')) continue
      const [, base, exponent] = token.startsWith('10*') ? [token, token, undefined] : /^(.*?)(\d+)?$/.exec(token)!
      const power = (exponent === undefined ? 1 : Number(exponent)) * (i === 0 ? 1 : -1)
      dimensions.set(base!, (dimensions.get(base!) ?? 0) + power)
    }
  })
  return dimensions
}

function product (left: Dimensions, right: Dimensions, sign: 1 | -1): Dimensions {
  const all = new Map(left)
  for (const [base, power] of right) all.set(base, (all.get(base) ?? 0) + sign * power)
  return all
}

function render (dimensions: Dimensions): string {
  const text = (sign: 1 | -1): readonly string[] => [...dimensions].filter(([, power]) => power * sign > 0).map(([base, power]) => Math.abs(power) === 1 ? base : `${base}${Math.abs(power)}`).sort()
  const above = text(1).join('.')
  const below = text(-1).map(base => `/${base}`).join('')
  return above + below === '' ? '1' : above + below
}
