import type { Clock } from '../../streams/time/index.ts'

interface Bucket { tokens: number, at: number }

/** A token bucket for each credential, on the monotonic clock. Which credentials are known is bounded: one that was silent for long is full again anyway. */
export class RateLimit {
  readonly #clock: Clock
  readonly #perMs: number
  readonly #burst: number
  readonly #credentialsMax: number
  readonly #buckets = new Map<string, Bucket>()

  constructor (clock: Clock, rate: { readonly requestsPerMinute: number, readonly burst: number }, credentialsMax: number) {
    this.#clock = clock
    this.#perMs = rate.requestsPerMinute / 60_000
    this.#burst = rate.burst
    this.#credentialsMax = credentialsMax
  }

  /** 0 where a request may come now, else the milliseconds until one may. */
  take (credential: string): number {
    const now = this.#clock.monotonicMs()
    const before = this.#buckets.get(credential)
    const tokens = before === undefined ? this.#burst : Math.min(this.#burst, before.tokens + (now - before.at) * this.#perMs)
    const allowed = tokens >= 1
    this.#buckets.delete(credential) // the newest stands last
    this.#buckets.set(credential, { tokens: allowed ? tokens - 1 : tokens, at: now })
    if (this.#buckets.size > this.#credentialsMax) this.#buckets.delete(this.#buckets.keys().next().value!)
    return allowed ? 0 : Math.ceil((1 - tokens) / this.#perMs)
  }
}
