import type { Feed } from '../kit/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../../streams/time/index.ts'

/** How long health tells of a loss. */
const TOLD_FOR_MS: DurationMs = 3_600_000

/**
 * Messages with QoS 0 that reached us and are not in the log. Whoever sends with QoS 0 allows it (MQTT 5, 4.3.1), but it is never in silence: each is
 * counted with its reason, health says so for an hour, and a line tells of the first.
 */
export class Losses {
  readonly #feed: Feed
  readonly #say: (line: string) => void
  #lost = 0
  #last: ArrivalTimeMs = -Infinity

  constructor (feed: Feed, say: (line: string) => void) {
    this.#feed = feed
    this.#say = say
  }

  add (reason: 'log-away' | 'fault' | 'connection-closed', n: number = 1): void {
    this.#feed.count(`lost-${reason}`, n)
    const isNews = !this.#isTold()
    this.#lost = isNews ? n : this.#lost + n
    this.#last = this.#feed.intake.now()
    if (isNews) this.#say(`${this.#feed.name}: messages with QoS 0 are being lost (${reason}); they are counted as lost-*, and devices that use QoS 1 lose none`)
  }

  /** For health; empty where nothing was lost in the last hour. */
  get why (): string { return this.#isTold() ? `messages with QoS 0 were lost: ${this.#lost}, the last at ${new Date(this.#last).toISOString()}` : '' }

  #isTold (): boolean { return this.#feed.intake.now() - this.#last < TOLD_FOR_MS }
}
