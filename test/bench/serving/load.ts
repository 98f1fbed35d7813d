import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { quantile } from '../measure.ts'

export interface Loaded { readonly p50Ms: number, readonly p99Ms: number, readonly perSecond: number, readonly bytes: number }

/** One kept-alive HTTP/1.1 connection with one request under way. As little work as will do, since the machine's cores are shared with whom it asks. */
class Connection {
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #missing = -1
  #done: { resolve (bytes: number): void, reject (e: unknown): void } | undefined

  private constructor (socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', chunk => { this.#take(chunk) })
    const fail = (e?: unknown): void => { this.#done?.reject(e ?? new Error('the server closed the connection')) }
    socket.on('error', fail)
    socket.on('close', () => { fail() })
  }

  static async open (port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Connection(socket)
  }

  /** Answers the size of the answer; `last` has it. Throws on any status but 200. */
  ask (request: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#chunks = []
      this.#missing = -1
      this.#done = { resolve, reject }
      this.#socket.write(request)
    })
  }

  get last (): Buffer {
    const whole = Buffer.concat(this.#chunks)
    return whole.subarray(whole.indexOf('\r\n\r\n') + 4)
  }

  #take (chunk: Buffer): void {
    this.#chunks.push(chunk)
    if (this.#missing < 0) {
      const head = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      const text = head.toString('latin1', 0, end)
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
      if (!text.startsWith('HTTP/1.1 200') || length === undefined) { this.#done!.reject(new Error(`answered ${head.toString('latin1', 0, 500)}`)); return }
      this.#missing = Number(length) - (head.length - end - 4)
    } else this.#missing -= chunk.length
    if (this.#missing === 0) this.#done!.resolve(this.#chunks.reduce((sum, c) => sum + c.length, 0))
  }

  close (): void { this.#socket.destroy() }
}

export function requestOf (path: string, accept: string, body: object): Buffer {
  const text = JSON.stringify(body)
  return Buffer.from(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: ${accept}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
}

/** A closed loop: each of `clients` connections sends its next request when the last is answered. The requests are made before. */
export async function load (port: number, requests: readonly Buffer[], clients: number, seconds: number): Promise<Loaded> {
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(port)))
  try {
    const latencies: number[] = []
    let bytes = 0
    const loop = async (connection: Connection, first: number, until: number, record: boolean): Promise<void> => {
      for (let i = first; i === first || performance.now() < until; i++) {
        const sent = performance.now()
        bytes = await connection.ask(requests[i % requests.length]!)
        if (record) latencies.push(performance.now() - sent)
      }
    }
    const all = (until: number, record: boolean): Promise<unknown> => Promise.all(connections.map((c, i) => loop(c, i * 37, until, record)))
    await all(performance.now() + Math.min(300, seconds * 300), false)
    const started = performance.now()
    await all(started + seconds * 1_000, true)
    return { p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), perSecond: latencies.length / ((performance.now() - started) / 1_000), bytes }
  } finally {
    for (const connection of connections) connection.close()
  }
}

/** One answer, to look at. */
export async function askOnce (port: number, request: Buffer): Promise<Buffer> {
  const connection = await Connection.open(port)
  try {
    await connection.ask(request)
    return connection.last
  } finally {
    connection.close()
  }
}
