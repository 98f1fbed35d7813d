import type { Clock } from '../../streams/time/index.ts'
import { codeOf, Line } from '../hl7/index.ts'

const ANSWER_TIMEOUT_MS = 30_000
const RETRY_AFTER_MS = 1_000
const QUEUE_MAX = 10_000

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
    const line = new Line({ host: this.#host, port: this.#port, timeoutMs: ANSWER_TIMEOUT_MS, clock: this.#clock, signal })
    try {
      while (!signal.aborted) {
        const message = this.#queue[0]
        if (message === undefined) await new Promise<void>(resolve => { this.#wake = resolve })
        else if (!await this.#deliver(line, message) && !signal.aborted) await this.#clock.sleep(RETRY_AFTER_MS, signal)
      }
    } finally {
      line.close()
    }
  }

  /** False where it must be sent again: an error, no answer, or nobody there. */
  async #deliver (line: Line, { controlId, text }: { readonly controlId: string, readonly text: string }): Promise<boolean> {
    const answer = await line.exchange(Buffer.from(text)).catch(() => 'nobody' as const)
    if (answer === 'nobody') return false
    this.counts.sent++
    if (controlId === this.#lastSent) this.counts.resent++
    this.#lastSent = controlId
    const code = answer === undefined ? 'none' : codeOf(answer)
    if (code === 'none' || code === 'AE' || code === 'CE') return false
    if (code === 'AA' || code === 'CA') this.counts.accepted++; else this.counts.rejected++
    this.#queue.shift()
    return true
  }
}
