import type { Socket } from 'node:net'
import { isLatidoError, LatidoError } from '../../../../errors/index.ts'
import { bodyOf, frameOf, type Call } from './call.ts'
import type { DurationMs } from '../../../../time/index.ts'
import { ConnectionLost } from './errors.ts'
import { FrameReader } from './frame-reader.ts'
import { showAddress, type Address, type ClusterOptions } from './options.ts'
import { openSocket } from './socket.ts'
import type { Versions } from './versions.ts'

/** How often due times are looked at: what a timeout may be late by. */
const SWEEP_MS = 100

interface Sent { readonly call: Call, readonly version: number, readonly correlationId: number }

/**
 * One socket to one broker. Requests are pipelined; the broker answers in order, so the oldest unanswered one is whose answer comes.
 * It ends as a whole: when a request times out, an answer belongs to no request or cannot be read, or the socket closes,
 * everything unanswered fails with `ConnectionLost`.
 */
export class Connection {
  /** What the broker speaks; empty until asked. */
  versions: Versions = new Map()

  readonly #address: Address
  readonly #options: ClusterOptions
  readonly #reader: FrameReader
  #socket: Socket | undefined
  #stopSweep: () => void = () => { /* not begun */ }
  #sent: Sent[] = []
  #waiting: Call[] = []
  #correlationId = 0
  /** Calls wait while the broker throttles us, and while we authenticate again. */
  #held = false
  #renewal: { readonly atMs: number, readonly run: () => Promise<void> } | undefined
  #ended: Error | undefined
  readonly #onEnd: () => void
  #usedAtMs = 0

  private constructor (address: Address, options: ClusterOptions, onEnd: () => void) {
    this.#address = address
    this.#options = options
    this.#onEnd = onEnd
    this.#reader = new FrameReader(options.limits.frameBytesMax, frame => { this.#answer(frame) })
  }

