/** Lets at most `width` run at a time; the rest wait in order, at most `waitingMax` of them. */
export class Lanes {
  readonly #width: number
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #running = 0
  constructor (width: number, waitingMax: number) { this.#width = width; this.#waitingMax = waitingMax }

  get running (): number { return this.#running }

  /** `undefined`: too many wait already. */
  run<T> (work: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#width) return this.#go(work)
    if (this.#waiting.length >= this.#waitingMax) return undefined
    return new Promise<void>(resolve => { this.#waiting.push(resolve) }).then(() => this.#go(work))
  }

  async #go<T> (work: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}
