import { createRequire } from 'node:module'
import type { RedisClientConnection } from 'redis-om'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'

/** As for the online store, so that the same Redis may hold both. */
export interface RedisBoardOptions {
  /** Several are nodes of a cluster. */
  readonly nodes: readonly { readonly host: string, readonly port: number }[]
  readonly tls?: { readonly ca?: Buffer, readonly cert?: Buffer, readonly key?: Buffer }
  /** ACL user; the default user where it is absent. */
  readonly username?: string
  /** Asked for at each connection, so that a new one is taken up. */
  readonly password?: () => string
  /** Stands before every key: `latido:`. */
  readonly prefix: string
  readonly clock: Clock
}

/** Longest wait for a connection, and for one answer. */
const CONNECT_MS: DurationMs = 5_000
const ANSWER_MS: DurationMs = 5_000
const RETRY_MS_MAX: DurationMs = 2_000
/** Commands that may wait for answers. */
const QUEUE_MAX = 20_000

/**
 * redis-om works with the redis 4 that it brings along: what it sends for a search has another form in redis 6, which is refused there.
 * Commands fail at once while the connection is away; it is sought again by itself.
 */
export class BoardConnection implements AsyncDisposable {
  readonly client: RedisClientConnection
  readonly #clock: Clock
  #closed = false

  private constructor (client: RedisClientConnection, clock: Clock) { this.client = client; this.#clock = clock }

  static async open ({ nodes, username, password, tls, clock }: RedisBoardOptions): Promise<BoardConnection> {
    const require = createRequire(import.meta.url)
    const { createClient } = createRequire(require.resolve('redis-om'))('redis') as { createClient: (options: object) => RedisClientConnection }
    const client = createClient({
      username,
      socket: { ...nodes[0], ...(tls === undefined ? {} : { tls: true, ...tls }), connectTimeout: CONNECT_MS, reconnectStrategy: (retries: number) => Math.min(RETRY_MS_MAX, 50 * 2 ** Math.min(retries, 10)) },
      disableOfflineQueue: true, commandsQueueMaxLength: QUEUE_MAX,
    })
    Object.defineProperty(client.options, 'password', { get: () => password?.() }) // read at each connection
    let why: unknown
    client.on('error', (error: unknown) => { why = error }) // shown by what fails because of it
    const connection = new BoardConnection(client, clock)
    try {
      await connection.#within(client.connect(), CONNECT_MS)
    } catch (error) {
      await connection[Symbol.asyncDispose]()
      throw unavailable(why ?? error)
    }
    return connection
  }

  /** The answer, or ONLINE_UNAVAILABLE where none comes in time. An error that Redis answers with is thrown as it is. */
  async ask<T> (answer: Promise<T>): Promise<T> {
    try {
      return await this.#within(answer, ANSWER_MS)
    } catch (error) {
      throw isReply(error) ? error : unavailable(error)
    }
  }

  command (...words: readonly string[]): Promise<unknown> { return this.ask(this.client.sendCommand([...words])) }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.client.disconnect().catch(() => {}) // it is not connected: there is nothing to close
  }

  async #within<T> (work: Promise<T>, ms: DurationMs): Promise<T> {
    const over = new AbortController()
    try {
      return await Promise.race([work, this.#clock.sleep(ms, over.signal).then((): never => { throw new Error(`no answer within ${ms / 1_000} s`) })])
    } finally {
      over.abort()
    }
  }
}

/** Redis's own words, as its client hands them on. */
export function isReply (error: unknown): error is Error { return error instanceof Error && error.constructor.name === 'ErrorReply' }

/** What Redis refuses (it is out of memory, loading, read-only) is an operating failure. Its words may repeat what was asked: only the first of them is passed on. */
export function refused (reply: Error): LatidoError { return unavailable(new Error(`it refused a command (${/^[A-Z]+/.exec(reply.message)?.[0] ?? 'ERR'})`)) }

/** The text of a connection's failure names an address, and never what was asked. */
export function unavailable (cause: unknown): LatidoError {
  return new LatidoError('ONLINE_UNAVAILABLE', `the Redis that the board is searched in does not answer: ${messageOf(cause)}`, 'look at the Redis server and at the network to it; it is asked again by itself', cause)
}
