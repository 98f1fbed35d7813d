import { isLatidoError } from '../../streams/errors/index.ts'
import { formatDuration, type Clock, type DurationMs } from '../../streams/time/index.ts'
import { FirstContact } from './first-contact.ts'
import type { Fault, Superseded, Taken } from './outcome.ts'
import type { OutboundBatch, OutboundItem, OutboundSource } from './outbound.ts'
import type { Connector, ConnectorHealth, Intake } from './port.ts'
import { Standing } from './standing.ts'

/** What became of an item at the counterparty. */
export type Delivery =
  | { readonly kind: 'delivered' }
  /** Not worth sending: counted under this short name. */
  | { readonly kind: 'skipped', readonly what: string }
  /** It will never be taken: a dead letter. */
  | { readonly kind: 'refused', readonly fault: Fault }
  /** It may be taken when tried again; a dead letter after `attemptsMax`. */
  | { readonly kind: 'failed', readonly detail: string }
  /** The counterparty takes nothing at all: it is waited for, without a limit. `why` holds no value and no identifier. */
  | { readonly kind: 'away', readonly why: string, readonly retryAfterMs?: DurationMs }

export interface OutboundLimits {
  readonly pollMs: DurationMs
  /** After a failure: the first pause, doubled each time up to the last. */
  readonly pauseMsMin: DurationMs
  readonly pauseMsMax: DurationMs
  /** Tries of an item that the counterparty fails with. */
  readonly attemptsMax: number
  /** Patients whose items are sent at the same time; a patient's go one by one. */
  readonly patientsAtOnceMax: number
  /** What goes out later than this after it happened is late: counted, and told. */
  readonly lateAfterMs: DurationMs
}

export const OUTBOUND_LIMITS: OutboundLimits = { pollMs: 1_000, pauseMsMin: 1_000, pauseMsMax: 60_000, attemptsMax: 5, patientsAtOnceMax: 4, lateAfterMs: 60_000 }

export interface RunOutboundOptions {
  /** The configured feed, in counters too. */
  readonly name: string
  /** The connector's kind, in dead letters: `fhir-out`. */
  readonly kind: string
  /** Where it sends, for people; without credentials. */
  readonly endpoint: string
  /** Each is a queue of its own: what holds one up does not hold up the others. */
  readonly sources: readonly OutboundSource[]
  /** Sends one item; `isAsked`: a person asked for it. Throws only where nobody can know what became of it, which is counted as a failure. */
  readonly deliver: (item: OutboundItem, signal: AbortSignal, isAsked?: boolean) => Promise<Delivery>
  /** Whether the counterparty is there, asked at the start until it is: empty, or why not. Absent: it is taken to be. */
  readonly reach?: (signal: AbortSignal) => Promise<string>
  readonly intake: Pick<Intake, 'refuse' | 'count'>
  readonly clock: Clock
  readonly limits?: Partial<OutboundLimits>
  readonly say?: (line: string) => void
  /** In [0, 1): spreads the pauses. */
  readonly random?: () => number
}

/**
 * Sends what the sources yield, for ever: of each source a patient's items in order, several patients at a time. A batch is done when each of its items was delivered,
 * skipped or is a dead letter; after a crash the batch comes again, so `deliver` must be idempotent. Disposing stops between two items.
 */
export function runOutbound (options: RunOutboundOptions): Connector {
  const { name, endpoint, clock, sources, reach, random } = options
  const idle: ConnectorHealth = { state: 'up', since: clock.now(), why: '' }
  let last = ''
  const say = (line: string): void => { if (line !== last) options.say?.(last = line) } // the sources share a counterparty: what one said of it the other need not
  const contact = reach === undefined ? undefined : new FirstContact({ name, reach, clock, say, random, doing: `sending to ${endpoint}`, ...OUTBOUND_LIMITS, ...options.limits })
  const runners = sources.map(source => new OutboundRunner({ ...options, source, say, onDelivered: () => { contact?.made() } }))
  return {
    name,
    endpoint,
    retry: raw => retried(options, raw, runners.some(runner => runner.isOvertaken(raw))),
    health: () => {
      const all = [...runners.map(runner => runner.health), ...contact === undefined ? [] : [contact.health]]
      return all.find(({ state }) => state !== 'up') ?? all.find(({ why }) => why !== '') ?? all[0] ?? idle
    },
    [Symbol.asyncDispose]: async () => { await Promise.all([contact, ...runners].map(one => one?.[Symbol.asyncDispose]())) },
  }
}

