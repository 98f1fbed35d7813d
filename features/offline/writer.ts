import { isLatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Consumer, OffsetCommit, RecordCursor, Run } from '../../streams/log/index.ts'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import { OfflineBatchBuilder } from './batch.ts'
import type { OfflineStore } from './port.ts'

/** Adds the cursor's record to the batch, copying what it needs: the cursor moves on. Throws for a record that it cannot read. */
export type OfflineDecode = (topic: string, partition: number, record: RecordCursor, batch: OfflineBatchBuilder) => void

export interface OfflineWriterLogger { info (details: object, message: string): void, warn (details: object, message: string): void }

export const OFFLINE_WRITER_DEFAULTS = {
  /** A batch is written when it has this many records of the log, or bytes of them, or is this old. */
  rowsMax: 50_000,
  bytesMax: 16_000_000,
  flushMs: 2_000,
  pollMs: 500,
  /** Pauses while the store is away: doubling from the first to the last. */
  backoffMinMs: 250,
  backoffMaxMs: 10_000,
} as const
type Limits = { readonly [K in keyof typeof OFFLINE_WRITER_DEFAULTS]: number }

export interface OfflineWriterOptions extends Partial<Limits> {
  /** Subscribed to the product's topics, in a group of its own. The caller closes it, after the writer. */
  readonly consumer: Consumer
  readonly store: Pick<OfflineStore, 'write'>
  readonly decode: OfflineDecode
  readonly clock: Clock
  readonly logger?: OfflineWriterLogger
}

export interface OfflineWriterCounters {
  /** Records written and committed. */
  readonly records: number
  readonly batches: number
  /** Writes that found the store away. */
  readonly retries: number
  /** Records that `decode` could not read; they stay in the log. */
  readonly undecodable: number
  /** Batches whose offsets another member had taken over; it writes the same rows again, and they count once. */
  readonly fenced: number
}

export interface OfflineWriter extends AsyncDisposable {
  /** `away`: the store does not answer; the batch is kept and the log waits. */
  readonly state: 'on' | 'away'
  readonly counters: OfflineWriterCounters
  /** Resolves when the loop has ended; rejects with what ended it (the log, or a statement that ClickHouse refuses). */
  readonly done: Promise<void>
  /** Writes what it has, if the store answers, and ends. What it could not write is not committed, and comes again. */
  stop (): Promise<void>
}

/**
 * Moves records from the log to the offline store: poll, decode, write, and only then commit. Rows carry their positions, so what is
 * written twice (a crash between write and commit) counts once; what is not written is not committed. Nothing is polled while the store
 * is away, so memory holds one batch.
 */
export function runOfflineWriter (options: OfflineWriterOptions): OfflineWriter { return new WriterLoop(options) }

class WriterLoop implements OfflineWriter {
  readonly #options: OfflineWriterOptions & Limits
  readonly #stopping = new AbortController()
  readonly done: Promise<void>
  #state: 'on' | 'away' = 'on'
  #counters = { records: 0, batches: 0, retries: 0, undecodable: 0, fenced: 0 }
  #batch = new OfflineBatchBuilder()
  #bytes = 0
  #records = 0
  #firstAtMs = 0
  #offsets = new Map<string, OffsetCommit>()

  constructor (options: OfflineWriterOptions) {
    this.#options = { ...OFFLINE_WRITER_DEFAULTS, ...options }
    this.done = this.#loop()
    this.done.catch(() => { /* who awaits `done` or `stop` hears of it */ })
  }

  get state (): 'on' | 'away' { return this.#state }
  get counters (): OfflineWriterCounters { return { ...this.#counters } }

  async stop (): Promise<void> { this.#stopping.abort(); await this.done }
  async [Symbol.asyncDispose] (): Promise<void> { this.#stopping.abort(); await this.done.catch(() => {}) }

  async #loop (): Promise<void> {
    const { consumer } = this.#options
    while (!this.#stopping.signal.aborted) {
      for (const run of await consumer.poll(this.#pollMs())) {
        this.#take(run)
        if (this.#full()) await this.#flush()
      }
      if (this.#offsets.size > 0 && this.#ageMs() >= this.#options.flushMs) await this.#flush()
    }
    await this.#flush()
  }

  #ageMs (): DurationMs { return this.#options.clock.monotonicMs() - this.#firstAtMs }
  #full (): boolean { return this.#batch.rows >= this.#options.rowsMax || this.#bytes >= this.#options.bytesMax }
  /** Never past the time when the batch is due. */
  #pollMs (): DurationMs { return this.#offsets.size === 0 ? this.#options.pollMs : Math.max(0, Math.min(this.#options.pollMs, this.#options.flushMs - this.#ageMs())) }

  #take (run: Run): void {
    const { topic, partition, records } = run
    if (this.#offsets.size === 0) this.#firstAtMs = this.#options.clock.monotonicMs()
    while (records.next()) {
      this.#records++
      if (records.valueStart >= 0) this.#bytes += records.valueEnd - records.valueStart
      try {
        this.#options.decode(topic, partition, records, this.#batch)
      } catch {
        if (this.#counters.undecodable++ === 0) this.#options.logger?.warn({ topic, partition, offset: records.offset }, 'the offline writer cannot read a record; it stays in the log (only the first is logged)')
      }
    }
    this.#offsets.set(`${topic}/${partition}`, { topic, partition, offset: run.nextOffset })
  }

  async #flush (): Promise<void> {
    if (this.#offsets.size === 0) return
    if (this.#batch.rows > 0 && !await this.#write()) return
    await this.#commit()
    this.#counters.records += this.#records
    if (this.#batch.rows > 0) this.#counters.batches++
    this.#batch = new OfflineBatchBuilder()
    this.#bytes = 0
    this.#records = 0
    this.#offsets = new Map()
  }

  /** Until the store has the batch; false when stopped before. */
  async #write (): Promise<boolean> {
    const { store, clock, logger, backoffMinMs, backoffMaxMs } = this.#options
    for (let pauseMs = backoffMinMs; ; pauseMs = Math.min(2 * pauseMs, backoffMaxMs)) {
      try {
        await store.write(this.#batch)
        if (this.#state === 'away') { this.#state = 'on'; logger?.info({ retries: this.#counters.retries }, 'the offline store answers again') }
        return true
      } catch (e) {
        if (!isLatidoError(e) || e.code !== 'OFFLINE_UNAVAILABLE') throw e
        if (this.#state === 'on') { this.#state = 'away'; logger?.warn({ cause: messageOf(e) }, 'the offline store is away; the log keeps what it misses') }
        this.#counters.retries++
      }
      if (this.#stopping.signal.aborted) return false
      await clock.sleep(pauseMs, this.#stopping.signal)
      if (this.#stopping.signal.aborted) return false
    }
  }

  /** Of the partitions that are still this member's; another's it re-reads from its own offset. */
  async #commit (): Promise<void> {
    const { consumer } = this.#options
    const own = new Set(consumer.assignment().map(({ topic, partition }) => `${topic}/${partition}`))
    const offsets = [...this.#offsets].filter(([name]) => own.has(name)).map(([, offset]) => offset)
    if (offsets.length < this.#offsets.size) this.#counters.fenced++
    if (offsets.length === 0) return
    try {
      await consumer.commit(offsets)
    } catch (e) {
      if (!isLatidoError(e) || e.code !== 'MEMBER_FENCED') throw e
      this.#counters.fenced++
    }
  }
}
