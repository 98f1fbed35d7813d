import { endAtOnce } from '../end-at-once.ts'

/** Resolves at the first Ctrl-C or termination; a second one ends the process at once. */
export function stopSignal (): Promise<void> {
  return new Promise(resolve => {
    let stopping = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (stopping) endAtOnce(signal)
        stopping = true
        resolve()
      })
    }
  })
}
