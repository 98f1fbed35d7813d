import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'

export interface ChildOptions {
  readonly cwd?: string
  /** Takes what the child prints; the end of it stands in the error when a start fails. */
  readonly logFile: string
  /** Removed when the owner ends before it could. */
  readonly directory?: string
}

/** A server that ends with its owner, however the owner ends. */
export interface Child {
  readonly pid: number
  readonly running: boolean
  /** How it ended: `code 1`, `signal SIGKILL`; undefined while it runs. */
  readonly outcome: string | undefined
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>
  signal (signal: NodeJS.Signals): void
  /** SIGKILL, and waits until it is gone. */
  kill (): Promise<void>
}

/**
 * Starts a process of ours, with a watchdog beside it. The watchdog reads from a pipe that only the owner holds open:
 * the read ends when the owner does, by SIGKILL too, and then the child is killed. Both stand outside the owner's process
 * group, so that an interrupt at the terminal does not end the watchdog first.
 */
export function startChild (command: string, args: readonly string[], { cwd, logFile, directory = '' }: ChildOptions): Child {
  const output = openSync(logFile, 'a')
  const child = spawn(command, args, { detached: true, stdio: ['ignore', output, output], ...cwd === undefined ? {} : { cwd } })
  closeSync(output)
  const pid = child.pid
  if (pid === undefined) throw new Error(`${command} could not be started`)
  let running = true
  let outcome: string | undefined
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => { outcome = signal === null ? `code ${String(code)}` : `signal ${String(signal)}`; running = false; watchdog.kill('SIGKILL') })
  const watchdog = spawn('sh', ['-c', 'trap "" INT TERM HUP; read -r _; kill -9 "$0"; [ -z "$1" ] || rm -rf "$1"', String(pid), directory], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  watchdog.unref()
  return {
    pid,
    ended,
    get running () { return running },
    get outcome () { return outcome },
    signal: signal => { if (running) child.kill(signal) },
    kill: async () => {
      if (!running) return
      child.ref()
      child.kill('SIGKILL')
      await ended
    },
  }
}
