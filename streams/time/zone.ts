const DAY_MS = 86_400_000

/** True for an IANA name that this Node knows. */
export function isZone (name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== ''
  } catch {
    return false // RangeError: no such zone
  }
}

/**
 * Wall time in a zone (as if it were UTC) to UTC. The offsets a day before and a day after bracket any change of clocks:
 * in an overlap both answers are right and the earlier is taken, in a gap none is and the offset before the change is used.
 */
export function zoneToUtc (local: number, zone: string): number {
  if (zone === 'UTC') return local
  const before = offsetAt(local - DAY_MS, zone)
  const after = offsetAt(local + DAY_MS, zone)
  const candidates = [local - before, local - after].filter(utc => local - utc === offsetAt(utc, zone))
  return candidates.length === 0 ? local - before : Math.min(...candidates)
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Offset of `zone` from UTC in milliseconds at a moment. */
function offsetAt (utc: number, zone: string): number {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
    formats.set(zone, format)
  }
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(utc)) part[type] = Number(value)
  const wall = Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'] ?? 1, part['hour'] ?? 0, part['minute'] ?? 0, part['second'] ?? 0)
  return wall - Math.floor(utc / 1000) * 1000
}
