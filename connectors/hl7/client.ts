import { systemClock, type Clock } from '../../streams/time/index.ts'
import { codeOf, Line } from './line.ts'
import type { Hl7ClientTls } from './tls.ts'

export interface SendOptions {
  readonly host: string
  readonly port: number
  readonly tls?: Hl7ClientTls
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

const TIMEOUT_MS = 30_000

/**
 * Sends messages over MLLP, one in flight: the next when the last is answered. An error (AE, CE) or no answer is tried again on
 * a new connection; a reject is final. Throws CONFIG_INVALID where nothing listens.
 */
export async function sendHl7 (options: SendOptions): Promise<SendResult> {
  const { host, port, tls, messages, onAck, attemptsMax = 3, timeoutMs = TIMEOUT_MS, clock = systemClock, signal } = options
  const codes: Record<string, number> = {}
  const line = new Line({ host, port, tls, timeoutMs, clock, signal })
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
