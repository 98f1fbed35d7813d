import { AGGREGATES, partsOf, type Aggregate, type Expression } from './expression.ts'

/** More samples than this of one series are too much for one patient: 4,096 tiles are 130 KB. */
const SAMPLES_MAX = 4_096
const YEAR_MS = 366 * 24 * 3_600_000

const NOT_ON_TILES: ReadonlySet<Aggregate> = new Set(['distinctCount'])
const NOT_ON_SAMPLES: ReadonlySet<Aggregate> = new Set(['timeWeightedMean', 'timeAbove', 'timeBelow', 'timeSinceAbove', 'timeSinceBelow'])
const NEEDS_AT: ReadonlySet<Aggregate> = new Set(['quantile', 'timeAbove', 'timeBelow', 'timeSinceAbove', 'timeSinceBelow'])

/** Why an expression, or a part of it, cannot be planned; undefined: it can. Streaming and SQL plan the same ones. */
export function refusalOf (e: Expression): string | undefined {
  return own(e) ?? partsOf(e).map(refusalOf).find(why => why !== undefined)
}

function own (e: Expression): string | undefined {
  switch (e.op) {
    case 'last': return e.withinMs === undefined ? undefined : ofWindow(e.withinMs)
    case 'window': return ofWindow(e.windowMs) ?? ofAt(e.aggregate, e.at) ?? ofUntil(e) ?? (e.kept === 'dense' && NOT_ON_TILES.has(e.aggregate) ? `${e.aggregate} over a dense window, whose tiles keep no readings; use overReadings or overSamples` : undefined)
    case 'sampled': return ofWindow(e.windowMs) ?? ofAt(e.aggregate, e.at) ?? ofSamples(e.windowMs, e.sampleMs) ?? (NOT_ON_SAMPLES.has(e.aggregate) ? `${e.aggregate} over samples, which have no duration; use over or overReadings` : undefined)
    case 'missingRate': return ofWindow(e.windowMs) ?? ofSamples(e.windowMs, e.everyMs)
    case 'constant': return Number.isFinite(e.value) ? undefined : 'a constant that is not a number'
    case 'banded': return e.bands.some((band, i) => i > 0 && band.upTo <= e.bands[i - 1]!.upTo) ? 'bands that do not rise' : undefined
    case 'rounded': return Number.isInteger(e.decimals) && e.decimals >= 0 && e.decimals <= 9 ? undefined : 'rounding to other than 0 to 9 decimals'
    case 'coalesce': case 'sumOfPresent': case 'maxOfPresent': case 'countMissing': return e.of.length === 0 ? `${e.op} of nothing` : undefined
    case 'members': return e.aggregate === 'countAtLeast' && !Number.isFinite(e.at) ? 'countAtLeast without a limit' : undefined
    case 'age': case 'countSinceAdmission': case 'fact': case 'plus': case 'minus': case 'times': case 'ratio': case 'least': case 'greatest': case 'when': return undefined
  }
}

function ofWindow (windowMs: number): string | undefined { return windowMs >= 1_000 && windowMs <= YEAR_MS ? undefined : 'a window of less than a second or more than a year' }

function ofUntil ({ windowMs, untilMs, kept }: Extract<Expression, { op: 'window' }>): string | undefined {
  if (untilMs === 0) return undefined
  return untilMs < 0 || untilMs >= windowMs ? 'a window that ends before it begins' : kept === 'dense' ? 'a dense window that ends before now; use overReadings' : undefined
}

function ofSamples (windowMs: number, sampleMs: number): string | undefined {
  if (sampleMs < 1_000 || sampleMs > windowMs) return 'samples shorter than a second or longer than their window'
  return windowMs / sampleMs > SAMPLES_MAX ? `more than ${SAMPLES_MAX} samples in a window; use longer ones` : undefined
}

function ofAt (aggregate: Aggregate, at: number | undefined): string | undefined {
  if (!AGGREGATES.includes(aggregate)) return `an aggregate "${String(aggregate)}"`
  if (!NEEDS_AT.has(aggregate)) return at === undefined ? undefined : `${aggregate} with a limit, which it has not`
  if (at === undefined || !Number.isFinite(at)) return `${aggregate} without its ${aggregate === 'quantile' ? 'level' : 'limit'}`
  return aggregate === 'quantile' && (at < 0 || at > 1) ? 'a quantile whose level is not between 0 and 1' : undefined
}
