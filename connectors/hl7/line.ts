import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import { frame, Framer } from './framer.ts'
import { readHeader } from './header.ts'
import { clientTls, type Hl7ClientTls } from './tls.ts'

export interface LineOptions {
  readonly host: string
  readonly port: number
  readonly tls?: Hl7ClientTls | undefined
  /** How long to wait for a connection, and for an answer. */
  readonly timeoutMs: DurationMs
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

const ANSWER_BYTES_MAX = 1024 * 1024
/** Answers that nobody waits for, from a receiver that answers too much. */
const ANSWERS_MAX = 64

/** A connection to a receiver of HL7 v2 that opens when needed: a message, then its answer, then the next. Every sender uses it. */
export class Line {
  readonly #options: LineOptions
  #socket: Socket | undefined
  #answers: Buffer[] = []
  #wake: () => void = () => {}

  constructor (options: LineOptions) {
    this.#options = options
    options.signal?.addEventListener('abort', () => { this.#wake() }, { once: true })
  }

  /**
   * The final answer; undefined if there was none in time, and then the connection is closed: a late answer is never taken for another's. After CA
   * the application answer is awaited where MSH-16 asks for it. Throws CONFIG_INVALID where nothing listens.
   */
  async exchange (message: Buffer): Promise<Buffer | undefined> {
    const socket = this.#socket ?? await this.#open()
    const header = readHeader(message)
    const controlId = header?.field(10) ?? ''
    socket.write(frame(message))
    const first = await this.#answerTo(controlId)
    const more = first !== undefined && codeOf(first) === 'CA' && ['AL', 'SU'].includes(header?.component(16, 1) ?? '')
    const answer = more ? await this.#answerTo(controlId) ?? first : first
    if (answer === undefined) this.close()
    return answer
  }

  /** Opens a connection and closes it again: one that is kept may die unseen before there is something to send. Throws as `exchange` does. */
  async reach (): Promise<void> {
    if (this.#socket !== undefined) return
    const socket = await this.#open()
    this.#socket = undefined
    this.#options.signal?.addEventListener('abort', () => { socket.destroy() }, { once: true })
    socket.end() // and not destroyed: the end of a TLS handshake may still be on its way
  }

  close (): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#answers = []
  }

  /** The next answer with this control id (or with none); late answers to earlier messages are passed over. */
  async #answerTo (controlId: string): Promise<Buffer | undefined> {
    const timeout = new AbortController()
    let late = false
    void this.#options.clock.sleep(this.#options.timeoutMs, timeout.signal).then(() => { late = true; this.#wake() })
    try {
      for (;;) {
        for (let answer = this.#answers.shift(); answer !== undefined; answer = this.#answers.shift()) {
          const id = msaOf(answer)[1]
          if (id === controlId || id === '') return answer
        }
        if (late || this.#socket === undefined || this.#options.signal?.aborted === true) return undefined
        await new Promise<void>(resolve => { this.#wake = resolve })
      }
    } finally {
      timeout.abort()
    }
  }

  async #open (): Promise<Socket> {
    const { host, port, tls } = this.#options
    const framer = new Framer({ frameBytesMax: ANSWER_BYTES_MAX })
    const socket = tls === undefined ? connect({ host, port, noDelay: true }) : connectTls({ host, port, ...clientTls(tls) })
    try {
      await this.#connected(socket, tls === undefined ? 'connect' : 'secureConnect')
    } catch (cause) {
      socket.destroy()
      throw new LatidoError('CONFIG_INVALID', `nothing answers at ${host}:${port}: ${messageOf(cause)}`, 'start the receiver first, or set the port that it listens on (LATIDO_MLLP_PORT)', cause)
    }
    const gone = (): void => {
      if (this.#socket === socket) this.#socket = undefined
      this.#wake()
    }
    socket.setNoDelay(true)
    socket.on('error', gone)
    socket.on('close', gone)
    socket.on('data', chunk => {
      for (const framed of framer.push(chunk)) if (framed.kind === 'frame' && this.#answers.length < ANSWERS_MAX) this.#answers.push(framed.payload)
      this.#wake()
    })
    this.#answers = []
    this.#socket = socket
    return socket
  }

  async #connected (socket: Socket, event: string): Promise<void> {
    const { clock, timeoutMs, signal } = this.#options
    const timeout = new AbortController()
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(event, () => { resolve() })
        socket.once('error', reject)
        signal?.addEventListener('abort', () => { reject(new Error('stopped')) }, { once: true, signal: timeout.signal })
        void clock.sleep(timeoutMs, timeout.signal).then(() => { reject(new Error('no connection in time')) })
      })
    } finally {
      timeout.abort()
    }
  }
}

/** MSA-1 of an answer, or `?`. */
export function codeOf (answer: Buffer): string { return msaOf(answer)[0] }

function msaOf (answer: Buffer): readonly [code: string, controlId: string] {
  const separator = readHeader(answer)?.delimiters.field ?? '|'
  const msa = answer.toString('latin1').split(/[\r\n]+/).find(line => line.startsWith('MSA'))?.split(separator)
  return [msa?.[1] ?? '?', msa?.[2] ?? '']
}
