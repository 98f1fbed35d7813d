import { isLoopback, runOutbound, type Connector, type Delivery, type Intake, type OutboundItem, type OutboundLane, type OutboundScore, type OutboundSource } from '../../kit/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import { readHeader } from '../header.ts'
import { codeOf, Line } from '../line.ts'
import { clientTls } from '../tls.ts'
import { alertMessage, clinicalScoreMessage, scoreMessage } from './messages.ts'
import type { Hl7SenderOptions } from './options.ts'

export interface Hl7SenderParts {
  readonly name: string
  /** Called once the options are found to be safe, for each lane that has something to send. */
  readonly source: (lane: OutboundLane) => OutboundSource
  readonly intake: Pick<Intake, 'refuse' | 'count'>
  readonly clock: Clock
  readonly say?: (line: string) => void
  /** In [0, 1): spreads the pauses. */
  readonly random?: () => number
}

/** Patients whose last score is remembered. */
const PATIENTS_MAX = 50_000
const AWAY = 'nothing answers there'

/**
 * Sends alerts (ORU^R40) and scores (ORU^R01) to one receiver over one connection, one in flight; alerts in order, and scores in order, of which at most
 * one stands before an alert. A message without an answer is sent again, after pauses that
 * grow, until it is answered; one that is answered with an error, so many times; a reject makes it a dead letter. After a restart the sender goes on
 * behind what was answered, and a repeat has the control id and the alert's id of the first time. Disposing ends the wait for an answer.
 * Throws UNSAFE_CREDENTIALS where patients would go through the network unencrypted, FILE_UNREADABLE or FILE_INVALID for a certificate.
 */
export function hl7Sender (options: Hl7SenderOptions, parts: Hl7SenderParts): Connector {
  const { host, port, tls, plain, pauseMsMin, pauseMsMax, attemptsMax } = options
  if (tls === undefined && !plain && !isLoopback(host)) throw new LatidoError('UNSAFE_CREDENTIALS', `patients would go to ${host} unencrypted`, 'give "tls", or say "plain": true where the network itself is secured')
  if (tls !== undefined) clientTls(tls) // a file that is missing is told now
  const delivery = new Hl7Delivery(options, parts.clock)
  const { alerts, scores, clinicalScores } = options
  const lanes: readonly OutboundLane[] = [...alerts ? ['alerts'] as const : [], ...scores || clinicalScores.length > 0 ? ['scores'] as const : []]
  const runner = runOutbound({
    ...parts, sources: lanes.map(lane => parts.source(lane)), kind: 'hl7-out', endpoint: `${tls === undefined ? 'mllp' : 'mllps'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    deliver: (item, signal) => delivery.deliver(item, signal), reach: signal => delivery.reach(signal),
    limits: { pauseMsMin, pauseMsMax, attemptsMax, patientsAtOnceMax: 1 },
  })
  return {
    ...runner,
    [Symbol.asyncDispose]: async () => { await runner[Symbol.asyncDispose](); delivery.close() },
  }
}

class Hl7Delivery {
  readonly #options: Hl7SenderOptions
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #line: Line
  /** When each patient's last score was, by model; oldest first. */
  readonly #scored = new Map<string, number>()
  readonly #heard = new WeakSet<AbortSignal>()
  /** The end of the exchange that the line is busy with. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor (options: Hl7SenderOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#line = new Line({ host: options.host, port: options.port, tls: options.tls, timeoutMs: options.answerMs, clock, signal: this.#stop.signal })
  }

  async deliver (item: OutboundItem, signal: AbortSignal): Promise<Delivery> {
    this.#listen(signal)
    if (item.kind === 'alert') return await this.#send(now => alertMessage(item, this.#options, now))
    if (item.kind === 'clinical-score') return await this.#send(now => clinicalScoreMessage(item, this.#options, now))
    if (!this.#options.scores) return { kind: 'skipped', what: 'not-wanted' }
    if (!this.#isDue(item)) return { kind: 'skipped', what: 'not-due' }
    const delivery = await this.#send(now => scoreMessage(item, this.#options, now))
    if (delivery.kind === 'delivered') this.#remember(item)
    return delivery
  }

  close (): void { this.#line.close() }

  async reach (signal: AbortSignal): Promise<string> {
    this.#listen(signal)
    const turn = this.#turn.then(() => this.#stop.signal.aborted ? undefined : this.#line.reach())
    this.#turn = turn.catch(() => {})
    return await turn.then(() => '', () => AWAY)
  }

  /** MSH-7 is when it is really sent. */
  async #send (write: (now: number) => Buffer): Promise<Delivery> {
    const turn = this.#turn.then(() => this.#stop.signal.aborted ? undefined : this.#line.exchange(write(this.#clock.now())))
    this.#turn = turn.catch(() => {})
    let answer
    try {
      answer = await turn
    } catch {
      return { kind: 'away', why: AWAY }
    }
    if (answer === undefined) return { kind: 'away', why: 'no answer in time' }
    const code = codeOf(answer)
    switch (code) {
      case 'AA': case 'CA': return { kind: 'delivered' }
      case 'AR': case 'CR': return { kind: 'refused', fault: { cause: 'source-refused', detail: `answered ${code}${errorOf(answer)}` } }
      case 'AE': case 'CE': return { kind: 'failed', detail: `answered ${code}${errorOf(answer)}` }
      default: return { kind: 'failed', detail: 'answered without a code of table 0008' }
    }
  }

  /** The line has one signal for its life; the lanes end together. */
  #listen (signal: AbortSignal): void {
    if (this.#heard.has(signal)) return
    this.#heard.add(signal)
    signal.addEventListener('abort', () => { this.#stop.abort() }, { once: true })
    if (signal.aborted) this.#stop.abort()
  }

  #isDue (score: OutboundScore): boolean { return score.asOf - (this.#scored.get(keyOf(score)) ?? -Infinity) >= this.#options.scoreEveryMs }

  #remember (score: OutboundScore): void {
    const key = keyOf(score)
    this.#scored.delete(key)
    this.#scored.set(key, score.asOf)
    const oldest = this.#scored.keys().next()
    if (this.#scored.size > PATIENTS_MAX && oldest.done !== true) this.#scored.delete(oldest.value)
  }
}

function keyOf ({ patient, model, version }: OutboundScore): string { return `${model}@${version}|${patient.id}` }

/** The code of table 0357 that an answer names, if it is one: ERR-3 since v2.5, else within ERR-1. Nothing else of an answer is repeated. */
function errorOf (answer: Buffer): string {
  const separator = readHeader(answer)?.delimiters.field ?? '|'
  const fields = answer.toString('latin1').split(/[\r\n]+/).find(line => line.startsWith('ERR'))?.split(separator)
  const code = /\b(10[0-3]|20[0-7])\b/.exec(fields?.[3] || fields?.[1] || '')?.[1]
  return code === undefined ? '' : `, ${code}`
}
