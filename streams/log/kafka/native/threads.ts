import type { Clock, DurationMs } from '../../../time/index.ts'

/**
 * A consumer of the library that waits for records holds a thread of libuv's pool, which has four unless UV_THREADPOOL_SIZE says otherwise,
 * and which commits, files and the embedded stores need too. So half of the pool may wait; other consumers look again after a pause.
 */
const WAITING_MAX = Math.max(1, Math.floor(Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) / 2))
/** A consumer that waits learns of a rebalance at the end of its slice. */
const SLICE_MS = 50
const PAUSE_MS = 5
let waiting = 0

/** Waits for records within a slice of `ms`: in the library, if a thread is free for it, else by a pause. */
export async function waitSlice<T> (ms: DurationMs, clock: Clock, inLibrary: (ms: DurationMs) => Promise<T>, look: () => Promise<T>): Promise<T> {
  if (waiting >= WAITING_MAX) {
    await clock.sleep(Math.min(PAUSE_MS, ms))
    return await look()
  }
  waiting++
  try { return await inLibrary(Math.max(1, Math.ceil(Math.min(SLICE_MS, ms)))) } finally { waiting-- }
}
