import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Clock } from '../../streams/time/index.ts'
import type { Feed } from '../kit/index.ts'
import { frame, Framer, type Framed, type FramerNotice } from './framer.ts'
import type { Hl7Limits } from './limits.ts'
import type { Hl7Fault } from './outcome.ts'
import type { Receiver } from './receiver.ts'
import { FAREWELL, StrangerWatch, type Stranger } from './stranger.ts'

export interface ConnectionOptions {
  readonly socket: Socket
  readonly receiver: Receiver
  readonly feed: Feed<Hl7Fault>
  readonly clock: Clock
  readonly limits: Hl7Limits
}

const KEEP_ALIVE_MS = 60_000

/**
 * One sender. Frames are taken one at a time, in order: the next begins when the last is answered. While frames wait the socket
 * is not read, so the sender feels it; what waits is at most what two chunks held. A sender that closed its side still gets its answers,
 * and what it had sent completely is stored even when it is gone.
 */
export class Hl7Connection {
  readonly #options: ConnectionOptions
  readonly #framer: Framer
  readonly #strangers = new StrangerWatch()
  readonly #waiting: Framed[] = []
  #running: Promise<void> | undefined
  #writing = false
  #ended = false
  #draining = false
  #lastActivityMs: number
  /** Of the open frame: when it was first seen, and bytes since. */
  #openedAtMs = 0
  #openBytes = 0
  #junkBytes = 0

  constructor (options: ConnectionOptions) {
    this.#options = options
    const { socket, feed, limits, clock } = options
    this.#framer = new Framer({ frameBytesMax: limits.frameBytesMax, count: (what, n) => { this.#noticed(what, n) } })
    this.#lastActivityMs = clock.monotonicMs()
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on('data', chunk => { this.#received(chunk) })
    socket.on('end', () => { this.#ended = true; if (this.#running === undefined) socket.end() })
    socket.on('error', () => { feed.count('connection-errors') })
    socket.on('close', () => { if (this.#framer.open) feed.count('partial-frames') })
  }

  /** Closes the connection if it was idle, or its frame open, for too long, or its frame comes too slowly; called now and then. */
  sweep (): void {
    const { clock, limits, socket } = this.#options
    if (socket.destroyed || (this.#running !== undefined && !this.#writing)) return
    const nowMs = clock.monotonicMs()
    const stuck = this.#framer.open || this.#writing
    if (nowMs - this.#lastActivityMs >= (stuck ? limits.partialFrameMs : limits.idleMs)) this.#drop(stuck ? 'partial-frame-timeouts' : 'idle-timeouts')
    else if (this.#framer.open && this.#openBytes < (nowMs - this.#openedAtMs - limits.partialFrameMs) / 1000 * limits.frameBytesPerSecondMin) this.#drop('slow-frames')
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
    const stranger = this.#strangers.look(chunk)
    if (stranger !== undefined) { this.#sendAway(stranger); return }
    this.#touch()
    const wasOpen = this.#framer.open
    const frames = this.#framer.push(chunk)
    if (!wasOpen || frames.length > 0) this.#began()
    this.#openBytes += chunk.length
    if (frames.length > 0) this.#junkBytes = 0
    else if (this.#junkBytes > this.#options.limits.junkBytesMax) { this.#drop('junk-limit'); return }
    if (frames.length === 0) return
    this.#waiting.push(...frames)
    if (this.#running === undefined) this.#running = this.#run()
    else this.#options.socket.pause() // a sender that waits for its answer never gets here
  }

  #noticed (what: FramerNotice, n: number): void {
    this.#options.feed.count(what, n)
    if (what === 'junk-bytes') this.#junkBytes += n
    if (what === 'partial-frames') this.#began()
  }

  #began (): void {
    this.#openedAtMs = this.#options.clock.monotonicMs()
    this.#openBytes = 0
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
    else if (!this.#draining && !socket.destroyed && socket.isPaused()) socket.resume()
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

  #sendAway (stranger: Stranger): void {
    const { socket, feed } = this.#options
    feed.count(stranger === 'tls' ? 'tls-on-plain-port' : 'http-on-mllp-port')
    socket.pause()
    socket.end(FAREWELL[stranger], () => { socket.destroy() })
  }

  #drop (why: string): void {
    this.#options.feed.count(why)
    this.#options.socket.destroy()
  }

  #touch (): void { this.#lastActivityMs = this.#options.clock.monotonicMs() }
}
