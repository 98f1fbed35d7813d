import type { GroupMetadata, OffsetCommit, OutRecord, RecordSink, TopicPartition, TransactionalProducer } from '../../port.ts'
import { isLatidoError, LatidoError } from '../../../errors/index.ts'
import type { KafkaOptions } from '../options.ts'
import { answer, connect, disconnect, persist, within, type Connected } from './client.ts'
import { transactionConfig, transactionTopicConfig } from './config.ts'
import type { NativeConsumer } from './consumer.ts'
import { isMemberGone, isProducerGone, memberFenced, nativeError, producerFenced } from './errors.ts'
import type { Library, LibraryProducer, LibrdKafkaError } from './library.ts'
import { checkSize, offer, outgoing, type Outgoing } from './produce.ts'

/** What a transaction needs of the log. */
export interface TransactionHost {
  readonly library: Library
  readonly options: KafkaOptions
  /** Throws TOPIC_UNKNOWN. */
  check (to: TopicPartition): void
  /** The member that these metadata are of; undefined when it has left. */
  member (group: GroupMetadata): NativeConsumer | undefined
}

/** Would come again if the transaction were repeated. */
const LASTING: ReadonlySet<string> = new Set(['RECORD_TOO_LARGE', 'TOPIC_UNKNOWN', 'BROKER_REFUSED', 'BROKER_AUTHENTICATION_FAILED'])

/** What an abort waits for at the most; records that a broker does not take are given up all the same. */
const FLUSH_MS = 1_000

const retriable = (e: unknown): boolean => (e as Partial<LibrdKafkaError>).isRetriable === true

/** Opens a producer with this id: a transaction that an earlier one left open is ended, and its owner fenced. */
export async function openTransaction (host: TransactionHost, transactionalId: string): Promise<NativeTransaction> {
  const producer = new host.library.Producer(transactionConfig(host.options, transactionalId), transactionTopicConfig(host.options))
  const connected = await connect(producer, host.options)
  try {
    const { clock, requestTimeoutMs } = host.options
    await persist('begin as a transactional producer', requestTimeoutMs, clock, retriable, () => answer(done => { producer.initTransactions(5_000, done) }))
    await answer(done => { producer.beginTransaction(done) })
  } catch (e) {
    connected.stop()
    await disconnect(producer, host.options.clock)
    throw nativeError('begin a transaction', e)
  }
  return new NativeTransaction(host, transactionalId, producer, connected)
}

