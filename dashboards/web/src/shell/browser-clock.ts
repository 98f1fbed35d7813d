import { useEffect, useState } from 'react'

/** The only file of the pages that reads the browser's clock or sets timers. */
export function browserNow (): number { return performance.timeOrigin + performance.now() }

/** Calls `run` each `ms` until the answer is called. */
export function every (ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms)
  return () => { clearInterval(timer) }
}

/** Calls `run` once after `ms`, unless the answer is called before. */
export function after (ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => { clearTimeout(timer) }
}

/** Renders again each `ms`, with the time. */
export function useBrowserNow (ms = 1_000): number {
  const [now, setNow] = useState(browserNow)
  useEffect(() => every(ms, () => { setNow(browserNow()) }), [ms])
  return now
}
