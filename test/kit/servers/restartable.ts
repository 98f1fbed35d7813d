import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from '../temp-dir.ts'
import { startChild, type Child } from './child.ts'
import { until } from './ports.ts'

/** A server of a test's own on loopback, in a directory of its own, that may be killed and started again where it was. */
export interface Restartable extends AsyncDisposable {
  readonly directory: string
  readonly running: boolean
  /** SIGKILL, and waits until it is gone. */
  kill (): Promise<void>
  /** Starts it again where it was; ready when it resolves. */
  start (): Promise<void>
  signal (signal: NodeJS.Signals): void
}

export interface RestartableOptions {
  /** As messages say it. */
  readonly name: string
  readonly command: string
  /** Told the server's directory, once, before the first start: the place for a file of configuration. */
  readonly args: (directory: string) => readonly string[]
  /** Where it runs; default: its directory. */
  readonly cwd?: string
  /** Whether it takes requests. */
  readonly answers: () => Promise<boolean>
  readonly readyWithinMs: number
}

/** Ready when it resolves. Throws the end of what it printed where it ends instead. */
export async function startRestartable ({ name, command, args, cwd, answers, readyWithinMs }: RestartableOptions): Promise<Restartable> {
  const { path: directory, remove } = tempDir()
  const output = join(directory, 'output')
  const all = args(directory)
  let child: Child | undefined
  const server: Restartable = {
    directory,
    get running () { return child?.running === true },
    kill: async () => { await child?.kill() },
    start: async () => {
      const started = child = startChild(command, all, { cwd: cwd ?? directory, logFile: output, directory })
      await until(name, readyWithinMs, answers, () => started.running ? undefined : `it ended: ${readFileSync(output, 'utf8').slice(-2_000)}`)
    },
    signal: signal => { child?.signal(signal) },
    [Symbol.asyncDispose]: async () => { await child?.kill(); remove() },
  }
  try {
    await server.start()
    return server
  } catch (e) {
    await server[Symbol.asyncDispose]()
    throw e
  }
}
