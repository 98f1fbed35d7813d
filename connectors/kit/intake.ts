import { partitionFor } from '../../streams/codec/index.ts'
import { TOPICS, type BedsideEvent, type EventCodecs, type PatientKey } from '../../streams/events/index.ts'
import { openLmdb } from '../../streams/lmdb/index.ts'
import type { Log, Producer } from '../../streams/log/index.ts'
import type { Clock, DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import { Beds, type Sealer } from './beds.ts'
import { MergedKeys } from './merged-keys.ts'
import type { ArchivedInput, InboundMessage, Intake, PublishOutcome, RefusedInput, SourceIdentity } from './port.ts'
import { SealedTable } from './sealed-table.ts'
import { SeenMessages } from './seen-messages.ts'

/** 72 hours: senders that were away for a long weekend send again. */
const SEEN_FOR_MS: DurationMs = 72 * 3_600_000
const PURGE_EVERY_MS: DurationMs = 60_000
const PURGE_ROWS = 20_000

export interface IntakeOptions {
  readonly log: Log
  readonly codecs: EventCodecs
  readonly clock: Clock
  readonly directory: string
  readonly sealer: Sealer
  /** The pseudonym of a patient; also keeps the identity record. Resolves when a new identity is durable. */
  readonly identify: (patient: SourceIdentity) => Promise<PatientKey>
  readonly onCount?: (source: string, what: string, n: number) => void
}

/** The intake of a running instance, with tables that connectors keep in it. */
export interface OpenIntake extends Intake, AsyncDisposable {
  /** The table `name`, sealed on disk; open each once. */
  table<T> (name: string): SealedTable<T>
}

/** The kit behind every connector: pseudonym, identity record, duplicates, publishing, dead letters, beds, counters. */
export function openIntake (options: IntakeOptions): OpenIntake { return new LogIntake(options) }

class LogIntake implements OpenIntake {
  readonly #options: IntakeOptions
  readonly #root: ReturnType<typeof openLmdb>
  readonly #seen: SeenMessages
  readonly #beds: Beds
  readonly #merged: MergedKeys
  readonly #producer: Producer
  readonly #partitions: number
  readonly #inFlight = new Map<string, Promise<PublishOutcome>>()
  readonly #stopPurge: () => void

  constructor (options: IntakeOptions) {
    this.#options = options
    this.#root = openLmdb(options.directory, 'the connectors\' store')
    this.#seen = new SeenMessages(this.#root, SEEN_FOR_MS)
    this.#beds = new Beds(this.#root, options.sealer)
    this.#merged = new MergedKeys(this.#root)
    this.#producer = options.log.producer()
    this.#partitions = options.log.partitionsOf(TOPICS.events)
    this.#stopPurge = options.clock.every(PURGE_EVERY_MS, () => { void this.#seen.purge(options.clock.now(), PURGE_ROWS).catch(() => {}) })
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

  async #publish ({ patient, event, messageId, source, content }: InboundMessage): Promise<PublishOutcome> {
    const known = this.#seen.look(source, messageId, content, this.now())
    if (known === 'duplicate') { this.count(source, 'duplicate'); return { kind: 'duplicate' } }
    if (known === 'reused') this.count(source, 'message-id-reused')
    const own = await this.#options.identify(patient)
    let said: BedsideEvent
    if (event.type === 'merge') {
      const survivor = await this.#options.identify(event.survivor)
      if (this.#merged.wouldLoop(own, survivor)) { this.count(source, 'merge-loop'); return { kind: 'merge-loop' } }
      said = { ...event, survivor }
    } else said = event
    // A merge stands under the key that goes; whatever else is said of a key that went is the survivor's.
    const key = Buffer.from(said.type === 'merge' ? own : this.#merged.follow(own))
    const { timestamp } = await this.#producer.append({ topic: TOPICS.events, partition: partitionFor(key, this.#partitions) }, [{ key, value: this.#options.codecs.encode(said) }])
    this.#seen.remember(source, messageId, content, timestamp)
    if (said.type === 'merge') this.#merged.add(own, said.survivor)
    if (event.type === 'encounter') this.#beds.apply(patient.id, event)
    if (event.type === 'merge') this.#beds.merge(patient.id, event.survivor.id)
    this.count(source, 'published')
    return { kind: 'published', arrival: timestamp }
  }

  async refuse ({ cause, detail, source, feed = '', raw }: RefusedInput): Promise<void> {
    const value = this.#options.codecs.encodeDeadLetter({ cause, detail, source, feed, partition: -1, offset: -1, refusedAt: this.now(), raw: this.#options.sealer.seal(raw) })
    await this.#producer.append({ topic: TOPICS.deadLetters, partition: 0 }, [{ key: null, value }])
    this.count(source, `refused-${cause}`)
  }

  async archive ({ source, type, raw }: ArchivedInput): Promise<void> {
    const value = this.#options.codecs.encodeArchived({ source, type, at: this.now(), raw: this.#options.sealer.seal(raw) })
    await this.#producer.append({ topic: TOPICS.archive, partition: 0 }, [{ key: null, value }])
    this.count(source, 'archived')
  }

  table<T> (name: string): SealedTable<T> { return new SealedTable<T>(this.#root, `table-${name}`, this.#options.sealer) }
  patientInBed (ward: string, bed: string, at?: EventTimeMs): string | undefined { return this.#beds.patientIn(ward, bed, at) }
  now (): number { return this.#options.clock.now() }
  count (source: string, what: string, n = 1): void { this.#options.onCount?.(source, what, n) }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stopPurge()
    await Promise.allSettled(this.#inFlight.values())
    await this.#root.flushed
    await this.#root.close()
  }
}
