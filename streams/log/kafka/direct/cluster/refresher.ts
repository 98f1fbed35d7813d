import type { Clock, DurationMs } from '../../../../time/index.ts'

interface Round { readonly topics: Set<string>, readonly done: Promise<ReadonlyMap<string, number>>, sent: boolean }

/**
 * Asks for topics, one question at a time. Who asks for topics that the question under way has joins it; others share the next.
 * The same topic is asked for at most once each backoff.
 */
export class Refresher {
  readonly #clock: Clock
  readonly #backoffMs: DurationMs
  /** Asks the brokers and keeps what they answer; answers the error codes of topics. */
  readonly #ask: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>
  readonly #askedAtMs = new Map<string, number>()
  #current: Round | undefined
  #next: Round | undefined

  constructor (clock: Clock, backoffMs: DurationMs, ask: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>) {
    this.#clock = clock
    this.#backoffMs = backoffMs
    this.#ask = ask
  }

  /** An empty list asks for the brokers alone. */
  refresh (topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const current = this.#current
    if (current === undefined) return (this.#current = this.#begin(topics, Promise.resolve())).done
    if (topics.every(topic => current.topics.has(topic))) return current.done
    if (!current.sent) { add(current, topics); return current.done }
    if (this.#next === undefined) this.#next = this.#begin(topics, current.done.then(() => undefined, () => undefined))
    else add(this.#next, topics)
    return this.#next.done
  }

  #begin (topics: readonly string[], after: Promise<void>): Round {
    const round: { topics: Set<string>, sent: boolean, done: Promise<ReadonlyMap<string, number>> } = { topics: new Set(topics), sent: false, done: Promise.resolve(new Map()) }
    round.done = after.then(() => this.#run(round))
    return round
  }

  async #run (round: Round): Promise<ReadonlyMap<string, number>> {
    this.#current = round
    if (this.#next === round) this.#next = undefined
    try {
      const wait = Math.max(...[...round.topics].map(topic => (this.#askedAtMs.get(topic) ?? -Infinity) + this.#backoffMs - this.#clock.monotonicMs()))
      if (wait > 0) await this.#clock.sleep(wait)
      round.sent = true
      return await this.#ask([...round.topics])
    } finally {
      for (const topic of round.topics) this.#askedAtMs.set(topic, this.#clock.monotonicMs())
      if (this.#current === round) this.#current = undefined
    }
  }
}

function add (round: Round, topics: readonly string[]): void { for (const topic of topics) round.topics.add(topic) }
