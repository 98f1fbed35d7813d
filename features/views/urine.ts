import { count, least, sum, when, type Feature } from '../define/index.ts'
import { absent } from './points.ts'

const PART_HOURS = 6

/**
 * Millilitres of `hours` (a multiple of 6), known only where charting has no gap: a volume was charted in each six hours of them and in the six
 * hours before they begin, since a charted volume is what has come since the one before it. Else a short stay or a forgotten entry would look
 * like oliguria. What has come since the newest entry (less than 6 h) is not in it.
 */
export function urineOver (hours: 12 | 24): Feature {
  const parts = Array.from({ length: hours / PART_HOURS + 1 }, (_, i) => count('urineOutput').overReadings(`${(i + 1) * PART_HOURS} h`, i === 0 ? {} : { until: `${i * PART_HOURS} h` }))
  return when(parts.reduce(least), '>=', 1, sum('urineOutput').overReadings(`${hours} h`), absent('mL'))
}
