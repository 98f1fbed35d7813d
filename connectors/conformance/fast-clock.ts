import { systemClock, type Clock, type DurationMs } from '../../streams/time/index.ts'

/** A clock on which waiting is `factor` times as short: pauses that grow to a minute are tried in a second. What it shows is the machine's time. */
export function fastClock (factor: number): Clock {
  const short = (ms: DurationMs): DurationMs => Math.max(1, ms / factor)
  return {
    now: () => systemClock.now(),
    monotonicMs: () => systemClock.monotonicMs() * factor,
    sleep: (ms, signal) => systemClock.sleep(short(ms), signal),
    every: (ms, run) => systemClock.every(short(ms), run),
  }
}
