import { isLatidoError, LatidoError } from '../../../streams/errors/index.ts'
import { refusalOf, unavailable } from './failures.ts'
import { openLink, type Link, type Reply } from './link.ts'
import type { RedisOnlineOptions } from './options.ts'
import type { Script } from './scripts.ts'

const WATCH_MS = 500
/** After these the connection is given up: behind the same name another server may stand now. */
const GIVE_UP: ReadonlySet<string> = new Set(['ONLINE_UNAVAILABLE', 'ONLINE_READ_ONLY'])

/**
 * One way to Redis, opened anew by the next call when it has failed. A call fails at once while Redis is away; whoever calls decides whether to wait.
 * Connections that say nothing are given up: a server that hangs would otherwise hold its callers for ever.
 */
export class RedisConnection implements AsyncDisposable {
  readonly #options: RedisOnlineOptions
  readonly #where: string
  readonly #stopWatching: () => void
  #link: Link | undefined
  #opening: Promise<Link> | undefined
  #failure: LatidoError | undefined
  #againMs = 0
  #pending = 0
  #progressMs = 0
  #closed = false
  #cluster = false

  private constructor (options: RedisOnlineOptions) {
    this.#options = options
    this.#where = options.nodes.map(({ host, port }) => `${host}:${port}`).join(',')
    this.#stopWatching = options.clock.every(WATCH_MS, () => { this.#watch() })
  }

  /** Connects, and refuses what could not work. Throws ONLINE_UNAVAILABLE, ONLINE_DENIED, ONLINE_READ_ONLY or CONFIG_INVALID. */
  static async open (options: RedisOnlineOptions): Promise<RedisConnection> {
    const connection = new RedisConnection(options)
    try {
      await connection.#connect()
      return connection
    } catch (e) {
      await connection[Symbol.asyncDispose]()
      throw e
    }
  }

  /** As it was when last connected: batches are made before it is known whether it is still there. */
  get cluster (): boolean { return this.#cluster }

  /** The keys of one call are of one slot where this is a cluster: `key` is one of them. */
  async ask<T extends Reply> (key: string, args: readonly (string | Buffer)[], { readOnly: reads = false, binary = false }: { readonly readOnly?: boolean, readonly binary?: boolean } = {}): Promise<T> {
    const link = this.#link ?? await this.#connect()
    const { clock } = this.#options
    if (this.#pending++ === 0) this.#progressMs = clock.monotonicMs()
    try {
      const answer = await link.send(key, args, reads, binary)
      this.#progressMs = clock.monotonicMs()
      return answer as T
    } catch (e) {
      throw this.#failed(link, e)
    } finally {
      this.#pending--
    }
  }

  /** A script that the server does not have (yet, or any more) is sent whole. Answers what it answers. */
  async run<T extends Reply = Reply> (script: Script, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<T> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await this.ask<T>(keys[0]!, ['EVALSHA', script.sha, ...rest])
    } catch (e) {
      if (!isLatidoError(e) || !(e.cause instanceof Error) || !e.cause.message.startsWith('NOSCRIPT')) throw e
      return await this.ask<T>(keys[0]!, ['EVAL', script.source, ...rest])
    }
  }

  [Symbol.asyncDispose] (): Promise<void> {
    this.#closed = true
    this.#stopWatching()
    this.#link?.destroy()
    this.#link = undefined
    return Promise.resolve()
  }

  async #connect (): Promise<Link> {
    if (this.#closed) throw unavailable(this.#where, new Error('the store is closed'))
    if (this.#failure !== undefined && this.#options.clock.monotonicMs() < this.#againMs) throw this.#failure
    return await (this.#opening ??= this.#open().finally(() => { this.#opening = undefined }))
  }

  async #open (): Promise<Link> {
    try {
      const link = await openLink(this.#options)
      if (this.#closed) { link.destroy(); throw new Error('the store is closed') }
      this.#failure = undefined
      this.#cluster = link.cluster
      return this.#link = link
    } catch (e) {
      this.#failure = this.#named(e)
      this.#againMs = this.#options.clock.monotonicMs() + this.#options.reconnectPauseMs
      throw this.#failure
    }
  }

  #failed (link: Link, e: unknown): LatidoError {
    const failure = this.#named(e)
    if (GIVE_UP.has(failure.code)) this.#giveUp(link)
    return failure
  }

  #named (e: unknown): LatidoError {
    if (isLatidoError(e)) return e
    return isReply(e) ? refusalOf(this.#where, e) : unavailable(this.#where, e)
  }

  #giveUp (link: Link): void {
    if (this.#link === link) this.#link = undefined
    link.destroy()
  }

  #watch (): void {
    const { clock, answerTimeoutMs } = this.#options
    if (this.#link !== undefined && this.#pending > 0 && clock.monotonicMs() - this.#progressMs > answerTimeoutMs) this.#giveUp(this.#link)
  }
}

/** Redis's own words, as its client hands them on. */
function isReply (e: unknown): e is Error { return e instanceof Error && ['ErrorReply', 'SimpleError', 'BlobError'].includes(e.constructor.name) }

