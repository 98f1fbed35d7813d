import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Clock } from '../../streams/time/index.ts'

const VT = 0x0b
const FS = 0x1c
const CR = 0x0d
const ANSWER_TIMEOUT_MS = 30_000
const RETRY_AFTER_MS = 1_000
const QUEUE_MAX = 10_000
const ANSWER_BYTES_MAX = 65_536

export interface MllpCounts { sent: number, accepted: number, rejected: number, resent: number, dropped: number }

/**
 * Sends HL7 messages one after another, the next when the last is answered. A message without a positive or final answer is sent
 * again with the same control id, on a new connection if need be, for as long as it takes; the queue behind it is bounded.
 */
export class MllpSender {
  readonly #host: string
  readonly #port: number
  readonly #clock: Clock
  readonly #queue: { readonly controlId: string, readonly text: string }[] = []
  readonly counts: MllpCounts = { sent: 0, accepted: 0, rejected: 0, resent: 0, dropped: 0 }
  #lastSent = ''
  #wake: () => void = () => undefined

  constructor (host: string, port: number, clock: Clock) {
    this.#host = host
    this.#port = port
    this.#clock = clock
  }

  send (controlId: string, text: string): void {
    if (this.#queue.length >= QUEUE_MAX) { this.counts.dropped++; return }
    this.#queue.push({ controlId, text })
    this.#wake()
  }

  get queued (): number { return this.#queue.length }

  /** Works until the signal. */
  async run (signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => { this.#wake() }, { once: true })
    while (!signal.aborted) {
      const socket = await open(this.#host, this.#port, signal)
      if (socket !== undefined) await this.#converse(socket, signal)
      if (!signal.aborted) await this.#clock.sleep(RETRY_AFTER_MS, signal)
    }
  }

  /** Until the connection ends or a message goes unanswered. */
  async #converse (socket: Socket, signal: AbortSignal): Promise<void> {
    const answers = new Answers(socket)
    try {
      while (!signal.aborted && answers.open) {
        const message = this.#queue[0]
        if (message === undefined) { await Promise.race([new Promise<void>(resolve => { this.#wake = resolve }), answers.closed]); continue }
        socket.write(Buffer.concat([Buffer.of(VT), Buffer.from(message.text), Buffer.of(FS, CR)]))
        this.counts.sent++
        if (message.controlId === this.#lastSent) this.counts.resent++
        this.#lastSent = message.controlId
        const code = await this.#answer(answers, message.controlId)
        if (code === undefined) return
        if (code === 'AE' || code === 'CE') { await this.#clock.sleep(RETRY_AFTER_MS, signal); continue }
        if (code === 'AA' || code === 'CA') this.counts.accepted++; else this.counts.rejected++
        this.#queue.shift()
      }
    } finally {
      socket.destroy()
    }
  }

  async #answer (answers: Answers, controlId: string): Promise<string | undefined> {
    const timeout = new AbortController()
    const late = this.#clock.sleep(ANSWER_TIMEOUT_MS, timeout.signal).then(() => undefined)
    const code = await Promise.race([answers.to(controlId), late])
    timeout.abort()
    return code
  }
}

function open (host: string, port: number, signal: AbortSignal): Promise<Socket | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host, port, noDelay: true, signal })
    socket.once('connect', () => { resolve(socket) })
    socket.on('error', () => { resolve(undefined) })
  })
}

/** MSA-1 by control id, from the bytes that come back. */
class Answers {
  readonly closed: Promise<void>
  open = true
  #bytes = Buffer.alloc(0)
  #waiting: { readonly controlId: string, readonly resolve: (code: string | undefined) => void } | undefined
  constructor (socket: Socket) {
    socket.on('data', (chunk: Buffer) => { this.#receive(chunk) })
    this.closed = new Promise(resolve => { socket.once('close', () => { this.open = false; this.#waiting?.resolve(undefined); resolve() }) })
    if (socket.destroyed) this.open = false
  }

  /** Undefined when the connection ends first. */
  to (controlId: string): Promise<string | undefined> {
    return new Promise(resolve => { if (this.open) this.#waiting = { controlId, resolve }; else resolve(undefined) })
  }

  #receive (chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (let end = this.#bytes.indexOf(FS); end >= 0; end = this.#bytes.indexOf(FS)) {
      const text = this.#bytes.subarray(0, end).toString('utf8')
      this.#bytes = this.#bytes.subarray(end + 1)
      const [, code, controlId] = /(?:^|[\r\n])MSA\|(\w\w)\|([^|\r\n]*)/.exec(text) ?? []
      if (code !== undefined && this.#waiting !== undefined && controlId === this.#waiting.controlId) this.#waiting.resolve(code)
    }
    if (this.#bytes.length > ANSWER_BYTES_MAX) this.#bytes = Buffer.alloc(0)
  }
}
