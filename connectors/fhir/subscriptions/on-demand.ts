import type { DurationMs } from '../../../streams/time/index.ts'
import type { Source, SourceMessage, SourceSession } from '../../kit/index.ts'

/** A source that is read when somebody wants it, and now and then by itself. */
export class OnDemand implements Source {
  readonly endpoint: string
  readonly #inner: Source
  readonly #everyMs: DurationMs
  #wanted = 1
  #done = 0
  /** Read to its end; done when the source is asked again, since then all of it was taken. */
  #ended = 0
  #wake = new AbortController()
  #waiting: { readonly wanted: number, readonly resolve: () => void }[] = []

  constructor (inner: Source, everyMs: DurationMs) {
    this.endpoint = inner.endpoint
    this.#inner = inner
    this.#everyMs = everyMs
  }

  /** Resolves when a reading that began after this call is in the log. */
  want (): Promise<void> {
    const wanted = ++this.#wanted
    this.#wake.abort()
    return new Promise(resolve => { this.#waiting.push({ wanted, resolve }) })
  }

  /** Never read to its end so far. */
  get first (): boolean { return this.#done === 0 }

  async * read (session: SourceSession): AsyncIterable<SourceMessage> {
    const { clock, signal } = session
    this.#settle()
    if (this.#done >= this.#wanted) {
      this.#wake = new AbortController()
      await clock.sleep(this.#everyMs, AbortSignal.any([signal, this.#wake.signal]))
      if (signal.aborted) return
      if (this.#done >= this.#wanted) this.#wanted++
    }
    const wanted = this.#wanted
    yield * this.#inner.read(session)
    if (!signal.aborted) this.#ended = wanted
  }

  #settle (): void {
    this.#done = this.#ended
    const ready = this.#waiting.filter(({ wanted }) => wanted <= this.#done)
    this.#waiting = this.#waiting.filter(({ wanted }) => wanted > this.#done)
    for (const { resolve } of ready) resolve()
  }
}
