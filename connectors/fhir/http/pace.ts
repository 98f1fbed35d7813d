import type { Clock, DurationMs } from '../../../streams/time/index.ts'

const MINUTE_MS = 60_000

/**
 * Keeps requests within a budget: they start at least a minute's share apart, so no minute, wherever it begins, has more than the budget (and one). When the
 * server says how long to stay away, all requests do.
 */
export class Pace {
  readonly #clock: Clock
  readonly #gapMs: DurationMs
  #nextMs = -Infinity

  constructor (clock: Clock, requestsPerMinute: number) {
    this.#clock = clock
    this.#gapMs = MINUTE_MS / requestsPerMinute
  }

  /** Resolves when the caller may send. */
  async turn (signal?: AbortSignal): Promise<void> {
    for (;;) {
      const now = this.#clock.now()
      if (signal?.aborted === true) return
      if (now >= this.#nextMs) { this.#nextMs = now + this.#gapMs; return }
      await this.#clock.sleep(Math.ceil(this.#nextMs - now), signal)
    }
  }

  /** No request of anybody before this has passed. */
  stayAway (ms: DurationMs): void { this.#nextMs = Math.max(this.#nextMs, this.#clock.now() + ms) }
}
