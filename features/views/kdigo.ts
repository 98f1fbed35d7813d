import { coalesce, constant, count, countMissing, fact, last, maxOfPresent, min, minus, quantile, ratio, rounded, when, type Feature } from '../define/index.ts'
import { absent, points, pointsFrom } from './points.ts'

/**
 * Acute kidney injury by creatinine. Stages: KDIGO Clinical Practice Guideline for Acute Kidney Injury, Kidney Int Suppl 2012; 2: 1, table 2.
 * What a result is compared with: NHS England, Standardising the early identification of acute kidney injury, patient safety alert
 * NHS/PSA/D/2014/010, 9 June 2014: the lowest of 0-7 days, the median of 8-365 days, the lowest of 48 hours.
 *
 * Days are whole days, as laboratories count: day 7 ends where day 8 begins, so no result falls between the two. Windows end now, not at the
 * newest result: a result is compared exactly when it comes, and an hour later with what is then in the windows.
 */
const newest = last('creatinine').within('48 h')
const over = (window: '48 h' | '8 d'): Feature => when(count('creatinine').overReadings(window), '>=', 2, min('creatinine').overReadings(window), absent('mg/dL'))

/** Lowest of 48 hours, the newest among them; absent unless there is another. */
const lowest48h = over('48 h')
/** mg/dL, to three places: 0.3 mg/dL and 26.5 umol/L (0.29976) are the same limit in the guideline, and 1.2 - 0.9 is 0.3. */
const rise48h = rounded(minus(newest, lowest48h), 3)

const ratioTo = (reference: Feature): Feature => rounded(ratio(newest, reference), 6)
/** To the lowest of 0-7 days, which holds the newest itself: at least 1; absent unless there is another. */
const ratio7d = ratioTo(over('8 d'))
/** To the median of 8-365 days. */
const ratioYear = ratioTo(quantile('creatinine', 0.5).overReadings('366 d', { until: '8 d' }))
/** The higher of the two that are known: who came in yesterday with twice the creatinine of last year is not well because today's is as high. */
const ratioHigher = maxOfPresent(ratio7d, ratioYear)

const byRatio = pointsFrom(ratioHigher, [[1.5, 1], [2, 2], [3, 3]])
const byRise = pointsFrom(rise48h, [[0.3, 1]])
const acute = maxOfPresent(byRatio, byRise)
/** 4.0 mg/dL (353.6 umol/L) or more is stage 3 where the injury is acute by one of the others. */
const stage = when(acute, '>=', 1, when(rounded(newest, 3), '>=', 4, points(3), acute), acute)
/** Below 18 years the rules are others (multiples of the age's upper limit): no stage. An unknown age is taken for an adult's. */
const ofAdults = (of: Feature): Feature => when(coalesce(fact('ageYears'), constant(18, 'a')), '<', 18, absent(), of)

/** Urine of less than 0.5 mL/kg/h stages as well; no weight is known here, so of that only 12 hours without any. */
export const anuria = (urine12h: Feature): Feature => ofAdults(when(urine12h, '<=', 0, points(3), points(0)))

export const kdigo: Readonly<Record<'newest' | 'rise48h' | 'ratio7d' | 'ratioYear' | 'ratioHigher' | 'stage' | 'alone', Feature>> = {
  newest, rise48h, ratio7d, ratioYear, ratioHigher,
  stage: ofAdults(stage),
  /** 1: there is a result and nothing to compare it with, so that acute and chronic cannot be told apart. */
  alone: when(newest, '>', 0, countMissing(acute), constant(0)),
}
