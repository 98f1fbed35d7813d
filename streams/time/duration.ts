import { LatidoError } from '../errors/index.ts'
import type { DurationMs } from './types.ts'

const UNIT_MS = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 } as const
type Unit = keyof typeof UNIT_MS

/** A duration as people write it: `10 s`, `5 m`, `24 h`, `7 d`, `250 ms`. */
export type Duration = `${number} ${Unit}`

/** `'5 m'` to 300000. Throws CONFIG_INVALID on anything else. */
export function parseDuration (text: string): DurationMs {
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(text.trim())
  if (match === null) throw new LatidoError('CONFIG_INVALID', `"${text}" is not a duration`, 'write a number and one of ms, s, m, h, d: for example "10 s"')
  return Number(match[1]) * UNIT_MS[match[2] as Unit]
}

/** 5400000 to `'90 m'`: the largest unit that divides it. */
export function formatDuration (ms: DurationMs): Duration {
  for (const unit of ['d', 'h', 'm', 's'] as const) if (ms >= UNIT_MS[unit] && ms % UNIT_MS[unit] === 0) return `${ms / UNIT_MS[unit]} ${unit}`
  return `${ms} ms`
}