/** A dead letter once more, when a person asks for it: one try. */
async function retried ({ deliver }: RunOutboundOptions, raw: Buffer, overtaken: boolean): Promise<Taken | Superseded> {
  if (overtaken) return { kind: 'superseded' }
  const delivery = await deliver(itemIn(raw), new AbortController().signal, true).catch((): Delivery => ({ kind: 'failed', detail: 'the connector failed' }))
  switch (delivery.kind) {
    case 'delivered': return { kind: 'taken', published: 1, duplicates: 0, refused: [] }
    case 'skipped': return { kind: 'superseded' }
    case 'refused': return delivery
    case 'failed': return { kind: 'failed', fault: { cause: 'source-refused', detail: delivery.detail } }
    case 'away': return { kind: 'failed', fault: { cause: 'source-refused', detail: delivery.why } }
  }
}

/** JSON has no NaN, the value of an alert that has none. */
function itemIn (raw: Buffer): OutboundItem {
  const item = JSON.parse(raw.toString()) as OutboundItem
  return item.kind === 'alert' ? { ...item, value: (item.value as number | null) ?? NaN } : item
}

/** Alerts whose newest delivered change is remembered. */
const ALERTS_KEPT_MAX = 50_000
/** What was lost is told for so long: whoever comes to each shift sees it. */
const LOST_TOLD_MS = 24 * 3_600_000

type RunnerOptions = Omit<RunOutboundOptions, 'sources'> & { readonly source: OutboundSource, readonly onDelivered: () => void }

class OutboundRunner implements AsyncDisposable {
  readonly #options: RunnerOptions
  readonly #limits: OutboundLimits
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>
  readonly #standing: Standing
  /** When the newest change happened that was delivered, by alert. */
  readonly #told = new Map<string, number>()
  /** Since when it waits: the alert or score that is being sent, by patient's queue. */
  readonly #inHand = new Map<OutboundItem, number>()
  #isLate = false
  #lost: { readonly words: string, readonly records: number, readonly at: number } | undefined

  constructor (options: RunnerOptions) {
    this.#options = options
    this.#limits = { ...OUTBOUND_LIMITS, ...options.limits }
    const { clock, say, random, name, endpoint } = options
    this.#standing = new Standing({ clock, say, random, name, doing: `sending to ${endpoint}`, initially: { state: 'up', why: '' }, ...this.#limits })
    this.#ended = this.#run()
  }

