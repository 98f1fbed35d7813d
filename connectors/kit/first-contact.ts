import type { ConnectorHealth } from './port.ts'
import { Standing, type StandingOptions } from './standing.ts'

export interface FirstContactOptions extends Omit<StandingOptions, 'initially'> {
  /** Empty: it is there. Else why not; holds no value and no identifier. Bounded in time, and ends with the signal. */
  readonly reach: (signal: AbortSignal) => Promise<string>
}

/** Tries the counterparty from the start until it was there once: a wrong address shows at once, and not with the first alert. */
export class FirstContact implements AsyncDisposable {
  readonly #options: FirstContactOptions
  readonly #standing: Standing
  #isMade = false
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>

  constructor (options: FirstContactOptions) {
    this.#options = options
    this.#standing = new Standing({ ...options, initially: { state: 'waiting', why: 'not connected yet' } })
    this.#ended = this.#run()
  }

  get health (): ConnectorHealth { return this.#standing.health }

  /** Something was delivered. */
  made (): void {
    this.#isMade = true
    this.#standing.up()
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async #run (): Promise<void> {
    const { reach, clock } = this.#options
    const { signal } = this.#stop
    for (let failures = 1; !signal.aborted && !this.#isMade; failures++) {
      const why = await reach(signal).catch(() => 'the connector failed')
      if (signal.aborted || this.#isMade) return
      if (why === '') { this.made(); return }
      this.#standing.waiting(why)
      await clock.sleep(this.#standing.pauseMs(failures), signal)
    }
  }
}
