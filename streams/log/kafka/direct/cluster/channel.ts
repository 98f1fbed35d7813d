import { LatidoError } from '../../../../errors/index.ts'
import type { DurationMs } from '../../../../time/index.ts'
import { backoffMs } from './backoff.ts'
import type { Call } from './call.ts'
import { Connection } from './connection.ts'
import { ConnectionLost } from './errors.ts'
import { greet, type Greeting } from './greet.ts'
import type { Address, ClusterOptions } from './options.ts'

const SWEEP_MS: DurationMs = 100

/**
 * One lane to one broker: keeps a connection where there are calls, opens the next when it was lost, after a backoff where opening failed.
 * Calls keep their order. Calls that wait for a connection fail with it, unsent.
 */
export class Channel {
  readonly #address: Address
  readonly #options: ClusterOptions
  readonly #onGreeting: (greeting: Greeting) => void
  #connection: Connection | undefined
  #opening = false
  #waiting: Call[] = []
  #failures = 0
  #failedAtMs = 0
  #closed: Error | undefined

  constructor (address: Address, options: ClusterOptions, onGreeting: (greeting: Greeting) => void) {
    this.#address = address
    this.#options = options
    this.#onGreeting = onGreeting
  }

  get connected (): boolean { return this.#connection?.ended === false }
  /** The last try to connect failed, and nothing has come through since. */
  get failing (): boolean { return this.#failures > 0 }

  send (call: Call): void {
    if (this.#closed !== undefined) { call.reject(this.#closed); return }
    if (this.#connection?.ended === false) { this.#connection.send(call); return }
    this.#waiting.push(call)
    if (!this.#opening) void this.#open()
  }

  /** `reason`: what calls that were not sent, and later ones, fail with. */
  close (reason: Error): void {
    this.#closed ??= reason
    this.#connection?.close()
    this.#rejectWaiting(reason)
  }

  /** Never rejects: what fails is told to those who wait. */
  async #open (): Promise<void> {
    const { clock } = this.#options
    this.#opening = true
    const stop = clock.every(SWEEP_MS, () => { this.#expire() })
    try {
      await this.#backoff()
      if (this.#waiting.length === 0) return
      const connection = await Connection.open(this.#address, this.#options)
      try { this.#onGreeting(await greet(connection, this.#options)) } catch (e) { connection.close(); throw e }
      if (this.#closed !== undefined) { connection.close(); return }
      this.#connection = connection
      this.#failures = 0
    } catch (e) {
      this.#failures++
      this.#failedAtMs = clock.monotonicMs()
      this.#rejectWaiting(unsent(e))
    } finally {
      stop()
      this.#opening = false
      const waiting = this.#waiting
      this.#waiting = []
      for (const call of waiting) this.send(call)
    }
  }

  async #backoff (): Promise<void> {
    if (this.#failures === 0) return
    const { clock, limits, random } = this.#options
    const wait = this.#failedAtMs + backoffMs(this.#failures, limits, random) - clock.monotonicMs()
    if (wait > 0) await clock.sleep(wait)
  }

  #expire (): void {
    const now = this.#options.clock.monotonicMs()
    const late = this.#waiting.filter(call => call.dueMs <= now)
    if (late.length === 0) return
    this.#waiting = this.#waiting.filter(call => call.dueMs > now)
    for (const call of late) call.reject(new ConnectionLost(`${call.name} was not sent within ${call.timeoutMs} ms: there is no connection to the broker`, true))
  }

  #rejectWaiting (error: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) call.reject(error)
  }
}

/** The greeting may have been sent, the calls that wait for it were not. */
function unsent (e: unknown): Error {
  if (e instanceof ConnectionLost && !e.unsent) return new ConnectionLost(e.message, true, e)
  return e as Error
}

export function closedError (): LatidoError { return new LatidoError('LOG_CLOSED', 'the connection to Kafka is closed', 'nothing: the process is stopping') }
