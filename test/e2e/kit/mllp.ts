import { connect, type Socket } from 'node:net'
import { systemClock } from '../../../streams/time/index.ts'

const VT = 0x0b
const FS = 0x1c
const CR = 0x0d

/** MSA-1 of an answer; empty where there is none. */
export function codeOf (answer: string): string { return /(?:^|[\r\n])MSA\|(\w\w)/.exec(answer)?.[1] ?? '' }

/** A sender of its own making: a raw socket, VT and FS CR around each message, answers in order of arrival. */
export class MllpClient implements Disposable {
  readonly #socket: Socket
  readonly answers: string[] = []
  /** Monotonic milliseconds at which each answer had come. */
  readonly answeredMs: number[] = []
  closed = false
  #bytes = Buffer.alloc(0)
  #waiting: (() => void)[] = []

  private constructor (socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => { this.#receive(chunk) })
    socket.on('close', () => { this.closed = true; this.#wake() })
    socket.on('error', () => undefined)
  }

  /** Rejects where nothing listens. */
  static open (port: number): Promise<MllpClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => { socket.off('error', reject); resolve(new MllpClient(socket)) })
    })
  }

  send (message: Buffer): void { this.#socket.write(Buffer.concat([Buffer.of(VT), message, Buffer.of(FS, CR)])) }
  /** Any bytes, unframed. */
  raw (bytes: Buffer): void { this.#socket.write(bytes) }

  /** Sends and waits for the next answer; undefined if the connection ends first. */
  async exchange (message: Buffer): Promise<string | undefined> {
    const place = this.answers.length
    this.send(message)
    while (this.answers.length <= place) {
      if (this.closed) return undefined
      await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    }
    return this.answers[place]
  }

  [Symbol.dispose] (): void { this.#socket.destroy() }

  #receive (chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (let end = this.#bytes.indexOf(FS); end >= 0; end = this.#bytes.indexOf(FS)) {
      this.answers.push(this.#bytes.subarray(this.#bytes.indexOf(VT) + 1, end).toString('utf8'))
      this.answeredMs.push(systemClock.monotonicMs())
      this.#bytes = this.#bytes.subarray(end + 2)
    }
    this.#wake()
  }

  #wake (): void { for (const wake of this.#waiting.splice(0)) wake() }
}
