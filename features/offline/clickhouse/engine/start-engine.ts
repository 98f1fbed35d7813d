import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { resolve as resolvePath } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { LatidoError } from '../../../../streams/errors/index.ts'
import type { Clock } from '../../../../streams/time/index.ts'
import { ALLOCATOR, POOL_THREADS } from './engine-config.ts'
import type { EngineFailure, FromEngine, ToEngine } from './messages.ts'

export interface EngineLogger { info (details: object, message: string): void, warn (details: object, message: string): void }

export interface EngineOptions {
  /** The engine's own; made where it is missing. */
  readonly directory: string
  readonly clock: Clock
  readonly logger?: EngineLogger
}

/** `on`: serving. `away`: died, and being started again. `closed`: disposed. */
export type EngineState = 'on' | 'away' | 'closed'

export interface Engine extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; a restart keeps the port where it can, so ask again after an error. */
  readonly url: string
  /** The password of any user name. */
  readonly token: string
  readonly state: EngineState
  /** Of the child, while there is one. */
  readonly pid: number | undefined
  readonly restarts: number
}

/** `off`: this platform has no engine; the product goes on without an offline store, and says `why`. */
export type EngineStart = { readonly kind: 'on', readonly engine: Engine } | { readonly kind: 'off', readonly why: string }

/** Milliseconds. The lock of a process that was killed goes when the kernel has taken it down; that may be a moment after, and on a busy machine a long one. */
const LOCK_WAIT_MS = 30_000
const LOCK_RETRY_MS = 200
const OPEN_TIMEOUT_MS = 120_000
const CLOSE_TIMEOUT_MS = 8_000
const BACKOFF_MIN_MS = 250
const BACKOFF_MAX_MS = 10_000
/** Characters of a failing child's standard error that are kept. */
const SAID_MAX = 4_000
/** A child that has served this long was well. */
const STEADY_MS = 30_000

type Opened = { readonly kind: 'ready', readonly port: number } | { readonly kind: 'failed', readonly failure: EngineFailure, readonly detail: string }

/**
 * Starts the engine on a directory and waits until it serves. A child that dies is started again, at once and then with doubling pauses up to 10 s.
 * Throws DATA_DIR_IN_USE (another process has the directory), STORE_CORRUPT (the engine refuses it), CONFIG_INVALID (its path).
 */
export async function startEngine (options: EngineOptions): Promise<EngineStart> {
  const directory = resolvePath(options.directory)
  if (/[*?{}[\]]/.test(directory)) throw new LatidoError('CONFIG_INVALID', 'the path of the data directory holds one of * ? { } [ ], which ClickHouse reads as a pattern', 'choose a data directory without these characters')
  await makeDirectory(directory)
  const engine = new EngineSupervisor(directory, options.clock, options.logger)
  const opened = await engine.open()
  if (opened.kind === 'ready') return { kind: 'on', engine }
  await engine[Symbol.asyncDispose]()
  if (opened.failure === 'missing') return { kind: 'off', why: `chdb, the embedded ClickHouse engine, is not to be had on ${process.platform}-${process.arch}` }
  if (opened.failure === 'locked') throw new LatidoError('DATA_DIR_IN_USE', 'another process has the offline store open', 'stop the other one, or start with another data directory')
  throw new LatidoError('STORE_CORRUPT', `the embedded ClickHouse engine cannot open the offline store: ${opened.detail}`, 'move the folder away and start again: the log is replayed into a new one as far as it is kept')
}

async function makeDirectory (directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (e) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', 'the folder of the offline store cannot be made', 'check the permissions of the data directory', e)
  }
}

/** Our own entry, as TypeScript in development and JavaScript once built. */
function forkEngine (): ChildProcess {
  const source = import.meta.url.endsWith('.ts')
  const entry = fileURLToPath(new URL(source ? './engine-process.ts' : './engine-process.js', import.meta.url))
  const loader = source ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : []
  const { PATH, HOME, TMPDIR, LD_LIBRARY_PATH } = process.env
  const env = Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR, LD_LIBRARY_PATH, TZ: 'UTC', UV_THREADPOOL_SIZE: String(POOL_THREADS), JE_MALLOC_CONF: ALLOCATOR }).filter(([, value]) => value !== undefined))
  return fork(entry, [], { execArgv: ['--max-old-space-size=128', ...loader], env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'json' })
}

/** The engine says why it cannot open a directory on its standard error alone. */
function explained (opened: Opened & { readonly kind: 'failed' }, said: string): Opened {
  const reason = /^Code: (\d+).*$/m.exec(said)
  if (opened.failure !== 'other' || reason === null) return opened
  return { ...opened, failure: reason[1] === '76' ? 'locked' : 'other', detail: reason[0].slice(0, 300) }
}

