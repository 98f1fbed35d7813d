import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from './ports.ts'

/** From the client's side: `up` is to the server, `down` from it. */
export type Direction = 'up' | 'down'

/**
 * What the network does.
 * `closed`: nobody answers at the port (connection refused), what was open is reset.
 * `hold`: bytes stay under way, as in a partition that heals: they arrive when the link opens again, late. Connecting succeeds.
 * `slow`: each piece arrives `delayMs` later, and at most `bytesPerSecond` pass.
 */
export type Link =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'hold', readonly direction: Direction | 'both' }
  | { readonly kind: 'slow', readonly delayMs: number, readonly bytesPerSecond?: number }

interface Pipe { readonly direction: Direction, readonly from: Socket, readonly to: Socket, passed: number, busyUntil: number, tail: Promise<void> | undefined }
interface Cut { readonly direction: Direction, readonly afterBytes: number }

/** A TCP proxy on loopback that passes bytes on as they are, and whose link fails by command. */
export class FaultProxy implements AsyncDisposable {
  readonly port: number
  readonly #target: number
  readonly #pipes = new Set<Pipe>()
  #server: Server
  #link: Link = { kind: 'open' }
  #cut: Cut | undefined

  private constructor (server: Server, port: number, target: number) {
    this.#server = server
    this.port = port
    this.#target = target
  }

  /** At a free port unless told; it stays the proxy's while the link is closed. */
  static async open (target: number, port?: number): Promise<FaultProxy> {
    const server = createServer()
    const [free = 0] = port === undefined ? await freePorts(1) : [port]
    const proxy = new FaultProxy(server, await listen(server, free), target)
    server.on('connection', socket => { proxy.#accept(socket) })
    return proxy
  }

  get connections (): number { return this.#pipes.size / 2 }

  /** Changes the link for connections that are open and those to come. */
  async set (link: Link): Promise<void> {
    const before = this.#link
    this.#link = link
    if (link.kind === 'closed') {
      if (before.kind === 'closed') return
      this.reset()
      this.#server.close()
      return
    }
    if (before.kind === 'closed') await this.#listenAgain()
    for (const pipe of this.#pipes) this.#flow(pipe)
  }

  /** Breaks what is open, once; new connections are welcome. */
  reset (): void { for (const { from } of this.#pipes) from.resetAndDestroy() }

  /** The first connection on which so many more bytes have passed in this direction breaks there: an answer that arrives in part, or not at all. */
  cutAfter (direction: Direction, afterBytes: number): void {
    for (const pipe of this.#pipes) pipe.passed = 0
    this.#cut = { direction, afterBytes }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.reset()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #listenAgain (): Promise<void> {
    this.#server = createServer(socket => { this.#accept(socket) })
    await listen(this.#server, this.port)
  }

  #accept (client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    const up: Pipe = { direction: 'up', from: client, to: server, passed: 0, busyUntil: 0, tail: undefined }
    const down: Pipe = { direction: 'down', from: server, to: client, passed: 0, busyUntil: 0, tail: undefined }
    for (const pipe of [up, down]) {
      this.#pipes.add(pipe)
      pipe.from.on('data', bytes => { this.#carry(pipe, bytes) })
      pipe.from.on('end', () => { this.#later(pipe, 0, () => { pipe.to.end() }) })
      pipe.from.on('error', () => { pipe.to.resetAndDestroy() })
      pipe.from.on('close', () => { this.#pipes.delete(up); this.#pipes.delete(down); if (pipe.from.errored !== null || !pipe.from.readableEnded) pipe.to.destroy() })
      pipe.to.on('drain', () => { this.#flow(pipe) })
      this.#flow(pipe)
    }
  }

  #carry (pipe: Pipe, bytes: Buffer): void {
    const cut = this.#cut
    if (cut !== undefined && cut.direction === pipe.direction && pipe.passed + bytes.length > cut.afterBytes) {
      this.#cut = undefined
      pipe.to.write(bytes.subarray(0, cut.afterBytes - pipe.passed), () => { pipe.to.resetAndDestroy(); pipe.from.resetAndDestroy() })
      return
    }
    pipe.passed += bytes.length
    this.#later(pipe, bytes.length, () => { if (!pipe.to.destroyed && !pipe.to.write(bytes)) pipe.from.pause() })
  }

  /** Order is kept: a pipe's pieces leave one after the other. */
  #later (pipe: Pipe, bytes: number, run: () => void): void {
    const link = this.#link
    const now = performance.now()
    const transferMs = link.kind === 'slow' && link.bytesPerSecond !== undefined ? bytes / link.bytesPerSecond * 1_000 : 0
    const delayMs = link.kind === 'slow' ? link.delayMs : 0
    if (transferMs + delayMs === 0 && pipe.tail === undefined) { run(); return }
    pipe.busyUntil = Math.max(pipe.busyUntil, now + delayMs) + transferMs
    const due = pipe.busyUntil
    const tail = (pipe.tail ?? Promise.resolve()).then(() => sleep(Math.max(0, due - performance.now()))).then(() => {
      run()
      if (pipe.tail === tail) pipe.tail = undefined
    })
    pipe.tail = tail
  }

  #flow (pipe: Pipe): void {
    const link = this.#link
    if (link.kind === 'hold' && (link.direction === 'both' || link.direction === pipe.direction)) pipe.from.pause()
    else if (!pipe.to.writableNeedDrain) pipe.from.resume()
  }
}

async function listen (server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}
