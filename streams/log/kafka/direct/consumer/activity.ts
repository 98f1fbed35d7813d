import type { Clock, DurationMs } from '../../../../time/index.ts'

/** Wakes one waiter when something has happened; what happens while nobody waits is not lost. */
export class Activity {
  #happened = false
  #wake: (() => void) | undefined

  notify (): void {
    this.#happened = true
    this.#wake?.()
  }

  async wait (ms: DurationMs, clock: Clock): Promise<void> {
    if (!this.#happened) {
      const controller = new AbortController()
      await Promise.race([new Promise<void>(resolve => { this.#wake = resolve }), clock.sleep(ms, controller.signal)])
      controller.abort('over') // a reason of our own: the default one is an exception with a stack, made at each poll
      this.#wake = undefined
    }
    this.#happened = false
  }
}
