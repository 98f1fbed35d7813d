import { lineOf } from './failure.ts'

/**
 * Ends the process by the signal itself, with no cleanup. `process.exit` while LMDB's writer is at work hangs for ever or dies by SIGSEGV without a word
 * (16 of 60 ends under load, lmdb 3.5); a log survives any end, so nothing is gained by a tidy one.
 */
export function endAtOnce (signal: NodeJS.Signals): never {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  process.kill(process.pid, 'SIGKILL')
  process.abort() // the first process of a container is spared by signals of its own
}

/** A write that nobody awaits has failed, or it is a fault of ours: it is told, and nothing goes on from there. */
export function endOnFaults (): void {
  const told = (e: unknown): void => {
    process.stderr.write(`${lineOf(e)}\n`)
    endAtOnce('SIGKILL')
  }
  process.on('unhandledRejection', told)
  process.on('uncaughtException', told)
}
