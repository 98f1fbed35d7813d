import type { DurationMs } from '../../streams/time/index.ts'
import type { Random } from './random.ts'

/**
 * How long after its chart time a value was stored: quantiles of the MIMIC-III demo in minutes. 12.6 % were stored before their
 * nominal chart time; here those are sent at once, since a feed cannot send what has not been measured.
 */
export const LATENESS_QUANTILES_MIN: readonly (readonly [quantile: number, minutes: number])[] = [
  [0, 0], [0.126, 0], [0.25, 1], [0.5, 14], [0.75, 49], [0.9, 98], [0.95, 147], [0.99, 310], [0.999, 637], [1, 900],
]

/** A lateness of that distribution, by linear interpolation between its quantiles. */
export function drawLateness (random: Random): DurationMs {
  const p = random.next()
  for (let i = 1; i < LATENESS_QUANTILES_MIN.length; i++) {
    const [low, lowMin] = LATENESS_QUANTILES_MIN[i - 1] as readonly [number, number]
    const [high, highMin] = LATENESS_QUANTILES_MIN[i] as readonly [number, number]
    if (p <= high) return Math.round((lowMin + (highMin - lowMin) * (p - low) / (high - low)) * 60_000)
  }
  return 0
}
