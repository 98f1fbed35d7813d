import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import type { ClockDistance, ClockLooks } from '../kit/index.ts'

const SLOT_MS: DurationMs = 60_000
const SLOTS_KEPT = 5
const SLOTS_NEEDED = 3

/** As it stands on disk: the minima of the last minutes, what they said, and when the device was last heard. */
export interface ClockRow { readonly minima: readonly number[], readonly heardAt: ArrivalTimeMs }

/**
 * How far a device's clock is behind ours (negative: ahead), from arrival and event times alone. In each minute of arrival the least difference
 * counts, since delay only adds to it (the clock filter of NTP, RFC 5905, 10; minima of one-way delays: Paxson, SIGMETRICS 1998); of the last five
 * minutes with messages the median of these, so that one wrong time, or a minute of nothing but old readings, does not move it.
 * What it cannot know: a delay that all messages have looks like a clock that is behind. A step of the clock shows after three minutes, and of a clock
 * that drifts it is four minutes late. One-way times cannot do better; 2 seconds is the least that is called an offset. Ten numbers a device; O(1) a message.
 */
export class ClockOffset {
  readonly #minima: number[]
  #slot = -1
  #least = Infinity
  #estimate: DurationMs | undefined
  #heardAt: ArrivalTimeMs

  constructor (row?: ClockRow) {
    this.#minima = row?.minima.slice(-SLOTS_KEPT) ?? []
    this.#heardAt = row?.heardAt ?? -Infinity
    this.#look()
  }

  /** Milliseconds to add to the device's times; undefined until three minutes with messages are over. */
  get estimate (): DurationMs | undefined { return this.#estimate }
  /** When its last message came; -Infinity: never. */
  get heardAt (): ArrivalTimeMs { return this.#heardAt }
  /** undefined: there is nothing to keep yet. */
  get row (): ClockRow | undefined { return this.#minima.length === 0 ? undefined : { minima: this.#minima, heardAt: this.#heardAt } }

  /** True where a minute has closed, so that the estimate may be another. */
  add (eventTime: EventTimeMs, arrival: ArrivalTimeMs): boolean {
    const slot = Math.floor(arrival / SLOT_MS)
    const closed = slot !== this.#slot && this.#slot >= 0
    if (closed) {
      this.#minima.push(this.#least)
      if (this.#minima.length > SLOTS_KEPT) this.#minima.shift()
      this.#look()
    }
    if (slot !== this.#slot) { this.#slot = slot; this.#least = Infinity }
    this.#least = Math.min(this.#least, arrival - eventTime)
    this.#heardAt = Math.max(this.#heardAt, arrival)
    return closed
  }

  #look (): void { if (this.#minima.length >= SLOTS_NEEDED) this.#estimate = median(this.#minima) }
}

/** The least that is called an offset: below it, delay and clock cannot be told apart. */
export const OFFSET_MS_MIN: DurationMs = 2_000

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** An hour less a minute is called hours: a clock on summer time by mistake is an hour off, less the delay. */
export function distanceOf (offset: DurationMs | undefined): ClockDistance {
  if (offset === undefined) return 'unknown'
  const size = Math.abs(offset)
  if (size < OFFSET_MS_MIN) return 'inStep'
  if (size < MINUTE_MS) return 'seconds'
  return size < HOUR_MS - ZONE_NEAR_MS ? 'minutes' : size < DAY_MS ? 'hours' : 'days'
}

/** Zones lie at most 14 h from UTC (Etc/GMT-14), nearly all by whole or half hours. */
const ZONE_MS_MAX = 14 * HOUR_MS
const ZONE_STEP_MS = HOUR_MS / 2
/** A clock that was set by hand in the wrong zone is still right to about a minute. By chance one in fifteen is so near to a half hour. */
const ZONE_NEAR_MS = 60_000
/** A clock that starts anew begins at a date of its maker's: 1970, 1980, 2000. Nobody sets a clock wrong by half a year. */
const DATE_LOST_MS_MIN = 180 * DAY_MS

/** What an offset looks like, so that whoever goes to the device knows what to set. */
export function looksLike (offset: DurationMs): ClockLooks {
  const size = Math.abs(offset)
  if (size >= DATE_LOST_MS_MIN) return 'dateLost'
  const steps = Math.round(size / ZONE_STEP_MS)
  return steps > 0 && size <= ZONE_MS_MAX + ZONE_NEAR_MS && Math.abs(size - steps * ZONE_STEP_MS) <= ZONE_NEAR_MS ? 'zone' : 'off'
}

function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
