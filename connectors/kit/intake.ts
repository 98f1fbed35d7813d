import { partitionFor } from '../../streams/codec/index.ts'
import { TOPICS, type BedsideEvent, type EventCodecs, type PatientKey } from '../../streams/events/index.ts'
import { openLmdb } from '../../streams/lmdb/index.ts'
import type { Log, Producer, TopicPartition } from '../../streams/log/index.ts'
import type { ArrivalTimeMs, Clock, DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import { Beds, type Sealer } from './beds.ts'
import { headerOf, LogTail } from './log-tail.ts'
import { MergedKeys } from './merged-keys.ts'
import type { ArchivedInput, InboundEvent, InboundMessage, Intake, PublishOutcome, RefusedInput, SourceIdentity } from './port.ts'
import { SealedTable } from './sealed-table.ts'
import { keptMarkOf, markOf, OwnSeenMessages, type MessageMark, type SeenMessages } from './seen-messages.ts'

/** 72 hours: senders that were away for a long weekend send again. */
export const SEEN_FOR_MS: DurationMs = 72 * 3_600_000
const PURGE_EVERY_MS: DurationMs = 60_000
const PURGE_ROWS = 20_000
const CHECKPOINT_EVERY_MS: DurationMs = 5_000

export interface IntakeOptions {
  readonly log: Log
  readonly codecs: EventCodecs
  readonly clock: Clock
  readonly directory: string
  readonly sealer: Sealer
  /** The pseudonym of a patient; also keeps the identity record. Resolves when a new identity is durable. */
  readonly identify: (patient: SourceIdentity) => Promise<PatientKey>
  /** Whether an identifier was ever seen; without it nobody asks. */
  readonly isKnown?: (id: string) => boolean
  /** Makes of the intake's own memory of messages one that several instances share. */
  readonly share?: (own: SeenMessages) => SeenMessages
  readonly onCount?: (source: string, what: string, n: number) => void
}

/** The intake of a running instance, with tables that connectors keep in it. */
export interface OpenIntake extends Intake, AsyncDisposable {
  /** The table `name`, sealed on disk; open each once. */
  table<T> (name: string): SealedTable<T>
}

/**
 * The kit behind every connector: pseudonym, identity record, duplicates, publishing, dead letters, beds, counters. A message's mark stands in the
 * header of its record, and at a start the end of the log is read: so after any crash what the log has is known, and what it has not is not.
 */
export async function openIntake (options: IntakeOptions): Promise<OpenIntake> {
  const intake = new LogIntake(options)
  await intake.catchUp()
  return intake
}

interface Kept { readonly topic: string, readonly source: string, readonly mark: MessageMark, readonly value: Buffer, readonly count: string, readonly isNamed: boolean }

class LogIntake implements OpenIntake {
  readonly #options: IntakeOptions
  readonly #root: ReturnType<typeof openLmdb>
  readonly #own: OwnSeenMessages
  readonly #seen: SeenMessages
  readonly #tail: LogTail
  readonly #beds: Beds
  readonly #merged: MergedKeys
  readonly #producer: Producer
  readonly #partitions: number
  /** By identity of the message. */
  readonly #inFlight = new Map<string, Promise<PublishOutcome>>()
  /** What is being kept beside the events, by its mark. */
  readonly #keeping = new Map<string, Promise<void>>()
  /** By patient: what was called first is appended first, also where its identity has to be kept before. */
  readonly #identifying = new Map<string, Promise<unknown>>()
  readonly #stops: readonly (() => void)[]
  #checkpointing: Promise<void> | undefined

  constructor (options: IntakeOptions) {
    const { clock, log, sealer } = options
    this.#options = options
    this.#root = openLmdb(options.directory, 'the connectors\' store')
    this.#own = new OwnSeenMessages(this.#root, SEEN_FOR_MS)
    this.#seen = options.share?.(this.#own) ?? this.#own
    this.#tail = new LogTail(this.#root)
    this.#beds = new Beds(this.#root, sealer, () => { this.count('beds', 'bed-conflict') })
    this.#merged = new MergedKeys(this.#root)
    this.#producer = log.producer()
    this.#partitions = log.partitionsOf(TOPICS.events)
    this.#stops = [
      clock.every(PURGE_EVERY_MS, () => { void this.#seen.purge(clock.now(), PURGE_ROWS).catch(() => { this.count('kit', 'purge-failed') }) }),
      clock.every(CHECKPOINT_EVERY_MS, () => { this.#checkpointing ??= this.#checkpoint().catch(() => { this.count('kit', 'checkpoint-failed') }).finally(() => { this.#checkpointing = undefined }) }),
    ]
  }

  async catchUp (): Promise<void> {
    const { log, codecs } = this.#options
    await this.#tail.catchUp(log, codecs, {
      message: (mark, at) => { this.#own.remember(mark, at) }, // other instances look in the log for what they find claimed
      merge: (loser, survivor) => { if (!this.#merged.wouldLoop(loser, survivor)) this.#merged.add(loser, survivor) },
    })
  }

  /** A second copy of a message that is still being published waits for the first and is its duplicate. */
  async publish (message: InboundMessage): Promise<PublishOutcome> {
    const identity = `${message.source}|${message.messageId}`
    const earlier = this.#inFlight.get(identity)
    if (earlier !== undefined) { await earlier.catch(() => {}) ; return await this.publish(message) }
    const work = this.#publish(message)
    this.#inFlight.set(identity, work)
    try {
      return await work
    } finally {
      this.#inFlight.delete(identity)
    }
  }

  async #publish (message: InboundMessage): Promise<PublishOutcome> {
    const { source } = message
    const mark = markOf(source, message.messageId, message.content)
    const asked = this.#seen.claim(mark, this.now())
    const known = asked instanceof Promise ? await asked : asked
    if (known === 'duplicate') return await this.#again(message)
    if (known === 'reused') this.count(source, 'message-id-reused')
    try {
      this.#countUnknown(message)
      const own = await this.#identify(message.patient)
      if (typeof known === 'object' && await this.#stands(own, mark, known.since)) return await this.#again(message)
      const outcome = await this.#append(message, own, mark)
      if (outcome.kind === 'merge-loop') this.#seen.release(mark)
      return outcome
    } catch (e) {
      this.#seen.release(mark)
      throw e
    }
  }

  /** The log has it. A crash may have been between the log and the beds, so the sender may forget it when both have it. */
  async #again (message: InboundMessage): Promise<PublishOutcome> {
    const { patient, event, source } = message
    await this.#toBeds(message, event.type === 'encounter' && (event.move !== undefined || event.action === 'update' || this.#beds.has(patient.id, event)))
    this.count(source, 'duplicate')
    return { kind: 'duplicate' }
  }

  /** No record of the log says which bed: it must outlive us before the sender may forget it. */
  async #toBeds ({ patient, event }: InboundMessage, isThere: boolean): Promise<void> {
    if (event.type === 'encounter' && !isThere) this.#beds.apply(patient.id, event)
    if (event.type === 'merge') this.#beds.merge(patient.id, event.survivor.id, event.eventTime)
    if (event.type === 'encounter' || event.type === 'merge') await this.#root.committed
  }

  /** Whether the log has the message since then, under the patient's key. */
  async #stands (own: PatientKey, mark: MessageMark, since: ArrivalTimeMs): Promise<boolean> {
    const keys = [...new Set([own, this.#merged.follow(own)])]
    return await this.#standsIn(keys.map(key => ({ topic: TOPICS.events, partition: partitionFor(Buffer.from(key), this.#partitions) })), mark, since)
  }

  async #standsIn (places: readonly TopicPartition[], mark: MessageMark, since: ArrivalTimeMs): Promise<boolean> {
    const found = await Promise.all(places.map(of => this.#tail.has(this.#options.log, of, mark, since)))
    const at = found.find(one => one !== undefined)
    if (at === undefined) return false
    this.#seen.remember(mark, at)
    return true
  }

  /** A merge of people whom nobody has seen is taken: what comes for them later is one patient's. It is counted, since it may be a feed that is set up wrong. */
  #countUnknown ({ patient, event, source }: InboundMessage): void {
    const { isKnown } = this.#options
    if (event.type === 'merge' && isKnown?.(patient.id) === false) this.count(source, isKnown(event.survivor.id) ? 'merge-of-unknown' : 'merge-of-two-unknown')
  }

  async #append (message: InboundMessage, own: PatientKey, mark: MessageMark): Promise<PublishOutcome> {
    const { event, source } = message
    const said = await this.#said(event)
    if (said.type === 'merge' && this.#merged.wouldLoop(own, said.survivor)) { this.count(source, 'merge-loop'); return { kind: 'merge-loop' } }
    // A merge stands under the key that goes; whatever else is said of a key that went is the survivor's.
    const key = Buffer.from(said.type === 'merge' ? own : this.#merged.follow(own))
    const partition = partitionFor(key, this.#partitions)
    const { baseOffset, timestamp } = await this.#producer.append({ topic: TOPICS.events, partition }, [{ key, value: this.#options.codecs.encode(said), headers: headerOf(mark) }])
    this.#seen.remember(mark, timestamp)
    this.#tail.appended({ topic: TOPICS.events, partition }, baseOffset)
    if (said.type === 'merge') this.#merged.add(own, said.survivor)
    if (event.type === 'encounter' || event.type === 'merge') await this.#toBeds(message, false)
    this.count(source, 'published')
    return { kind: 'published', arrival: timestamp }
  }

  async #said (event: InboundEvent): Promise<BedsideEvent> {
    return event.type === 'merge' ? { ...event, survivor: await this.#identify(event.survivor) } : event
  }

  async #identify (patient: SourceIdentity): Promise<PatientKey> {
    const before = this.#identifying.get(patient.id)
    const work = before === undefined ? this.#options.identify(patient) : before.catch(() => {}).then(() => this.#options.identify(patient))
    this.#identifying.set(patient.id, work)
    try {
      return await work
    } finally {
      if (this.#identifying.get(patient.id) === work) this.#identifying.delete(patient.id)
    }
  }

  async refuse ({ cause, detail, source, feed = '', raw }: RefusedInput): Promise<void> {
    const value = this.#options.codecs.encodeDeadLetter({ cause, detail, source, feed, partition: -1, offset: -1, refusedAt: this.now(), raw: this.#options.sealer.seal(raw) })
    await this.#keep({ topic: TOPICS.deadLetters, source, mark: keptMarkOf(`${source}|refused ${feed} ${cause}`, raw), value, count: `refused-${cause}`, isNamed: raw.length > 0 })
  }

  async archive ({ source, type, raw }: ArchivedInput): Promise<void> {
    const value = this.#options.codecs.encodeArchived({ source, type, at: this.now(), raw: this.#options.sealer.seal(raw) })
    await this.#keep({ topic: TOPICS.archive, source, mark: keptMarkOf(`${source}|archived ${type}`, raw), value, count: 'archived', isNamed: true })
  }

  /** Once: a message that comes again, also after a crash or at another instance, is refused or archived as the first time, and nothing is stored. Without bytes nothing says which it was. */
  async #keep (kept: Kept): Promise<void> {
    if (!kept.isNamed) { await this.#appendKept(kept); return }
    const name = kept.mark.toString('latin1')
    const earlier = this.#keeping.get(name)
    if (earlier !== undefined) { await earlier; this.count(kept.source, 'kept-before'); return }
    const work = this.#keepOnce(kept)
    this.#keeping.set(name, work)
    try { await work } finally { this.#keeping.delete(name) }
  }

  async #keepOnce (kept: Kept): Promise<void> {
    const { topic, source, mark } = kept
    const asked = this.#seen.claim(mark, this.now())
    const known = asked instanceof Promise ? await asked : asked
    try {
      if (known === 'duplicate' || (typeof known === 'object' && await this.#standsIn([{ topic, partition: 0 }], mark, known.since))) { this.count(source, 'kept-before'); return }
      await this.#appendKept(kept)
    } catch (e) {
      this.#seen.release(mark)
      throw e
    }
  }

  async #appendKept ({ topic, source, mark, value, count }: Kept): Promise<void> {
    const of = { topic, partition: 0 }
    const { baseOffset, timestamp } = await this.#producer.append(of, [{ key: null, value, headers: headerOf(mark) }])
    this.#seen.remember(mark, timestamp)
    this.#tail.appended(of, baseOffset)
    this.count(source, count)
  }

  table<T> (name: string): SealedTable<T> { return new SealedTable<T>(this.#root, `table-${name}`, this.#options.sealer) }
  patientInBed (ward: string, bed: string, at?: EventTimeMs): string | undefined { return this.#beds.patientIn(ward, bed, at) }
  now (): ArrivalTimeMs { return this.#options.clock.now() }
  count (source: string, what: string, n = 1): void { this.#options.onCount?.(source, what, n) }

  /** What was published before it began is in the tables, and on disk, when it ends. */
  async #checkpoint (): Promise<void> {
    const ends = this.#tail.ends()
    await Promise.allSettled([...this.#inFlight.values(), ...this.#keeping.values()])
    this.#own.write()
    await this.#root.flushed
    await this.#tail.keep(ends)
    if (this.#options.share !== undefined) await this.#tail.sample(this.#options.log, this.now())
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    for (const stop of this.#stops) stop()
    await this.#checkpointing
    await this.#checkpoint()
    await this.#root.flushed
    await this.#root.close()
  }
}
