import type { DurationMs } from './types.ts'

/** Wall time and timers, injected: nothing else in the product reads the machine's clock. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now (): number
  /** A monotonic reading in milliseconds, for measuring durations only. */
  monotonicMs (): number
  sleep (ms: DurationMs, signal?: AbortSignal): Promise<void>
  /** Calls `run` each `ms`; the answer stops it. Does not keep the process alive. */
  every (ms: DurationMs, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => new Promise(resolve => {
    if (signal?.aborted === true) { resolve(); return }
    const done = (): void => { clearTimeout(timer); signal?.removeEventListener('abort', done); resolve() }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  }),
  every: (ms, run) => {
    const timer = setInterval(run, ms)
    timer.unref()
    return () => { clearInterval(timer) }
  },
}

interface Sleeper { readonly due: number, readonly wake: () => void }

/** A clock that moves by hand, for tests and historical replay. */
export class ManualClock implements Clock {
  #now: number
  #sleepers: Sleeper[] = []
  #repeats = new Set<{ readonly every: number, due: number, readonly run: () => void }>()
  constructor (startMs = 0) { this.#now = startMs }
  now (): number { return this.#now }
  monotonicMs (): number { return this.#now }

  sleep (ms: DurationMs, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted === true || ms <= 0) { resolve(); return }
      const sleeper: Sleeper = { due: this.#now + ms, wake: () => { signal?.removeEventListener('abort', abort); resolve() } }
      const abort = (): void => { this.#sleepers = this.#sleepers.filter(s => s !== sleeper); sleeper.wake() }
      signal?.addEventListener('abort', abort)
      this.#sleepers.push(sleeper)
    })
  }

  every (ms: DurationMs, run: () => void): () => void {
    const repeat = { every: ms, due: this.#now + ms, run }
    this.#repeats.add(repeat)
    return () => { this.#repeats.delete(repeat) }
  }

  /** Moves to `timeMs` (never back) and wakes what is due, in order of time. */
  set (timeMs: number): void {
    if (timeMs <= this.#now) return
    this.#now = timeMs
    const due = this.#sleepers.filter(s => s.due <= timeMs).sort((a, b) => a.due - b.due)
    this.#sleepers = this.#sleepers.filter(s => s.due > timeMs)
    for (const sleeper of due) sleeper.wake()
    for (const repeat of this.#repeats) while (repeat.due <= timeMs) { repeat.due += repeat.every; repeat.run() }
  }

  advance (ms: DurationMs): void { this.set(this.#now + ms) }
}
