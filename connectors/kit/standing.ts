import { randomInt } from 'node:crypto'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import type { ConnectorHealth } from './port.ts'

const STEPS = 1_000_000
/** Pauses are drawn from this share around the calm one, so that many instances do not come back at once. */
const SPREAD = 0.2

export interface StandingOptions {
  readonly clock: Clock
  /** Of the connector, for what is said. */
  readonly name: string
  /** What it does when it is up: `reading http://...`. */
  readonly doing: string
  readonly initially: Pick<ConnectorHealth, 'state' | 'why'>
  /** Hears of changes of state. */
  readonly say?: ((line: string) => void) | undefined
  readonly pauseMsMin: DurationMs
  readonly pauseMsMax: DurationMs
  /** In [0, 1). */
  readonly random?: (() => number) | undefined
}

/** How a connector that goes to the other side by itself stands, and how long it waits before it tries again. */
export class Standing {
  readonly #options: StandingOptions
  #health: ConnectorHealth

  constructor (options: StandingOptions) {
    this.#options = options
    this.#health = { ...options.initially, since: options.clock.now() }
  }

  get health (): ConnectorHealth { return this.#health }

  up (): void {
    if (this.#health.state === 'up') return
    const { clock, name, doing, say } = this.#options
    this.#health = { state: 'up', since: clock.now(), why: '' }
    say?.(`${name}: ${doing}`)
  }

  waiting (why: string): void {
    const { clock, name, say } = this.#options
    const { state, since } = this.#health
    if (state !== 'waiting' || this.#health.why !== why) say?.(`${name}: waiting (${why})`)
    this.#health = { state: 'waiting', since: state === 'waiting' ? since : clock.now(), why }
  }

  /** After so many failures in a row: doubled each time. */
  pauseMs (failures: number): DurationMs {
    const { pauseMsMin, pauseMsMax, random = () => randomInt(STEPS) / STEPS } = this.#options
    return Math.round(Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(failures - 1, 20)) * (1 + SPREAD * (2 * random() - 1)))
  }
}
