import { hash } from 'node:crypto'
import { isLatidoError } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { ConnectorHealth, Feed, Taken } from '../kit/index.ts'
import { AckWriter, ackCodes, APPLICATION_CODES, type Answer, type AnsweredBatch } from './ack.ts'
import { readBatches, type Batches } from './batch.ts'
import type { Framed } from './framer.ts'
import { findHeader, readHeader, type Header } from './header.ts'
import type { Hl7Limits } from './limits.ts'
import { isBatch, UNNAMED_SOURCE } from './mapper.ts'
import type { Hl7Fault } from './outcome.ts'

export interface ReceiverOptions {
  readonly feed: Feed<Hl7Fault>
  readonly clock: Clock
  readonly limits: Pick<Hl7Limits, 'answersMax' | 'batchMessagesMax'>
}

/** `unanswered`: the log is away; the sender keeps the message, so the connection closes without an answer. */
export type Received = { readonly kind: 'answered', readonly answers: readonly Buffer[] } | { readonly kind: 'unanswered' }

const ANSWER_BYTES_MAX = 4096

/**
 * One frame to its answers. The answer exists only after the feed has taken the message: everything of it is on the log, or is a dead letter.
 */
export class Receiver {
  readonly #options: ReceiverOptions
  readonly #acks: AckWriter
  /** Answers by identity and content, oldest first: a retransmission gets the same, and what was kept of it beside its events is not kept again. */
  readonly #answered = new Map<string, Answer>()
  #health: ConnectorHealth

  constructor (options: ReceiverOptions) {
    this.#options = options
    this.#acks = new AckWriter(options.clock.now())
    this.#health = { state: 'up', since: options.clock.now(), why: '' }
  }

  /** `waiting` since the log last failed to take a message. */
  get health (): ConnectorHealth { return this.#health }

  async receive (framed: Framed): Promise<Received> {
    const { feed } = this.#options
    const raw = framed.kind === 'frame' ? framed.payload : framed.head
    const header = readHeader(raw)
    if (this.#answersUs(raw, header)) {
      feed.count('answers-to-answers')
      return { kind: 'answered', answers: [] }
    }
    try {
      const answers = framed.kind === 'too-large' ? this.#answer(header ?? findHeader(raw), await this.#refuse(raw, { cause: 'too-large', detail: 'the frame is over the limit; this is its beginning' }))
        : header === undefined && isBatch(raw) ? await this.#takeBatches(raw)
          : this.#answer(header ?? findHeader(raw), await this.#take(raw))
      this.#turn('up', '')
      return { kind: 'answered', answers }
    } catch (e) {
      feed.count(isLatidoError(e) ? 'unanswered-log-away' : 'unanswered-failure')
      this.#turn('waiting', 'the log does not take messages')
      return { kind: 'unanswered' }
    }
  }

  /** Some senders answer an answer that they did not wait for; to answer that would go on for ever. */
  #answersUs (raw: Buffer, header: Header | undefined): boolean {
    if (header?.component(9, 1) !== 'ACK') return false
    const msa = raw.toString('latin1', 0, ANSWER_BYTES_MAX).split(/[\r\n]+/).find(line => line.startsWith('MSA'))
    return this.#acks.isOwn(msa?.split(header.delimiters.field)[2] ?? '')
  }

  #answer (header: Header | undefined, answer: Answer): readonly Buffer[] {
    const codes = ackCodes(header, answer.verdict)
    for (const code of codes) this.#options.feed.count(`answered-${code}`)
    return codes.map(code => this.#acks.write(header, code, answer, this.#options.clock.now()))
  }

  async #take (raw: Buffer): Promise<Answer> {
    const { feed, limits } = this.#options
    const mapped = feed.map(raw)
    if (mapped === undefined) return answerOf(await feed.fail(raw, 'the message could not be mapped'))
    if (mapped.kind === 'rejected') return answerOf(await feed.store(raw, mapped))
    const key = `${mapped.id}#${hash('sha256', mapped.content, 'base64')}`
    const before = this.#answered.get(key)
    const { archived: _, ...alone } = mapped
    const taken = await feed.store(raw, before === undefined ? mapped : { ...alone, refused: [] })
    if (taken.kind !== 'taken') return answerOf(taken)
    if (before !== undefined) feed.count('retransmissions')
    const answer = before ?? answerOf(taken)
    this.#remember(key, answer, limits.answersMax)
    return answer
  }

  /**
   * A batch in a frame is answered by one response batch in one frame, with an answer for each message (HL7 v2.5.1, 2.10.3.3): a sender over MLLP
   * waits for one frame, and a batch that is answered whole leaves no doubt which of its messages to send again. Messages are taken in order, each as if it
   * had come alone; where the log goes away among them nothing is answered, and those that were taken are known when the batch comes again.
   */
  async #takeBatches (raw: Buffer): Promise<readonly Buffer[]> {
    const { clock, feed, limits } = this.#options
    const read = readBatches(raw, limits.batchMessagesMax)
    if (read.kind !== 'batches') return this.#answer(undefined, await this.#refuse(raw, faultOf(read)))
    feed.count('batches')
    if (read.mismatches.length > 0) feed.count('batch-count-mismatches', read.mismatches.length)
    const batches: AnsweredBatch[] = []
    for (const { header, messages } of read.batches) {
      const answers: Buffer[] = []
      for (const message of messages) {
        const answer = await this.#take(message)
        const code = APPLICATION_CODES[answer.verdict]
        feed.count(`answered-${code}`)
        answers.push(this.#acks.write(readHeader(message), code, answer, clock.now()))
      }
      batches.push({ header, answers })
    }
    return [this.#acks.writeBatches(read.file, batches, clock.now())]
  }

  async #refuse (raw: Buffer, fault: Hl7Fault): Promise<Answer> { return answerOf(await this.#options.feed.refuse(raw, UNNAMED_SOURCE, fault)) }

  #remember (key: string, answer: Answer, max: number): void {
    this.#answered.delete(key)
    this.#answered.set(key, answer)
    const oldest = this.#answered.keys().next()
    if (this.#answered.size > max && oldest.done !== true) this.#answered.delete(oldest.value)
  }

  #turn (state: ConnectorHealth['state'], why: string): void {
    if (this.#health.state !== state) this.#health = { state, since: this.#options.clock.now(), why }
  }
}

/** Taken whole or in part: accepted, with a warning that names the first place. Refused for ever: rejected. Ours: error, try again. */
function answerOf (taken: Taken<Hl7Fault>): Answer {
  if (taken.kind === 'refused') return { verdict: 'rejected', fault: taken.fault }
  if (taken.kind === 'failed') return { verdict: 'error', fault: taken.fault }
  const [first] = taken.refused
  return first === undefined ? { verdict: 'accepted' } : { verdict: 'accepted', fault: first.fault, text: `${taken.refused.length} refused, the rest taken` }
}

function faultOf (read: Exclude<Batches, { kind: 'batches' }>): Hl7Fault {
  return read.kind === 'bad' ? { cause: 'malformed', detail: read.detail } : { cause: 'too-large', detail: 'more messages in a batch than the limit' }
}
