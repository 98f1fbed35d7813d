import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { FrameMeter, protocolLevelOf } from './frames.ts'
import { Mqtt5Translator } from './mqtt5.ts'

const CONNECT_HEADER_BYTES_MAX = 14

/**
 * What the broker reads from and writes to in place of the socket. It cuts a connection whose packet is larger than the limit
 * before its bytes are collected, and translates for MQTT 5 clients. Back-pressure goes through in both directions.
 */
export class DeviceConnection extends Duplex {
  readonly #socket: Socket
  readonly #meter: FrameMeter
  readonly #packetBytesMax: number
  readonly #onOversize: () => void
  #opening: Buffer | undefined = Buffer.alloc(0)
  #translator: Mqtt5Translator | undefined

  constructor (socket: Socket, packetBytesMax: number, onOversize: () => void) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    this.#meter = new FrameMeter(packetBytesMax)
    this.#packetBytesMax = packetBytesMax
    this.#onOversize = onOversize
    socket.on('data', (chunk: Buffer) => { this.#receive(chunk) })
    socket.on('end', () => { this.push(null) })
    socket.on('error', error => { this.destroy(error) })
    socket.on('close', () => { this.destroy() })
  }

  #receive (chunk: Buffer): void {
    if (this.destroyed) return
    if (!this.#meter.accepts(chunk)) { this.#onOversize(); this.destroy(); return }
    if (this.#opening === undefined) { this.#hand(chunk); return }
    const opening = Buffer.concat([this.#opening, chunk])
    const level = protocolLevelOf(opening)
    if (level === undefined && opening.length < CONNECT_HEADER_BYTES_MAX) { this.#opening = opening; return }
    this.#opening = undefined
    if (level === 5) this.#translator = new Mqtt5Translator(this.#packetBytesMax)
    this.#hand(opening)
  }

  #hand (chunk: Buffer): void {
    const bytes = this.#translator === undefined ? chunk : this.#translator.toBroker(chunk)
    if (bytes === undefined) { this.destroy(); return }
    if (bytes.length > 0 && !this.push(bytes)) this.#socket.pause()
  }

  override _read (): void { this.#socket.resume() }

  override _write (chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const bytes = this.#translator === undefined ? chunk : this.#translator.toDevice(chunk)
    if (bytes === undefined) { this.destroy(); done(); return }
    if (bytes.length === 0 || this.#socket.destroyed || this.#socket.write(bytes)) { done(); return }
    const resume = (): void => { this.#socket.off('drain', resume).off('close', resume); done() }
    this.#socket.on('drain', resume).on('close', resume)
  }

  override _writev (chunks: readonly { readonly chunk: Buffer, readonly encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done)
  }

  override _final (done: (error?: Error | null) => void): void { this.#socket.end(() => { done() }) }

  override _destroy (error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
