/** Readings of one line; columns of equal length, times rising. */
export interface Readings { readonly times: readonly number[], readonly values: readonly (number | null)[], readonly kinds: readonly string[] }
export interface Gap { readonly from: number, readonly to: number }
export interface GappedLine { readonly times: readonly number[], readonly values: readonly (number | null)[], readonly gaps: readonly Gap[] }

const MINUTE_MS = 60_000
/**
 * A line joins two readings only when they are this close: a monitor sends each second, observations are charted at least
 * each four hours while NEWS2 is above 0 (RCP 2017), laboratory values hold for about half a day.
 */
export const GAP_MS: Readonly<Record<string, number>> = { device: 5 * MINUTE_MS, charted: 240 * MINUTE_MS, laboratory: 720 * MINUTE_MS }

/**
 * Puts a null between readings that are too far apart, so that no line crosses. Trends are thinned to one point a bucket:
 * a gap is never shorter than three buckets of `bucketMs`. Gaps of monitors (`device`) are also told, to be shaded;
 * between charted and laboratory values an interval is normal and is only not joined.
 */
export function withGaps ({ times, values, kinds }: Readings, bucketMs: number): GappedLine {
  const line: { times: number[], values: (number | null)[], gaps: Gap[] } = { times: [], values: [], gaps: [] }
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!
    const before = i === 0 ? undefined : times[i - 1]!
    const isDevice = kinds[i] === 'device' && kinds[i - 1] === 'device'
    if (before !== undefined && time - before > limit(kinds[i], kinds[i - 1], bucketMs)) {
      line.times.push(before + (time - before) / 2)
      line.values.push(null)
      if (isDevice) line.gaps.push({ from: before, to: time })
    }
    line.times.push(time)
    line.values.push(values[i] ?? null)
  }
  return line
}

/** Where two kinds meet, the more frequent one's limit holds. */
function limit (a: string | undefined, b: string | undefined, bucketMs: number): number {
  const own = (kind: string | undefined): number => GAP_MS[kind ?? ''] ?? GAP_MS['device']!
  return Math.max(Math.min(own(a), own(b)), 3 * bucketMs)
}

/** A monitor's line that ended a while ago: the gap lasts until now. */
export function openGap (readings: Readings, to: number, bucketMs: number): Gap | undefined {
  const last = readings.times.at(-1)
  if (last === undefined || readings.kinds.at(-1) !== 'device') return undefined
  return to - last > limit('device', 'device', bucketMs) ? { from: last, to } : undefined
}

/** Several lines on one time axis, as the chart wants them: undefined where a line has no point of its own, null where it breaks. */
export function joinLines (lines: readonly GappedLine[]): { readonly times: readonly number[], readonly columns: readonly (readonly (number | null | undefined)[])[] } {
  const times = [...new Set(lines.flatMap(line => line.times))].sort((a, b) => a - b)
  const index = new Map(times.map((time, i) => [time, i]))
  const columns = lines.map(line => {
    const column = times.map((): number | null | undefined => undefined)
    line.times.forEach((time, i) => { column[index.get(time)!] = line.values[i] ?? null })
    return column
  })
  return { times, columns }
}
