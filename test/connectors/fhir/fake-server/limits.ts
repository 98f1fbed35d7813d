import type { Clock } from '../../../../streams/time/index.ts'
import { SeededRandom } from '../../../kit/random.ts'

export interface FaultOptions {
  readonly seed?: number
  /** Share of requests that fail with 500, 503, or a broken connection. */
  readonly errors?: number
  /** Share of requests that are answered 429 though the limit is kept. */
  readonly throttled?: number
  readonly requestsPerMinute?: number
}

export type Fault = { readonly status: 500 | 503 } | { readonly status: 429, readonly retryAfter: string } | 'broken' | undefined

const MINUTE_MS = 60_000

/** The server's patience: a limit for any sixty seconds, and faults by a seed. It remembers when it was asked. */
export class Limits {
  readonly #clock: Clock
  readonly #options: FaultOptions
  readonly #random: SeededRandom
  /** When each request came. */
  readonly times: number[] = []
  /** Requests that came although the limit was reached. */
  overLimit = 0
  /** Requests that came before a Retry-After had passed. */
  impatient = 0
  faults = 0
  #quietUntil = -Infinity

  constructor (clock: Clock, options: FaultOptions) {
    this.#clock = clock
    this.#options = options
    this.#random = new SeededRandom(options.seed ?? 1)
  }

  judge (): Fault {
    const now = this.#clock.now()
    const { errors = 0, throttled = 0, requestsPerMinute = Infinity } = this.#options
    if (now < this.#quietUntil) this.impatient++
    this.times.push(now)
    const fault = this.#fault(now, errors, throttled, requestsPerMinute)
    if (fault !== undefined) this.faults++
    return fault
  }

  /** The most requests in any sixty seconds. */
  busiest (): number {
    let most = 0
    for (let from = 0, to = 0; to < this.times.length; to++) {
      while (this.times[to]! - this.times[from]! >= MINUTE_MS) from++
      most = Math.max(most, to - from + 1)
    }
    return most
  }

  #fault (now: number, errors: number, throttled: number, perMinute: number): Fault {
    const recent = this.times.filter(time => time > now - MINUTE_MS).length
    if (recent > perMinute) { this.overLimit++; return this.#throttle(now, 10) }
    if (this.#random.chance(throttled)) return this.#throttle(now, 1 + this.#random.below(5))
    if (!this.#random.chance(errors)) return undefined
    return (['broken', { status: 500 }, { status: 503 }] as const)[this.#random.below(3)]!
  }

  /** Seconds, or a date (RFC 9110 allows both). */
  #throttle (now: number, seconds: number): Fault {
    this.#quietUntil = now + seconds * 1000
    return { status: 429, retryAfter: String(seconds) }
  }
}
