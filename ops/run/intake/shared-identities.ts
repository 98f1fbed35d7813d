import { randomUUID } from 'node:crypto'
import { partitionFor } from '../../../streams/codec/index.ts'
import { isLatidoError, LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { type EventCodecs, type PatientKey, patientKeyOf, type SealedIdentity, TOPICS } from '../../../streams/events/index.ts'
import type { Log, RecordCursor, TopicPartition } from '../../../streams/log/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import type { IdentityVault } from '../../security/index.ts'
import type { Logger } from '../../telemetry/index.ts'

/** So soon a name is on the boards of the others. Whoever sends out looks by itself when it does not know a patient. */
const LOOK_EVERY_MS: DurationMs = 1_000
/** Identities said again together, when a vault that knows some joins a log. */
const SAID_TOGETHER = 200
/**
 * Key of the records that say under which installation's key the log is. No two records have the same key, so compaction keeps them all, and the first
 * one counts for everybody, for ever. A pseudonym has no blank.
 */
const KEY_CHECK = 'key-check '

export interface SharedIdentitiesOptions {
  readonly log: Log
  readonly codecs: Pick<EventCodecs, 'encodeIdentity' | 'decodeIdentity' | 'book'>
  readonly clock: Clock
  readonly logger: Pick<Logger, 'warn'>
  /** Somebody became known, or was erased. */
  readonly onLearned?: () => void
}

/** What all instances on a log know of who patients are: each writes what it hears to `latido.identity`, and reads there what the others heard. */
export class SharedIdentities implements AsyncDisposable {
  readonly #options: SharedIdentitiesOptions
  readonly #reading = new Map<number, Promise<void>>()
  readonly #asked = new Map<number, Promise<void>>()
  #vault!: IdentityVault
  /** The first on the log, while it is looked for. */
  #logKey: string | undefined
  #stop = (): void => {}
  #isAway = false

  constructor (options: SharedIdentitiesOptions) { this.#options = options }

  async publish (patient: PatientKey, record: SealedIdentity): Promise<void> {
    await this.#append(this.#partitionOf(patient), patient, this.#options.codecs.encodeIdentity(record))
  }

  /** Reads the patient's partition to what is its end after the call. */
  async catchUp (patient: PatientKey): Promise<void> { await this.#catchUp(this.#partitionOf(patient)) }

  /**
   * Reads what the vault has not yet learned, checks that its key is the log's, says what the vault alone knew, and follows from there. Throws KEY_MISMATCH
   * before anything is written under another key.
   */
  async join (vault: IdentityVault): Promise<void> {
    this.#vault = vault
    this.#refuseOther(vault.logKey)
    if (await this.#isAnew()) await vault.forgetLog()
    if (vault.logKey === undefined) await this.#agree()
    await this.#catchUpAll()
    const alone = vault.unpublished()
    for (let at = 0; at < alone.length; at += SAID_TOGETHER) await Promise.all(alone.slice(at, at + SAID_TOGETHER).map(patient => vault.identify(patient)))
    await vault.joined(vault.fingerprint)
    this.#stop = this.#options.clock.every(LOOK_EVERY_MS, () => { if (this.#reading.size === 0) void this.#look() })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stop()
    await Promise.allSettled([...this.#reading.values(), ...this.#asked.values()])
  }

  async #look (): Promise<void> {
    try {
      await this.#catchUpAll()
      this.#isAway = false
    } catch (cause) {
      if (!this.#isAway) this.#options.logger.warn({ cause: messageOf(cause) }, 'identities of other instances cannot be read; tried again each second')
      this.#isAway = true
    }
  }

  async #catchUpAll (): Promise<void> { await Promise.all(this.#partitions().map(({ partition }) => this.#catchUp(partition))) }

  /** One reader a partition, so that records are learned in order. Who asks while one reads, waits for the next one: this one's end may lie too early. */
  #catchUp (partition: number): Promise<void> {
    const asked = this.#asked.get(partition)
    if (asked !== undefined) return asked
    const next = (this.#reading.get(partition) ?? Promise.resolve()).catch(() => {}).then(async () => {
      this.#asked.delete(partition)
      const reading = this.#read(partition)
      this.#reading.set(partition, reading)
      try {
        await reading
      } finally {
        if (this.#reading.get(partition) === reading) this.#reading.delete(partition)
      }
    })
    this.#asked.set(partition, next)
    return next
  }

  async #read (partition: number): Promise<void> {
    const from = this.#vault.position(partition)
    const reader = this.#options.log.reader({ topic: TOPICS.identity, partition }, from)
    let learned = false
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
      const work: Promise<void>[] = []
      while (run.records.next()) {
        await this.#schemaOf(run.records)
        work.push(this.#learn(run.records, partition))
      }
      await Promise.all(work)
      learned ||= work.length > 0
      if (run.nextOffset > from) await this.#vault.learnedTo(partition, run.nextOffset)
    }
    if (learned) this.#options.onLearned?.()
  }

  /** The vault takes a record in at once; what it waits for is its disk. */
  async #learn (record: RecordCursor, partition: number): Promise<void> {
    const { offset } = record
    const key = patientKeyOf(record)
    if (key === '' || key.startsWith(KEY_CHECK)) return
    const identity = this.#decoded(record)
    const became = identity === 'unreadable' ? identity : await this.#vault.learn(key, identity)
    if (became === 'unreadable') this.#options.logger.warn({ partition, offset }, 'an identity on the log is damaged, or under another key, and is passed over')
  }

  /** undefined: the patient was erased. */
  #decoded (record: RecordCursor): SealedIdentity | 'unreadable' | undefined {
    if (record.valueStart < 0) return undefined
    try {
      return this.#options.codecs.decodeIdentity(record)
    } catch (e) {
      if (!isLatidoError(e)) throw e
      return 'unreadable'
    }
  }

  /** A newer instance may have written it with a schema that is not known here yet. */
  async #schemaOf ({ valueBuffer, valueStart, valueEnd }: RecordCursor): Promise<void> { if (valueStart >= 0) await this.#options.codecs.book.pending(valueBuffer, valueStart, valueEnd) }

  /** Whose key is it? The first word counts, and everybody reads it; one who finds none writes one. */
  async #agree (): Promise<void> {
    await this.#findKey()
    if (this.#logKey === undefined) {
      await this.#append(0, `${KEY_CHECK}${randomUUID()}`, this.#options.codecs.encodeIdentity({ sealed: Buffer.from(this.#vault.fingerprint), key: Buffer.alloc(0) }))
      await this.#findKey()
    }
    this.#refuseOther(this.#logKey)
  }

  /** From the beginning: a check may stand before the position of a vault that was ended before it had joined. */
  async #findKey (): Promise<void> {
    const reader = this.#options.log.reader({ topic: TOPICS.identity, partition: 0 }, 0)
    for (let run = await reader.next(); run !== undefined && this.#logKey === undefined; run = await reader.next()) {
      while (this.#logKey === undefined && run.records.next()) {
        if (!patientKeyOf(run.records).startsWith(KEY_CHECK)) continue
        await this.#schemaOf(run.records)
        const check = this.#decoded(run.records)
        if (check !== undefined && check !== 'unreadable') this.#logKey = check.sealed.toString()
      }
    }
  }

  #refuseOther (fingerprint: string | undefined): void {
    if (fingerprint === undefined || fingerprint === this.#vault.fingerprint) return
    throw new LatidoError('KEY_MISMATCH', 'the log is under another installation\'s key: with this one each patient would be two', 'name the key file of the instances on this cluster with --key-file, or another --topic-prefix')
  }

  /** A position behind the end can only be of a topic that was there before this one. */
  async #isAnew (): Promise<boolean> {
    const ranges = await Promise.all(this.#partitions().map(async of => ({ ...of, ...await this.#options.log.range(of) })))
    return ranges.some(({ partition, end }) => this.#vault.position(partition) > end)
  }

  async #append (partition: number, key: string, value: Buffer): Promise<void> {
    await this.#options.log.producer().append({ topic: TOPICS.identity, partition }, [{ key: Buffer.from(key), value }])
  }

  #partitionOf (patient: PatientKey): number { return partitionFor(Buffer.from(patient), this.#options.log.partitionsOf(TOPICS.identity)) }

  #partitions (): readonly TopicPartition[] { return Array.from({ length: this.#options.log.partitionsOf(TOPICS.identity) }, (_, partition) => ({ topic: TOPICS.identity, partition })) }
}
