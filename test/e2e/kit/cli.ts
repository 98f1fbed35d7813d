import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../streams/time/index.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const READY_WITHIN_MS = 150_000

export interface Ended { readonly code: number | null, readonly signal: NodeJS.Signals | null }
type Child = ChildProcessByStdio<null, Readable, Readable>

export interface CliOptions {
  readonly dataDir: string
  readonly httpPort?: number
  readonly mllpPort?: number
  readonly mqttPort?: number
  /** More flags, for example `['--partitions', '2']`. */
  readonly flags?: readonly string[]
  /** Default 150 s. */
  readonly readyWithinMs?: number
  /** Flags of node itself, for example `--cpu-prof`. */
  readonly nodeFlags?: readonly string[]
  /** As `npm start` does: the built program if it is not older than its sources. Default: from source. */
  readonly built?: boolean
}

export function cliArgs ({ dataDir, httpPort = 0, mllpPort = 0, mqttPort = 0, flags = [] }: CliOptions): readonly string[] {
  return ['start', '--data-dir', dataDir, '--http-port', String(httpPort), '--mllp-port', String(mllpPort), '--mqtt-port', String(mqttPort), '--simulate', 'off', ...flags]
}

/** A running `latido start`: the real process, from source. Disposing kills it if it still runs. */
export class Cli implements AsyncDisposable {
  readonly #child: Child
  readonly exited: Promise<Ended>
  stdout = ''
  stderr = ''
  url = ''
  mllpPort = 0
  mqttPort = 0
  readyMs = 0

  constructor (child: Child) {
    this.#child = child
    child.stdout.on('data', (chunk: Buffer) => { this.stdout += chunk.toString() })
    child.stderr.on('data', (chunk: Buffer) => { this.stderr += chunk.toString() })
    this.exited = new Promise(resolve => { child.once('close', (code, signal) => { resolve({ code, signal }) }) })
  }

  get pid (): number { return this.#child.pid! }
  get running (): boolean { return this.#child.exitCode === null && this.#child.signalCode === null }

  /** Resolves when it has said its URL; rejects with what it said if it ended before. */
  async ready (withinMs: number = READY_WITHIN_MS): Promise<this> {
    const startedMs = systemClock.monotonicMs()
    const abort = new AbortController()
    await Promise.race([this.#said(/Open (http:\S+)/), this.exited, systemClock.sleep(withinMs, abort.signal)])
    abort.abort()
    this.readyMs = systemClock.monotonicMs() - startedMs
    const [, url] = /Open (http:\S+)/.exec(this.stdout) ?? []
    if (url === undefined) throw new Error(`not ready: ${this.stdout}${this.stderr}`)
    this.url = url
    const endpoints = /^latido: endpoints .*$/m.exec(this.stdout)?.[0] ?? ''
    this.mllpPort = Number(/mllp:\/\/[^ ]*:(\d+)/.exec(endpoints)?.[1] ?? 0) // 0: it has no connectors
    this.mqttPort = Number(/mqtt:\/\/[^ ]*:(\d+)/.exec(endpoints)?.[1] ?? 0)
    return this
  }

  #said (pattern: RegExp): Promise<void> {
    return new Promise(resolve => { this.#child.stdout.on('data', () => { if (pattern.test(this.stdout)) resolve() }) })
  }

  /** `SIGINT` is Ctrl-C; `SIGKILL` is `kill -9`. */
  async end (signal: NodeJS.Signals): Promise<Ended> {
    if (this.running) this.#child.kill(signal)
    return await this.exited
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.end('SIGKILL') }
}

const FROM_SOURCE = ['--import', 'tsx', 'ops/cli/main.ts']

function launch (args: readonly string[], { nodeFlags = [], built = false }: Pick<CliOptions, 'nodeFlags' | 'built'> = {}): Cli {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LATIDO_|VITEST|NODE_OPTIONS)/.test(name)))
  return new Cli(spawn(process.execPath, [...nodeFlags, ...built ? ['bin/latido.mjs'] : FROM_SOURCE, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** Starts it and waits until it is ready. */
export async function startCli (options: CliOptions): Promise<Cli> {
  const cli = launch(cliArgs(options), options)
  try {
    return await cli.ready(options.readyWithinMs)
  } catch (e) {
    await cli.end('SIGKILL')
    throw e
  }
}

/** Runs a command to its end. */
export async function runCli (args: readonly string[]): Promise<Ended & { readonly stdout: string, readonly stderr: string }> {
  const cli = launch(args)
  const ended = await cli.exited
  return { ...ended, stdout: cli.stdout, stderr: cli.stderr }
}