/** Holds the child: opens it, starts it again, closes it. */
class EngineSupervisor implements Engine {
  readonly token: string = randomBytes(24).toString('base64url')
  readonly #directory: string
  readonly #clock: Clock
  readonly #logger: EngineLogger | undefined
  readonly #closing = new AbortController()
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #port = 0
  #state: EngineState = 'away'
  #restarts = 0
  /** Before the next start; 0 after a child that served for a while. */
  #pauseMs = 0
  #servingSinceMs = 0
  #restarting: Promise<void> = Promise.resolve()

  constructor (directory: string, clock: Clock, logger: EngineLogger | undefined) {
    this.#directory = directory
    this.#clock = clock
    this.#logger = logger
  }

  get url (): string { return `http://127.0.0.1:${this.#port}` }
  get state (): EngineState { return this.#state }
  get pid (): number | undefined { return this.#child?.pid }
  get restarts (): number { return this.#restarts }

  /** Opens, waiting for a lock to go and leaving a port that is taken. */
  async open (): Promise<Opened> {
    const lockUntil = this.#clock.monotonicMs() + LOCK_WAIT_MS
    for (;;) {
      const opened = await this.#openOnce()
      if (opened.kind === 'ready' || this.#closing.signal.aborted) return opened
      if (opened.failure === 'port') this.#port = 0
      else if (opened.failure !== 'locked' || this.#clock.monotonicMs() >= lockUntil) return opened
      else await this.#clock.sleep(LOCK_RETRY_MS, this.#closing.signal)
    }
  }

  async #openOnce (): Promise<Opened> {
    const child = forkEngine()
    this.#child = child
    this.#exited = new Promise(resolve => { child.once('close', () => { resolve() }) })
    let said = ''
    child.stderr?.on('data', (text: Buffer) => { if (this.#state !== 'on' && said.length < SAID_MAX) said += text.toString() })
    const timeout = new AbortController()
    const opened = await Promise.race([
      this.#answerOf(child),
      this.#clock.sleep(OPEN_TIMEOUT_MS, timeout.signal).then((): Opened => ({ kind: 'failed', failure: 'other', detail: 'it did not answer in time' })),
    ])
    timeout.abort()
    if (opened.kind === 'ready') { this.#serving(child, opened.port); return opened }
    child.kill('SIGKILL')
    await this.#exited
    this.#child = undefined
    return explained(opened, said)
  }

  #answerOf (child: ChildProcess): Promise<Opened> {
    return new Promise(resolve => {
      child.once('message', (message: FromEngine) => { resolve(message.type === 'ready' ? { kind: 'ready', port: message.port } : { kind: 'failed', failure: message.failure, detail: message.detail }) })
      child.once('exit', (code, signal) => { resolve({ kind: 'failed', failure: 'other', detail: `its process ended (${signal ?? `code ${code}`})` }) })
      child.once('error', e => { resolve({ kind: 'failed', failure: 'other', detail: e.message }) })
      this.#send(child, { type: 'open', directory: this.#directory, token: this.token, port: this.#port })
    })
  }

  #send (child: ChildProcess, message: ToEngine): void {
    if (child.connected) child.send(message, () => { /* a child that has gone says so by its exit */ })
  }

  #serving (child: ChildProcess, port: number): void {
    if (this.#state === 'closed') return
    this.#port = port
    this.#state = 'on'
    this.#servingSinceMs = this.#clock.monotonicMs()
    if (child.exitCode !== null || child.signalCode !== null) this.#died(child)
    else child.once('exit', () => { this.#died(child) })
  }

  #died (child: ChildProcess): void {
    if (this.#state === 'closed') return
    this.#state = 'away'
    this.#child = undefined
    if (this.#clock.monotonicMs() - this.#servingSinceMs >= STEADY_MS) this.#pauseMs = 0
    this.#logger?.warn({ code: child.exitCode, signal: child.signalCode, pauseMs: this.#pauseMs }, 'the offline engine ended; starting it again')
    this.#restarting = this.#restart()
  }

  async #restart (): Promise<void> {
    for (;;) {
      await this.#clock.sleep(this.#pauseMs, this.#closing.signal)
      if (this.#closing.signal.aborted) return
      this.#pauseMs = Math.min(Math.max(2 * this.#pauseMs, BACKOFF_MIN_MS), BACKOFF_MAX_MS)
      this.#restarts++
      const opened = await this.open()
      if (opened.kind === 'ready') { this.#logger?.info({ restarts: this.#restarts }, 'the offline engine serves again'); return }
      this.#logger?.warn({ failure: opened.failure, pauseMs: this.#pauseMs }, 'the offline engine did not start')
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#state = 'closed'
    this.#closing.abort()
    const child = this.#child
    if (child !== undefined) {
      this.#send(child, { type: 'close' })
      const waited = new AbortController()
      await Promise.race([this.#exited, this.#clock.sleep(CLOSE_TIMEOUT_MS, waited.signal)])
      waited.abort()
      child.kill('SIGKILL')
      await this.#exited
    }
    await this.#restarting
  }
}
