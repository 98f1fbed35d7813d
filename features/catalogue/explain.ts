import { CONCEPTS, type ConceptId } from '../../streams/events/index.ts'
import { formatDuration, type DurationMs } from '../../streams/time/index.ts'
import { tileMsOf } from '../compute/index.ts'
import { viewKey, type Expression } from '../define/index.ts'

const OPERATORS = { plus: '+', minus: '-', times: 'x', ratio: '/' } as const
const FACT_TEXT = { ageYears: 'age in years', male: 'male (1 or 0)', female: 'female (1 or 0)', hoursInUnit: 'hours since admission', hoursFromHospitalToUnit: 'hours from hospital to unit' } as const

/** An expression as a person reads it: `mean of heart rate over 5 m (tiles of 10 s)`. */
export function explainFeature (e: Expression): string {
  switch (e.op) {
    case 'last': return `${e.back === 1 ? 'the reading before the newest' : 'newest reading'} of ${nameOf(e.concept)}${e.withinMs === undefined ? '' : ` within ${text(e.withinMs)}`}`
    case 'age': return `hours since the newest reading of ${nameOf(e.concept)}`
    case 'window': return `${aggregateOf(e)} of ${nameOf(e.concept)} over ${text(e.windowMs)}${e.kept === 'dense' ? ` (tiles of ${text(tileMsOf(e.windowMs))})` : ` of kept readings${e.untilMs === 0 ? '' : `, up to ${text(e.untilMs)} before now`}`}`
    case 'sampled': return `${aggregateOf(e)} of ${nameOf(e.concept)} over ${text(e.windowMs)} in samples of ${text(e.sampleMs)}`
    case 'missingRate': return `share of ${text(e.everyMs)} without a reading of ${nameOf(e.concept)}, over ${text(e.windowMs)}`
    case 'countSinceAdmission': return `readings of ${nameOf(e.concept)} since admission`
    case 'members': return `${e.aggregate === 'countAtLeast' ? `number of patients with at least ${e.at} of` : `${e.aggregate} over the patients of`} ${viewKey(e)}:${e.feature}`
    case 'fact': return FACT_TEXT[e.fact]
    case 'constant': return `${e.value}${e.unit === '1' || e.unit.startsWith('{') ? '' : ` ${e.unit}`}`
    case 'plus': case 'minus': case 'times': case 'ratio': return `${operand(e.left)} ${OPERATORS[e.op]} ${operand(e.right)}`
    case 'least': return `the lesser of ${list([e.left, e.right], 'and')}`
    case 'greatest': return `the greater of ${list([e.left, e.right], 'and')}`
    case 'coalesce': return `the first present of ${list(e.of, 'or')}`
    case 'rounded': return `${operand(e.of)} rounded to ${e.decimals === 0 ? 'whole numbers' : `${e.decimals} decimals`}`
    case 'banded': return `points of ${operand(e.of)}: ${e.bands.map(({ upTo, points }) => `${points} up to ${upTo}`).join(', ')}, ${e.above} above`
    case 'when': return `if ${operand(e.of)} ${e.is} ${e.than} then ${operand(e.yes)} else ${operand(e.no)}`
    case 'sumOfPresent': return `sum of what is present of ${list(e.of, 'and')}`
    case 'maxOfPresent': return `highest of what is present of ${list(e.of, 'and')}`
    case 'countMissing': return `how many are absent of ${list(e.of, 'and')}`
  }
}

function nameOf (concept: ConceptId): string {
  const name = CONCEPTS[concept].name.replace(/ \(.*\)$|, ACVPU.*$/, '')
  return /^[A-Z][a-z]+\b/.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name
}

function aggregateOf ({ aggregate, at }: Extract<Expression, { op: 'window' | 'sampled' }>): string {
  switch (aggregate) {
    case 'quantile': return `quantile ${at ?? ''}`
    case 'deviation': return 'standard deviation'
    case 'first': return 'oldest reading'
    case 'last': return 'newest reading'
    case 'delta': return 'change'
    case 'slope': return 'slope per hour'
    case 'distinctCount': return 'number of different values'
    case 'timeWeightedMean': return 'time-weighted mean'
    case 'timeAbove': return `hours above ${at ?? ''}`
    case 'timeBelow': return `hours below ${at ?? ''}`
    case 'timeSinceAbove': return `hours since above ${at ?? ''}`
    case 'timeSinceBelow': return `hours since below ${at ?? ''}`
    case 'count': case 'sum': case 'mean': case 'min': case 'max': case 'variance': case 'range': return aggregate
  }
}

/** In brackets where it is more than one thing. */
function operand (e: Expression): string {
  const simple = e.op === 'constant' || e.op === 'fact' || e.op === 'last' || e.op === 'age' || e.op === 'window' || e.op === 'sampled' || e.op === 'members' || e.op === 'countSinceAdmission'
  return simple ? explainFeature(e) : `(${explainFeature(e)})`
}

function list (of: readonly Expression[], last: 'and' | 'or'): string {
  const parts = of.map(operand)
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} ${last} ${parts.at(-1)!}`
}

function text (ms: DurationMs): string { return formatDuration(ms) }