  /** A later change of the alert was delivered since: telling the old one now would bring it back. */
  isOvertaken (raw: Buffer): boolean {
    const item = itemIn(raw)
    return item.kind === 'alert' && (this.#told.get(item.id) ?? -Infinity) > item.changedAt
  }

  /** A counterparty that answers, and too slowly, is up: that what it hears is old must be said all the same, and so must what it never heard. */
  get health (): ConnectorHealth {
    const { health } = this.#standing
    const lateMs = this.#lateMs()
    const late = health.state === 'up' && lateMs > this.#limits.lateAfterMs ? lateWords(lateMs) : ''
    const lost = this.#lost !== undefined && this.#options.clock.now() - this.#lost.at < LOST_TOLD_MS ? this.#lost.words : ''
    return { ...health, why: [health.why, lost, late].filter(words => words !== '').join('; ') }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stop.abort()
    await this.#ended
    await this.#options.source[Symbol.asyncDispose]()
  }

  async #run (): Promise<void> {
    const { source, clock } = this.#options
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted;) {
      try {
        const batch = await source.next(this.#limits.pollMs)
        this.#standing.up()
        if (batch.lost !== undefined) this.#tellLost(batch.lost)
        await this.#send(batch.items)
        if (signal.aborted) return
        if (batch.items.length > 0) await this.#done(batch)
        failures = 0
      } catch (e) {
        this.#standing.waiting(isLatidoError(e) ? e.message : 'the log cannot be read')
        await clock.sleep(this.#standing.pauseMs(++failures), signal)
      }
    }
  }

  #tellLost ({ lane, records }: NonNullable<OutboundBatch['lost']>): void {
    const { name, clock, say } = this.#options
    this.#count(`${lane}-lost`, records)
    const now = clock.now()
    const all = records + (this.#lost !== undefined && now - this.#lost.at < LOST_TOLD_MS ? this.#lost.records : 0)
    this.#lost = { records: all, at: now, words: `up to ${all} ${lane} were never sent: they waited for longer than the log keeps them` }
    say?.(`${name}: ${this.#lost.words}`)
  }

  /** A position that cannot be kept means only that the batch comes again. */
  async #done (batch: OutboundBatch): Promise<void> {
    try { await batch.done() } catch { this.#count('position-not-kept') }
  }

  async #send (items: readonly OutboundItem[]): Promise<void> {
    const queues = byPatient(items)
    const lane = async (): Promise<void> => {
      for (let queue = queues.shift(); queue !== undefined; queue = queues.shift()) for (const item of queue) await this.#item(item)
    }
    await Promise.all(Array.from({ length: Math.min(this.#limits.patientsAtOnceMax, queues.length) }, lane))
  }

  async #item (item: OutboundItem): Promise<void> {
    const happened = momentOf(item)
    if (happened !== undefined) this.#inHand.set(item, happened)
    this.#tellLateness()
    try {
      await this.#try(item)
      if (happened !== undefined) this.#tellLateness()
    } finally {
      this.#inHand.delete(item)
    }
  }

  /** How old the oldest is that is being sent. */
  #lateMs (): DurationMs { return this.#inHand.size === 0 ? 0 : this.#options.clock.now() - Math.min(...this.#inHand.values()) }

  /** Once when it begins, once when it is over: well below the limit, since between two items the age falls a little. */
  #tellLateness (): void {
    const lateMs = this.#lateMs()
    if (this.#inHand.size === 0 || lateMs > this.#limits.lateAfterMs / (this.#isLate ? 2 : 1) === this.#isLate) return
    this.#isLate = !this.#isLate
    this.#options.say?.(`${this.#options.name}: ${this.#isLate ? lateWords(lateMs) : 'what is sent is in time again'}`)
  }

  async #try (item: OutboundItem): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stop
    let failed = 0
    for (let pauses = 1; !signal.aborted; pauses++) {
      const delivery = await this.#options.deliver(item, signal).catch((): Delivery => ({ kind: 'failed', detail: 'the connector failed' }))
      if (signal.aborted && delivery.kind !== 'delivered') return
      switch (delivery.kind) {
        case 'delivered':
          this.#count(`${item.kind}-delivered`)
          if (clock.now() - (momentOf(item) ?? Infinity) > this.#limits.lateAfterMs) this.#count(`${item.kind}-late`)
          this.#standing.up()
          this.#options.onDelivered()
          this.#tell(item)
          return
        case 'skipped': this.#count(`${item.kind}-${delivery.what}`); return
        case 'refused': this.#standing.up(); await this.#deadLetter(item, delivery.fault); return
        case 'failed':
          this.#count('attempt-failed')
          if (++failed === this.#limits.attemptsMax) { await this.#deadLetter(item, { cause: 'source-refused', detail: `${delivery.detail}, ${failed} times` }); return }
          break
        case 'away': this.#count('counterparty-away'); this.#standing.waiting(delivery.why)
      }
      const asked = delivery.kind === 'away' ? delivery.retryAfterMs ?? 0 : 0
      await clock.sleep(Math.max(this.#standing.pauseMs(pauses), asked), signal)
    }
  }

  #tell (item: OutboundItem): void {
    if (item.kind !== 'alert') return
    this.#told.delete(item.id)
    if (this.#told.size >= ALERTS_KEPT_MAX) for (const oldest of this.#told.keys()) { this.#told.delete(oldest); break }
    this.#told.set(item.id, item.changedAt)
  }

  /** Tried until the log has it: an item is never lost in silence. */
  async #deadLetter (item: OutboundItem, { cause, detail }: Fault): Promise<void> {
    const { intake, kind, clock, name } = this.#options
    for (let pauses = 1; !this.#stop.signal.aborted; pauses++) {
      try {
        await intake.refuse({ cause, detail, source: `${kind}:${name}`, feed: name, raw: Buffer.from(JSON.stringify(item)) })
        return
      } catch {
        this.#standing.waiting('the log does not take dead letters')
        await clock.sleep(this.#standing.pauseMs(pauses), this.#stop.signal)
      }
    }
  }

  #count (what: string, n = 1): void { this.#options.intake.count(this.#options.name, what, n) }
}

/** A clinical score waits for its turn on purpose, so its age says nothing. */
function momentOf (item: OutboundItem): number | undefined {
  switch (item.kind) {
    case 'alert': return item.changedAt
    case 'score': return item.asOf
    case 'clinical-score': return undefined
  }
}

function lateWords (lateMs: DurationMs): string {
  const unitMs = lateMs < 2 * HOUR_MS ? 60_000 : HOUR_MS
  return `what is sent now is ${formatDuration(Math.floor(lateMs / unitMs) * unitMs)} old: the receiver was away, or less is sent than there is to send`
}
const HOUR_MS = 3_600_000

function byPatient (items: readonly OutboundItem[]): OutboundItem[][] {
  const queues = new Map<string, OutboundItem[]>()
  for (const item of items) {
    const queue = queues.get(item.patient.id)
    if (queue === undefined) queues.set(item.patient.id, [item]); else queue.push(item)
  }
  return [...queues.values()]
}
