import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Clock } from '../../streams/time/index.ts'
import { FrameMeter, packetBytesOf, protocolLevelOf } from './frames.ts'
import { Mqtt5Translator } from './mqtt5.ts'

const CONNECT_HEADER_BYTES_MAX = 14
/** More than a kernel holds of a connection: whoever goes on sending is not read to the end. */
const READ_OUT_BYTES_MAX = 16_777_216

/** What the connection tells of itself. */
export interface ConnectionEvents {
  oversize (): void
  /** What came is no MQTT 5, or wants of it what is not offered. */
  malformed (): void
  /** It ended by a fault of the network, or of the peer's. */
  reset (): void
  /** So many messages with QoS 0 had reached us whole, of a client that was let in, and were never taken. */
  lost (n: number): void
}

/**
 * `opening`: too little is there to know the version. `connecting`: its CONNECT is passed on, `left` bytes of it are still to come. `held`: all behind it
 * waits for the broker to let the client in, since aedes would take what comes meanwhile out of order. `open`: bytes go through.
 */
type Stage =
  | { readonly kind: 'opening', readonly bytes: Buffer }
  | { readonly kind: 'connecting', readonly left: number }
  | { readonly kind: 'held', readonly chunks: Buffer[] }
  | { readonly kind: 'open' }

/**
 * What the broker reads from and writes to in place of the socket. It cuts a connection whose packet is larger than the limit before its bytes are
 * collected, and translates for MQTT 5 clients. Back-pressure goes through in both directions. What came before the peer closed, or the network
 * failed, is read to its end by the broker, however long that takes.
 */
export class DeviceConnection extends Duplex {
  readonly #socket: Socket
  readonly #meter: FrameMeter
  readonly #packetBytesMax: number
  readonly #events: ConnectionEvents
  readonly #clock: Clock
  #stage: Stage = { kind: 'opening', bytes: Buffer.alloc(0) }
  #translator: Mqtt5Translator | undefined
  #wasLetIn = false
  #isOver = false
  #taken = 0

  constructor (socket: Socket, packetBytesMax: number, clock: Clock, events: ConnectionEvents) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    this.#meter = new FrameMeter(packetBytesMax)
    this.#packetBytesMax = packetBytesMax
    this.#events = events
    this.#clock = clock
    const receive = (chunk: Buffer): void => { this.#receive(chunk) }
    socket.on('data', receive)
    socket.on('end', () => { this.#over() })
    socket.on('error', () => { if (!this.destroyed) events.reset() })
    socket.on('close', () => {
      socket.off('data', receive)
      const unread = socket.read() as Buffer | null // a socket that fails while it is paused keeps what it had
      if (unread !== null) this.#receive(unread)
      this.#over()
    })
  }

  /** The broker has let the client in: what it sent behind its CONNECT follows. */
  letIn (): void {
    const stage = this.#stage
    this.#wasLetIn = true
    this.#stage = { kind: 'open' }
    if (stage.kind !== 'held') return
    this.#socket.resume()
    for (const chunk of stage.chunks) this.#hand(chunk)
    if (this.#isOver) this.push(null)
  }

  /** The broker gave us a message with QoS 0 of this connection to take. */
  took (): void { this.#taken++ }

  #receive (chunk: Buffer): void {
    if (this.#isOver) return
    if (this.destroyed) { this.#meter.accepts(chunk); return } // only counted
    if (this.#meter.accepts(chunk)) { this.#pass(chunk); return }
    this.#events.oversize()
    this.#pass(chunk) // with what stands before the packet
    this.#over()
  }

  #pass (chunk: Buffer): void {
    const stage = this.#stage
    switch (stage.kind) {
      case 'open': this.#hand(chunk); return
      case 'held': stage.chunks.push(chunk); return
      case 'connecting':
        if (chunk.length < stage.left) this.#stage = { kind: 'connecting', left: stage.left - chunk.length }
        else this.#hold(chunk.subarray(stage.left))
        this.#hand(chunk.subarray(0, stage.left))
        return
      case 'opening': this.#open(Buffer.concat([stage.bytes, chunk]))
    }
  }

  #open (bytes: Buffer): void {
    const level = protocolLevelOf(bytes)
    if (level === undefined && bytes.length < CONNECT_HEADER_BYTES_MAX) { this.#stage = { kind: 'opening', bytes }; return }
    if (level === 5) this.#translator = new Mqtt5Translator(this.#packetBytesMax)
    this.#stage = level === undefined || level === 0 ? { kind: 'open' } : { kind: 'connecting', left: packetBytesOf(bytes) }
    this.#pass(bytes)
  }

  #hold (rest: Buffer): void {
    this.#stage = { kind: 'held', chunks: rest.length > 0 ? [rest] : [] }
    this.#socket.pause()
  }

  #hand (chunk: Buffer): void {
    if (this.destroyed) return
    const bytes = this.#translator === undefined ? chunk : this.#translator.toBroker(chunk)
    if (bytes.length > 0 && !this.push(bytes)) this.#socket.pause()
    const end = this.#translator?.end ?? 'none'
    if (end === 'none' || this.#isOver) return
    if (end === 'fault') this.#events.malformed()
    this.#over()
  }

  /** Nothing more will come; the broker reads on. */
  #over (): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#stage.kind !== 'held') this.push(null)
  }

  override _read (): void { if (this.#stage.kind !== 'held') this.#socket.resume() }

  override _write (chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const bytes = this.#translator === undefined ? chunk : this.#translator.toDevice(chunk)
    if (bytes.length === 0 || !this.#socket.writable || this.#socket.write(bytes)) { done(); return }
    const resume = (): void => { this.#socket.off('drain', resume).off('close', resume); done() }
    this.#socket.on('drain', resume).on('close', resume)
  }

  override _writev (chunks: readonly { readonly chunk: Buffer, readonly encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done)
  }

  override _final (done: (error?: Error | null) => void): void { if (this.#socket.writable) this.#socket.end(() => { done() }); else done() }

  override _destroy (error: Error | null, done: (error?: Error | null) => void): void {
    void this.#readOut()
    done(error)
  }

  /** The broker is done with the connection: what the kernel still holds of it is counted, and then it is closed. */
  async #readOut (): Promise<void> {
    const socket = this.#socket
    const start = socket.bytesRead
    for (let before = -1; this.#wasLetIn && !socket.destroyed && socket.bytesRead > before && socket.bytesRead - start < READ_OUT_BYTES_MAX;) {
      before = socket.bytesRead
      socket.resume()
      for (let turn = 0; turn < 2; turn++) await this.#clock.sleep(0) // between the two the kernel was asked
    }
    socket.destroy()
    const lost = this.#meter.atMostOnce - this.#taken
    if (this.#wasLetIn && lost > 0) this.#events.lost(lost)
  }
}