/** A transaction of the library. `begin` is local to it, so one is always open: the brokers know of it with its first record or offset. */
export class NativeTransaction implements TransactionalProducer {
  readonly #host: TransactionHost
  readonly #id: string
  readonly #producer: LibraryProducer
  readonly #connected: Connected
  /** Records for which the library's queue had no room. */
  #waiting: Outgoing[] = []
  #used = false
  /** Why the library did not take a record of this transaction. */
  #refused: LatidoError | undefined
  /** Once it is fenced, or the outcome of a commit is not known, it cannot go on. */
  #dead: LatidoError | undefined
  #busy: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor (host: TransactionHost, id: string, producer: LibraryProducer, connected: Connected) {
    this.#host = host
    this.#id = id
    this.#producer = producer
    this.#connected = connected
  }

  append (to: TopicPartition, records: readonly OutRecord[]): void {
    this.#host.check(to)
    for (const record of records.map(r => outgoing(to, r))) this.#give(record) // all are looked at before one is given
  }

  sink (to: TopicPartition): RecordSink {
    this.#host.check(to)
    const { topic, partition } = to
    return {
      add: (timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd) => {
        checkSize(keyEnd - keyStart + valueEnd - valueStart)
        this.#give({ topic, partition, timestamp, key: keyStart < 0 ? null : key.subarray(keyStart, keyEnd), value: valueStart < 0 ? null : value.subarray(valueStart, valueEnd), headers: undefined })
      },
    }
  }

  commit (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> { return this.#track(this.#commit(group, offsets)) }
  abort (): Promise<void> { return this.#track(this.#abort()) }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#closed) return
    const { clock, requestTimeoutMs } = this.#host.options
    await within(requestTimeoutMs, clock, this.#busy)
    this.#closed = true
    this.#waiting = []
    if (this.#used && this.#dead === undefined) await within(requestTimeoutMs, clock, answer(done => { this.#producer.abortTransaction(5_000, done) }))
    this.#connected.stop()
    await disconnect(this.#producer, clock)
  }

  /** The library copies what it takes; what must wait is copied here, since the caller uses its buffers again. */
  #give (record: Outgoing): void {
    this.#used = true
    if (this.#dead !== undefined) return // the commit will say it
    try {
      if (this.#waiting.length === 0 && offer(this.#producer, record)) return
      this.#waiting.push({ ...record, key: record.key && Buffer.from(record.key), value: record.value && Buffer.from(record.value) })
    } catch (e) {
      if (isLatidoError(e)) throw e
      // Once the library knows that it is fenced, or that the transaction has failed, it takes no more. The commit says it.
      if (isProducerGone(e)) this.#failed(e)
      else this.#refused ??= nativeError('append', e)
    }
  }

  async #commit (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    this.#checkAlive()
    if (!this.#used && offsets.length === 0) return
    const { clock, requestTimeoutMs } = this.#host.options
    try {
      if (this.#refused !== undefined) throw this.#refused
      if (offsets.length > 0) {
        const member = this.#host.member(group)
        if (member === undefined) throw memberFenced()
        member.checkOwns(group.generation, offsets)
        await this.#drain()
        // The library adds its member id and generation as they are now; the coordinator compares them (KIP-447).
        await member.lend(consumer => persist('add offsets to the transaction', requestTimeoutMs, clock, retriable, () => answer(done => { this.#producer.sendOffsetsToTransaction([...offsets], consumer, 5_000, done) })))
      } else {
        await this.#drain()
      }
      await this.#end()
    } catch (e) {
      throw await this.#afterFailure(e)
    }
    await this.#begin()
  }

  async #abort (): Promise<void> {
    this.#checkAlive()
    if (!this.#used) return
    this.#waiting = []
    const { clock, requestTimeoutMs } = this.#host.options
    // While the coordinator still ends the transaction before, the library asks it to end one that it has not begun yet, and is refused for good: what was appended goes first.
    await answer(done => { this.#producer.flush(FLUSH_MS, done) }).catch(() => {})
    try {
      await persist('abort a transaction', requestTimeoutMs, clock, retriable, () => answer(done => { this.#producer.abortTransaction(5_000, done) }))
    } catch (e) {
      throw this.#failed(e)
    }
    await this.#begin()
  }

  /** Commits: sends what is queued first. Where the answer stays away the outcome is not known, and whoever reads the committed offsets next will learn it. */
  async #end (): Promise<void> {
    const { clock, requestTimeoutMs } = this.#host.options
    await persist('commit a transaction', requestTimeoutMs, clock, retriable, () => answer(done => { this.#producer.commitTransaction(5_000, done) }))
  }

  async #begin (): Promise<void> {
    this.#used = false
    this.#refused = undefined
    this.#waiting = []
    try {
      await answer(done => { this.#producer.beginTransaction(done) })
    } catch (e) {
      throw this.#failed(e)
    }
  }

  /** Room for the records that wait comes as the library sends. Bounded by the request timeout. */
  async #drain (): Promise<void> {
    const { clock, requestTimeoutMs } = this.#host.options
    const deadline = clock.monotonicMs() + requestTimeoutMs
    for (let i = 0; i < this.#waiting.length;) {
      this.#producer.poll()
      const record = this.#waiting[i]
      if (record !== undefined && offer(this.#producer, record)) { i++; continue }
      if (clock.monotonicMs() > deadline) throw nativeError('append', { message: 'the queue stays full', code: -185 })
      await clock.sleep(1)
    }
    this.#waiting = []
  }

  /** What failed was not committed, or this producer cannot go on: then a fresh one learns how it ended. */
  async #afterFailure (e: unknown): Promise<LatidoError> {
    const cause = isLatidoError(e) ? e.cause ?? e : e
    if (isProducerGone(cause)) return this.#failed(cause)
    if (isLatidoError(e) && e.code !== 'MEMBER_FENCED' && !(cause as Partial<LibrdKafkaError>).isTxnRequiresAbort && retriable(cause)) {
      this.#dead = e // no answer in time: open or committed, the brokers will end it
      return e
    }
    try { await this.#abort() } catch (again) { return nativeError('abort a transaction', again) }
    if (isMemberGone(cause) || (isLatidoError(e) && e.code === 'MEMBER_FENCED')) return memberFenced(cause)
    if (isLatidoError(e) && LASTING.has(e.code)) return e
    return new LatidoError('TRANSACTION_ABORTED', `the brokers could not complete a transaction: ${(cause as Error).message}`, 'nothing: the processor joins again and repeats it', cause)
  }

  #failed (e: unknown): LatidoError {
    const error = isProducerGone(e) ? producerFenced(this.#id, e) : nativeError('go on with a transaction', e)
    return this.#dead ??= error
  }

  #checkAlive (): void {
    if (this.#closed) throw new LatidoError('LOG_CLOSED', 'the producer is closed', 'nothing: the process is stopping')
    if (this.#dead !== undefined) throw this.#dead
  }

  #track<T> (work: Promise<T>): Promise<T> {
    this.#busy = work.catch(() => {})
    return work
  }
}
