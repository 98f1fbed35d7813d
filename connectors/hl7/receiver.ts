import { createHash } from 'node:crypto'
import { isLatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { InboundMessage, Intake, TimePolicy } from '../kit/port.ts'
import { AckWriter, ackCodes, type Answer } from './ack.ts'
import type { LocalCodes } from './code.ts'
import type { Framed } from './framer.ts'
import { findHeader, readHeader, type Header } from './header.ts'
import type { Hl7Limits } from './limits.ts'
import { mapMessage, sourceOf, type Mapped, type MappedEvent, type RefusedRow } from './map.ts'
import { parseMessage, type Message } from './message.ts'
import type { Fault, Notices } from './outcome.ts'
import { rawOfRow } from './raw.ts'

export interface ReceiverOptions {
  readonly intake: Intake
  readonly clock: Clock
  readonly zone: string
  readonly policy: TimePolicy
  readonly limits: Hl7Limits
  readonly localCodes?: LocalCodes | undefined
}

/** `unanswered`: the log is away; the sender keeps the message, so the connection closes without an answer. */
export type Received = { readonly kind: 'answered', readonly answers: readonly Buffer[] } | { readonly kind: 'unanswered' }

/** The name under which outcomes are counted; senders' names would make counters without bound. */
export const SOURCE = 'hl7'

const ANSWER_BYTES_MAX = 4096

/**
 * One frame to its answers. The answer exists only after the log has the message, or the dead letter: publishing and refusing
 * run together, and nothing is answered until all of it is durable. A message may thus be stored twice as a dead letter, never not at all.
 */
export class Receiver {
  readonly #options: ReceiverOptions
  readonly #acks: AckWriter
  /** Answers by identity and content, oldest first: a retransmission gets the same, and its refusals are not stored again. */
  readonly #answered = new Map<string, Answer>()

  constructor (options: ReceiverOptions) {
    this.#options = options
    this.#acks = new AckWriter(options.clock.now())
  }

  async receive (framed: Framed): Promise<Received> {
    const { intake } = this.#options
    const raw = framed.kind === 'frame' ? framed.payload : framed.head
    const header = readHeader(raw)
    if (this.#answersUs(raw, header)) {
      intake.count(SOURCE, 'answers-to-answers')
      return { kind: 'answered', answers: [] }
    }
    try {
      const answer = framed.kind === 'too-large' ? await this.#reject(raw, SOURCE, { cause: 'too-large', detail: 'the frame is over the limit; this is its beginning' }) : await this.#take(raw, header)
      return this.#answer(header ?? findHeader(raw), answer)
    } catch (e) {
      intake.count(SOURCE, isLatidoError(e) ? 'unanswered-log-away' : 'unanswered-failure')
      return { kind: 'unanswered' }
    }
  }

  /** Some senders answer an answer that they did not wait for; to answer that would go on for ever. */
  #answersUs (raw: Buffer, header: Header | undefined): boolean {
    if (header?.component(9, 1) !== 'ACK') return false
    const msa = raw.toString('latin1', 0, ANSWER_BYTES_MAX).split(/[\r\n]+/).find(line => line.startsWith('MSA'))
    return this.#acks.isOwn(msa?.split(header.delimiters.field)[2] ?? '')
  }

  #answer (header: Header | undefined, answer: Answer): Received {
    const { clock, intake } = this.#options
    const codes = ackCodes(header, answer.verdict)
    for (const code of codes) intake.count(SOURCE, `answered-${code}`)
    return { kind: 'answered', answers: codes.map(code => this.#acks.write(header, code, answer, clock.now())) }
  }

  async #take (raw: Buffer, header: Header | undefined): Promise<Answer> {
    if (header === undefined) return this.#reject(raw, SOURCE, isBatch(raw) ? { cause: 'unsupported-type', detail: 'a batch in a frame' } : { cause: 'not-hl7', detail: 'the frame does not begin with MSH' })
    const { limits, intake, zone, policy, localCodes } = this.#options
    const read = attempt((): Read => {
      const parsed = parseMessage(raw, header, limits)
      if (parsed.kind !== 'ok') return { kind: 'unread', fault: { cause: parsed.kind, detail: parsed.detail } }
      return { kind: 'read', message: parsed.message, mapped: mapMessage(parsed.message, { now: intake.now(), zone, policy, localCodes }) }
    })
    if (read === undefined) return this.#fail(raw, SOURCE, 'the message could not be mapped')
    if (read.kind === 'unread') return this.#reject(raw, SOURCE, read.fault)
    this.#countAll(read.mapped.notices)
    const source = sourceOf(read.message.msh)
    return read.mapped.kind === 'rejected' ? this.#reject(raw, source, read.mapped.fault) : this.#store(raw, header, source, read.mapped)
  }

  async #store (raw: Buffer, header: Header, source: string, mapped: Extract<Mapped, { kind: 'mapped' }>): Promise<Answer> {
    const { intake, limits } = this.#options
    const content = contentOf(raw, header)
    const id = messageIdOf(header, content)
    const key = `${id}#${createHash('sha256').update(content).digest('hex')}`
    const before = this.#answered.get(key)
    const messages = mapped.events.map((one, i) => inbound(one, i, id, source, content))
    const refused = before === undefined ? mapped.refused : []
    const done = await Promise.allSettled([
      ...messages.map(one => intake.publish(one)),
      ...refused.map(one => intake.refuse({ cause: one.fault.cause, detail: one.fault.detail, source, raw: rawOfRow(raw, one) })),
    ])
    const failed = done.find(one => one.status === 'rejected')
    if (failed !== undefined) return this.#notStored(raw, source, failed.reason)
    if (before !== undefined) intake.count(SOURCE, 'retransmissions')
    const answer = before ?? answerOf(mapped)
    this.#remember(key, answer, limits.answersMax)
    return answer
  }

  /** Too large for the log, or not in its schema, is for ever: refuse it. Any other failure of the log: no answer. Of ours: AE. */
  async #notStored (raw: Buffer, source: string, reason: unknown): Promise<Answer> {
    if (!isLatidoError(reason)) return this.#fail(raw, source, 'publishing failed')
    if (reason.code === 'RECORD_TOO_LARGE') return this.#reject(raw, source, { cause: 'too-large', detail: 'the log cannot take a record of this size' })
    if (reason.code === 'PAYLOAD_INVALID') return this.#reject(raw, source, { cause: 'payload-invalid', detail: messageOf(reason) })
    throw reason
  }

  async #reject (raw: Buffer, source: string, fault: Fault): Promise<Answer> {
    await this.#options.intake.refuse({ cause: fault.cause, detail: fault.detail, source, raw })
    return { verdict: 'rejected', fault }
  }

  /** Our own fault, with the message kept for whoever mends it: the sender may try again. */
  async #fail (raw: Buffer, source: string, detail: string): Promise<Answer> {
    const fault: Fault = { cause: 'step-failed', detail }
    await this.#options.intake.refuse({ cause: fault.cause, detail, source, raw })
    return { verdict: 'error', fault }
  }

  #countAll (notices: Notices): void { for (const [what, n] of notices) this.#options.intake.count(SOURCE, what, n) }

  #remember (key: string, answer: Answer, max: number): void {
    this.#answered.delete(key)
    this.#answered.set(key, answer)
    const oldest = this.#answered.keys().next()
    if (this.#answered.size > max && oldest.done !== true) this.#answered.delete(oldest.value)
  }
}

