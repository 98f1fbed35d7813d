import { connect, type Socket } from 'node:net'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import { systemClock, type Clock } from '../../streams/time/index.ts'
import { frame, Framer } from './framer.ts'
import { readHeader } from './header.ts'
import { HL7_LIMITS } from './limits.ts'

export interface SendOptions {
  readonly host: string
  readonly port: number
  readonly messages: AsyncIterable<Buffer> | Iterable<Buffer>
  /** Called with each final answer: MSA-1, the message's place from 0, and the answer's bytes. */
  readonly onAck?: (code: string, index: number, answer: Buffer) => void
  /** How long to wait for an answer; 30 s by default. */
  readonly timeoutMs?: number
  /** Attempts for a message that gets no answer or an error (AE, CE); 3 by default. */
  readonly attemptsMax?: number
  readonly clock?: Clock
  readonly signal?: AbortSignal
}

export interface SendResult {
  readonly sent: number
  /** Final answers by MSA-1; `none` where no attempt was answered. */
  readonly codes: Readonly<Record<string, number>>
}

/**
 * Sends messages over MLLP, one in flight: the next when the last is answered. An error (AE, CE) or no answer is tried again on
 * a new connection; a reject is final. Throws CONFIG_INVALID where nothing listens.
 */
export async function sendHl7 (options: SendOptions): Promise<SendResult> {
  const { messages, onAck, attemptsMax = 3, signal } = options
  const codes: Record<string, number> = {}
  const line = new Line(options)
  let sent = 0
  try {
    for await (const message of messages) {
      if (signal?.aborted === true) break
      let answer: Buffer | undefined
      for (let attempt = 1; attempt <= attemptsMax && (answer === undefined || /^[AC]E$/.test(codeOf(answer))); attempt++) answer = await line.exchange(message)
      const code = answer === undefined ? 'none' : codeOf(answer)
      codes[code] = (codes[code] ?? 0) + 1
      if (answer !== undefined) onAck?.(code, sent, answer)
      sent++
    }
  } finally {
    line.close()
  }
  return { sent, codes }
}

/** MSA-1 of an answer, or `?`. */
export function codeOf (answer: Buffer): string { return msaOf(answer)[0] }

function msaOf (answer: Buffer): readonly [code: string, controlId: string] {
  const separator = readHeader(answer)?.delimiters.field ?? '|'
  const msa = answer.toString('latin1').split(/[\r\n]+/).find(line => line.startsWith('MSA'))?.split(separator)
  return [msa?.[1] ?? '?', msa?.[2] ?? '']
}

/** A connection that opens when needed, and the answers that came on it. */
class Line {
  readonly #options: SendOptions
  readonly #clock: Clock
  #socket: Socket | undefined
  #answers: Buffer[] = []
  #wake: () => void = () => {}

  constructor (options: SendOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** The final answer; undefined if there was none in time. After CA the application answer is awaited where MSH-16 asks for it. */
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

  close (): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#answers = []
  }

  /** The next answer with this control id (or with none); late answers to earlier messages are passed over. */
  async #answerTo (controlId: string): Promise<Buffer | undefined> {
    const timeout = new AbortController()
    let late = false
    void this.#clock.sleep(this.#options.timeoutMs ?? 30_000, timeout.signal).then(() => { late = true; this.#wake() })
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
    const { host, port, signal } = this.#options
    const framer = new Framer({ frameBytesMax: HL7_LIMITS.frameBytesMax })
    const socket = connect({ host, port, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', e => { reject(new LatidoError('CONFIG_INVALID', `nothing answers at ${host}:${port}: ${messageOf(e)}`, 'start Latido first, or set LATIDO_MLLP_PORT to the port that it listens on', e)) })
    })
    const gone = (): void => {
      if (this.#socket === socket) this.#socket = undefined
      this.#wake()
    }
    socket.on('error', gone)
    socket.on('close', gone)
    socket.on('data', chunk => {
      for (const framed of framer.push(chunk)) if (framed.kind === 'frame') this.#answers.push(framed.payload)
      this.#wake()
    })
    signal?.addEventListener('abort', () => { this.#wake() }, { once: true })
    this.#socket = socket
    return socket
  }
}
