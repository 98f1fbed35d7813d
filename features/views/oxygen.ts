import type { Duration } from '../../streams/time/index.ts'
import { age, coalesce, constant, last, minus, ratio, times, when, type Feature } from '../define/index.ts'
import { absent } from './points.ts'

/** What air holds, in the unit of FiO2. */
const AIR_PERCENT = 21

/**
 * The inspired fraction in percent: the newest one charted, or that of air where "on air" was charted later, or alone. A flow through a mask or
 * cannula is not turned into a fraction: the conversions in use are guesses of 10 % and more.
 */
export function inspired (within: Duration): Feature {
  const air = when(last('oxygenTherapy').within(within), '=', 0, constant(AIR_PERCENT, '%'), absent('%'))
  const airLater = when(minus(age('fio2'), age('oxygenTherapy')), '>', 0, air, absent('%'))
  return coalesce(airLater, last('fio2').within(within), air)
}

/** Over the inspired oxygen as a fraction (0.21 to 1), as the literature writes PaO2/FiO2 and SpO2/FiO2. */
export const overFraction = (of: Feature, inspiredPercent: Feature): Feature => times(ratio(of, inspiredPercent), constant(100, '%'))