  /** `onEnd`: once, when it has ended. */
  static async open (address: Address, options: ClusterOptions, onEnd: () => void = () => { /* nobody asks */ }): Promise<Connection> {
    const connection = new Connection(address, options, onEnd)
    const socket = await openSocket(address, options, chunk => { connection.#receive(chunk) })
    connection.#attach(socket)
    return connection
  }

  get ended (): boolean { return this.#ended !== undefined }
  get address (): Address { return this.#address }

  /** The order of calls is kept, also of those that wait. */
  send (call: Call): void {
    if (!this.#held && this.#ended === undefined) this.#renewIfDue()
    if (this.#held && this.#ended === undefined) this.#waiting.push(call)
    else this.sendNow(call)
  }

  /** Before all that wait: for what they wait for. */
  sendNow (call: Call): void {
    if (this.#ended === undefined) this.#write(call)
    else call.reject(new ConnectionLost(`${call.name} was not sent: ${this.#ended.message}`, true, this.#ended))
  }

  /** `run` authenticates again (KIP-368) before the next call after that time. The connection ends if it fails. */
  renewAfter (ms: DurationMs, run: () => Promise<void>): void { this.#renewal = { atMs: this.#options.clock.monotonicMs() + ms, run } }

  close (): void { this.#end(new Error('closed by us')) }

  #attach (socket: Socket): void {
    this.#socket = socket
    socket.on('error', e => { this.#end(e) })
    socket.on('end', () => { this.#end(new Error('closed by the broker')) })
    socket.on('close', () => { this.#end(new Error('closed')) })
    this.#usedAtMs = this.#options.clock.monotonicMs()
    this.#stopSweep = this.#options.clock.every(SWEEP_MS, () => { this.#sweep() })
  }

  #write (call: Call): void {
    try {
      const version = this.#versionFor(call)
      const correlationId = this.#correlationId = this.#correlationId + 1 & 0x7fffffff
      const frame = frameOf(call, version, correlationId, this.#options.clientId)
      this.#sent.push({ call, version, correlationId })
      this.#usedAtMs = this.#options.clock.monotonicMs()
      this.#socket?.write(frame)
    } catch (e) { call.reject(e as Error) } // cannot be written down: the caller's, not the connection's
  }

  #versionFor (call: Call): number {
    const version = versionBetween(call, this.versions)
    if (version !== undefined) return version
    const known = this.versions.get(call.key)
    throw new LatidoError('BROKER_TOO_OLD', `the broker ${showAddress(this.#address)} ${known === undefined ? `does not know ${call.name}` : `speaks ${call.name} in versions ${known.min} to ${known.max}, not ${call.api.minVersion} to ${call.api.maxVersion}`}`, 'use Apache Kafka 4.0 or later, or the driver native')
  }

  #receive (chunk: Buffer): void {
    if (this.#ended !== undefined) return
    try { this.#reader.feed(chunk) } catch (e) { this.#end(e as Error) }
  }

  #answer (frame: Buffer): void {
    if (this.#ended !== undefined) return
    const sent = this.#sent.shift()
    const correlationId = frame.readInt32BE(0)
    if (sent === undefined || sent.correlationId !== correlationId) {
      if (sent !== undefined) this.#sent.unshift(sent)
      this.#end(new Error(`an answer came to request ${correlationId}, which is not the next one`))
      return
    }
    try {
      this.#throttle(sent.call.settle(bodyOf(frame, sent.call, sent.version), sent.version))
    } catch (cause) {
      const error = new Error(`the answer to ${sent.call.name} version ${sent.version} cannot be read`, { cause })
      this.#sent.unshift(sent)
      this.#end(error)
    }
  }

  /** KIP-219: a broker that throttles answers at once, and we wait. */
  #throttle (ms: DurationMs): void {
    if (ms > 0 && !this.#held) this.#hold(() => this.#options.clock.sleep(ms))
  }

  #renewIfDue (): void {
    const renewal = this.#renewal
    if (renewal === undefined || renewal.atMs > this.#options.clock.monotonicMs()) return
    this.#renewal = undefined
    this.#hold(renewal.run)
  }

  #hold (until: () => Promise<void>): void {
    this.#held = true
    until().then(() => {
      this.#held = false
      const waiting = this.#waiting
      this.#waiting = []
      for (const call of waiting) this.send(call)
    }).catch((e: unknown) => { this.#end(e as Error) })
  }

  #sweep (): void {
    const now = this.#options.clock.monotonicMs()
    for (const call of this.#waiting.filter(call => call.dueMs <= now)) {
      this.#waiting = this.#waiting.filter(other => other !== call)
      call.reject(new ConnectionLost(`${call.name} was not sent within ${call.timeoutMs} ms: it waited for its turn`, true))
    }
    const late = this.#sent.find(({ call }) => call.dueMs <= now)
    if (late !== undefined) this.#end(new Error(`no answer to ${late.call.name} within ${late.call.timeoutMs} ms`))
    else if (this.#sent.length + this.#waiting.length === 0 && now - this.#usedAtMs >= this.#options.limits.connectionIdleMaxMs) this.#end(new Error('it was idle'))
  }

  #end (cause: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = cause
    this.#stopSweep()
    this.#socket?.destroy()
    const [sent, waiting] = [this.#sent, this.#waiting]
    this.#sent = []
    this.#waiting = []
    const where = `the connection to the broker ${showAddress(this.#address)} was lost`
    for (const { call } of sent) call.reject(new ConnectionLost(`${where} before ${call.name} was answered: ${cause.message}`, false, cause))
    // what we are refused with (a credential that has expired) is told as it is
    for (const call of waiting) call.reject(isLatidoError(cause) ? cause : new ConnectionLost(`${where} before ${call.name} was sent: ${cause.message}`, true, cause))
    this.#onEnd()
  }
}

/** The highest version that both sides know. */
export function versionBetween ({ key, api }: Pick<Call, 'key' | 'api'>, versions: Versions): number | undefined {
  const known = versions.get(key)
  if (known === undefined) return undefined
  const version = Math.min(known.max, api.maxVersion)
  return version >= Math.max(known.min, api.minVersion) ? version : undefined
}
