import type { DurationMs } from '../../../streams/time/index.ts'

/**
 * Retry-After (RFC 9110, 10.2.3): seconds, or a date, which is counted from the server's own Date, since its clock may be another than ours. undefined:
 * absent or unreadable.
 */
export function retryAfterMs (value: string | null, serverDate: string | null, nowMs: number): DurationMs | undefined {
  if (value === null) return undefined
  const said = value.trim()
  if (/^\d{1,9}(\.\d+)?$/.test(said)) return Math.ceil(Number(said) * 1000)
  const at = Date.parse(said)
  if (Number.isNaN(at)) return undefined
  const from = serverDate === null ? NaN : Date.parse(serverDate)
  return Math.max(0, at - (Number.isNaN(from) ? nowMs : from))
}
