import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Clock } from '../../streams/time/index.ts'
import type { Intake } from '../kit/port.ts'
import { frame, Framer, type Framed } from './framer.ts'
import type { Hl7Limits } from './limits.ts'
import { SOURCE, type Receiver } from './receiver.ts'

export interface ConnectionOptions {
  readonly socket: Socket
  readonly receiver: Receiver
  readonly intake: Intake
  readonly clock: Clock
  readonly limits: Hl7Limits
}

/**
 * One sender. Frames are taken one at a time, in order: the next begins when the last is answered. While frames wait the socket
 * is not read, so the sender feels it; what waits is at most what one chunk held. A sender that closed its side still gets its answers,
 * and what it had sent completely is stored even when it is gone.
 */
export class Hl7Connection {
  readonly #options: ConnectionOptions
  readonly #framer: Framer
  readonly #waiting: Framed[] = []
  #running: Promise<void> | undefined
  #writing = false
  #ended = false
  #draining = false
  #lastActivityMs: number

  constructor (options: ConnectionOptions) {
    this.#options = options
    const { socket, intake, limits, clock } = options
    this.#framer = new Framer({ frameBytesMax: limits.frameBytesMax, count: (what, n) => { intake.count(SOURCE, what, n) } })
    this.#lastActivityMs = clock.monotonicMs()
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    socket.on('data', chunk => { this.#received(chunk) })
    socket.on('end', () => { this.#ended = true; if (this.#running === undefined) socket.end() })
    socket.on('error', () => { intake.count(SOURCE, 'connection-errors') })
    socket.on('close', () => { if (this.#framer.open) intake.count(SOURCE, 'partial-frames') })
  }

  /** Closes the connection if it was idle, or its frame open, for too long; called now and then. */
  sweep (): void {
    const { clock, limits, socket, intake } = this.#options
    if (socket.destroyed || (this.#running !== undefined && !this.#writing)) return
    const quietMs = clock.monotonicMs() - this.#lastActivityMs
    const stuck = this.#framer.open || this.#writing
    if (quietMs < (stuck ? limits.partialFrameMs : limits.idleMs)) return
    intake.count(SOURCE, stuck ? 'partial-frame-timeouts' : 'idle-timeouts')
    socket.destroy()
  }

  /** Reads no more, answers what was received, and closes. */
  async drain (): Promise<void> {
    const { socket } = this.#options
    this.#draining = true
    socket.pause()
    await this.#running
    if (socket.destroyed) return
    await new Promise<void>(resolve => { socket.once('close', () => { resolve() }); socket.end(() => { socket.destroy() }) })
  }

  destroy (): void { this.#options.socket.destroy() }

  #received (chunk: Buffer): void {
    this.#touch()
    this.#waiting.push(...this.#framer.push(chunk))
    if (this.#waiting.length === 0) return
    this.#options.socket.pause()
    this.#running ??= this.#run()
  }

  async #run (): Promise<void> {
    const { socket, receiver } = this.#options
    let next = this.#waiting.shift()
    while (next !== undefined) {
      const received = await receiver.receive(next)
      if (received.kind === 'unanswered') {
        this.#waiting.length = 0
        socket.destroy()
        break
      }
      await this.#write(Buffer.concat(received.answers.map(frame)))
      next = this.#waiting.shift()
    }
    this.#running = undefined
    this.#touch()
    if (this.#ended) socket.end()
    else if (!this.#draining && !socket.destroyed) socket.resume()
  }

  async #write (bytes: Buffer): Promise<void> {
    const { socket } = this.#options
    if (bytes.length === 0 || socket.destroyed || !socket.writable) return
    if (socket.write(bytes)) return
    this.#writing = true
    this.#touch()
    const gone = new AbortController()
    const closed = (): void => { gone.abort() }
    socket.once('close', closed)
    await once(socket, 'drain', { signal: gone.signal }).catch(() => {})
    socket.off('close', closed)
    this.#writing = false
  }

  #touch (): void { this.#lastActivityMs = this.#options.clock.monotonicMs() }
}