/** The message is taken whole or in part: AA. What was refused is stored and named in a warning. */
function answerOf ({ refused, rows }: { readonly refused: readonly RefusedRow[], readonly rows: number }): Answer {
  const first = refused[0]
  if (first === undefined) return { verdict: 'accepted' }
  return { verdict: 'accepted', fault: first.fault, text: `${refused.length} refused of ${Math.max(rows, refused.length)} observations` }
}

function inbound ({ patient, event }: MappedEvent, i: number, id: string, source: string, content: Buffer): InboundMessage {
  return { patient, event, messageId: i === 0 ? id : `${id}#${i + 1}`, source, content }
}

/** The message without MSH-7: a retransmission may carry a new time of sending. */
function contentOf (raw: Buffer, header: Header): Buffer {
  const sentAt = header.field(7)
  const lead = ['MSH', ...[2, 3, 4, 5, 6].map(n => header.field(n))].join(header.delimiters.field).length + 1
  const from = header.start + lead
  return sentAt === '' ? raw : Buffer.concat([raw.subarray(0, from), raw.subarray(from + sentAt.length)])
}

/** Sending application, facility and control id; a sender without control ids is told apart by content. */
function messageIdOf (header: Header, content: Buffer): string {
  const control = header.field(10) === '' ? createHash('sha256').update(content).digest('hex') : header.field(10)
  return [header.field(3), header.field(4), control].join('|')
}

function isBatch (raw: Buffer): boolean { return /^[\r\n]*(FHS|BHS)\W/.test(raw.toString('latin1', 0, 64)) }

type Read =
  | { readonly kind: 'unread', readonly fault: Fault }
  | { readonly kind: 'read', readonly message: Message, readonly mapped: Mapped }

/** undefined: it threw, which is a fault of ours and never the end of the listener. */
function attempt<T> (run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
