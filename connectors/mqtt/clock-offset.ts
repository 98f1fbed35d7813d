import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../../streams/time/index.ts'

const SLOT_MS: DurationMs = 60_000
const SLOTS_KEPT = 5
const SLOTS_NEEDED = 3

/**
 * How far a device's clock is behind ours (negative: ahead), from arrival and event times alone. In each minute of arrival the least difference
 * counts, since delay only adds to it (the clock filter of NTP, RFC 5905, 10; minima of one-way delays: Paxson, SIGMETRICS 1998); of the last five
 * minutes with messages the median of these, so that one wrong time, or a minute of nothing but old readings, does not move it.
 * What it cannot know: a delay that all messages have looks like a clock that is behind. A step of the clock shows after three minutes.
 * One-way times cannot do better; 2 seconds is the least that is called an offset. Ten numbers a device; O(1) a message.
 */
export class ClockOffset {
  readonly #minima: number[] = []
  #slot = -1
  #least = Infinity
  #estimate: DurationMs | undefined

  /** Milliseconds to add to the device's times; undefined until three minutes with messages are over. */
  get estimate (): DurationMs | undefined { return this.#estimate }

  /** True where a minute has closed, so that the estimate may be another. */
  add (eventTime: EventTimeMs, arrival: ArrivalTimeMs): boolean {
    const slot = Math.floor(arrival / SLOT_MS)
    const closed = slot !== this.#slot && this.#slot >= 0
    if (closed) {
      this.#minima.push(this.#least)
      if (this.#minima.length > SLOTS_KEPT) this.#minima.shift()
      if (this.#minima.length >= SLOTS_NEEDED) this.#estimate = median(this.#minima)
    }
    if (slot !== this.#slot) { this.#slot = slot; this.#least = Infinity }
    this.#least = Math.min(this.#least, arrival - eventTime)
    return closed
  }
}

/** The least that is called an offset: below it, delay and clock cannot be told apart. */
export const OFFSET_MS_MIN: DurationMs = 2_000

/** A name for counters. */
export function offsetBucket (offset: DurationMs): 'clock-in-step' | 'clock-off-seconds' | 'clock-off-minutes' | 'clock-off-hours' {
  const size = Math.abs(offset)
  if (size < OFFSET_MS_MIN) return 'clock-in-step'
  return size < 60_000 ? 'clock-off-seconds' : size < 3_600_000 ? 'clock-off-minutes' : 'clock-off-hours'
}

function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
