import { isLatidoError, LatidoError, messageOf } from '../../../../errors/index.ts'
import type { GroupMetadata, OffsetCommit, OutRecord, RecordSink, TopicPartition, TransactionalProducer } from '../../../port.ts'
import { produceApi, produceV1Api, type ProducerIdentity } from '../api/index.ts'
import { ERROR_CODE, isKafkaError } from '../cluster/index.ts'
import type { Member } from '../consumer/index.ts'
import type { Direct } from '../direct.ts'
import { cachedLeader, unknownTopic } from '../leader.ts'
import { nameOf } from '../../../partition-name.ts'
import { closedError, refusal } from '../retry.ts'
import { FENCING, fencedProducer, TransactionCoordinator } from './coordinator.ts'
import { Dispatcher } from './dispatcher.ts'
import { TransactionLine, type LineHost } from './transaction-line.ts'

/** How long the end of a transaction is asked for when we stop, or give up. */
const ABORT_MS = 5_000

/** Finds the member that a transaction's offsets belong to. */
export type FindMember = (group: GroupMetadata) => Member | undefined

/**
 * Transactions of one id, one after the other. Order of a commit: 1 what was appended is with the brokers, 2 the offsets are, under the member's
 * epoch and lock, 3 the transaction ends. If 1 or 2 fails it is aborted; if 3 is not answered nobody knows, so it is asked until it is, and
 * else the producer gives up: whoever comes next reads committed offsets that are stable, so the outcome is learned, never guessed.
 */
export class DirectTransactionalProducer implements TransactionalProducer, LineHost {
  readonly direct: Direct
  readonly #findMember: FindMember
  readonly #coordinator: TransactionCoordinator
  readonly #dispatcher: Dispatcher
  readonly #lines = new Map<string, TransactionLine>()
  readonly #written = new Map<string, TransactionLine>()
  readonly #joined = new Set<string>()
  #producer: ProducerIdentity
  #open = false
  #failure: unknown
  #ended: unknown
  #adding: Promise<void> = Promise.resolve()

  private constructor (direct: Direct, coordinator: TransactionCoordinator, producer: ProducerIdentity, findMember: FindMember) {
    this.direct = direct
    this.#coordinator = coordinator
    this.#producer = producer
    this.#findMember = findMember
    this.#dispatcher = new Dispatcher(direct, coordinator.transactionalId, coordinator.implicit ? produceApi : produceV1Api)
  }

  static async open (direct: Direct, transactionalId: string, findMember: FindMember): Promise<DirectTransactionalProducer> {
    const coordinator = new TransactionCoordinator(direct, transactionalId)
    try {
      return new DirectTransactionalProducer(direct, coordinator, await coordinator.init(), findMember)
    } catch (e) {
      coordinator.close()
      throw e
    }
  }

  append (to: TopicPartition, records: readonly OutRecord[]): void { this.#line(to).append(records) }
  sink (to: TopicPartition): RecordSink { return this.#line(to) }

  async commit (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    this.#check()
    try {
      await this.#flush() // 1 what was appended is with the brokers
      await this.#commitOffsets(group, offsets) // 2 the offsets are
    } catch (e) {
      await this.#abandon()
      throw this.#told(e)
    }
    if (!this.#open) return
    await this.#end() // 3 the transaction ends
  }

  async abort (): Promise<void> {
    this.#check()
    await this.#abandon()
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#ended === undefined) await this.#abandon()
    this.#ended ??= closedError()
    this.#dispatcher.close()
    this.#coordinator.close()
  }

  identity (): ProducerIdentity { return this.#producer }
  begun (line: TransactionLine): void { this.#open = true; this.#written.set(nameOf(line.to), line) }

  async deliver (to: TopicPartition, batch: Buffer): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      await this.#join(to)
      await this.#dispatcher.send(to, batch)
    } catch (e) {
      this.#failure ??= e
      throw e
    }
  }

  /** Below transaction.version 2 a partition is added before its first batch; those of one turn in one call. */
  async #join (to: TopicPartition): Promise<void> {
    if (this.#coordinator.implicit || this.#joined.has(nameOf(to))) return
    await this.#adding
    if (this.#joined.has(nameOf(to))) return
    const added = [...this.#written.values()].map(l => l.to).filter(t => !this.#joined.has(nameOf(t)))
    this.#adding = this.#coordinator.addPartitions(this.#producer, added).then(() => { for (const t of added) this.#joined.add(nameOf(t)) })
    await this.#adding
  }

  async #flush (): Promise<void> {
    const sent = await Promise.allSettled([...this.#lines.values()].map(l => l.flush()))
    const failed = sent.find(s => s.status === 'rejected')
    if (this.#failure !== undefined || failed !== undefined) throw this.#failure ?? failed?.reason
  }

  async #commitOffsets (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    const member = this.#findMember(group)
    if (member === undefined) throw new LatidoError('MEMBER_FENCED', `${group.memberId} is no longer a member of group ${group.group}`, 'nothing: the partition has a new owner, and this instance joins again')
    member.check()
    if (offsets.length === 0) return
    this.#open = true
    await this.#coordinator.addOffsets(this.#producer, group.group)
    await member.commit(offsets, async (memberEpoch, timeoutMs) => {
      const codes = await this.#coordinator.commitOffsets(this.#producer, { group: group.group, memberId: group.memberId, memberEpoch }, offsets, timeoutMs)
      const fencing = codes.find(c => FENCING.has(c))
      if (fencing !== undefined) throw fencedProducer(this.#coordinator.transactionalId, undefined)
      return codes
    })
  }

  async #end (): Promise<void> {
    try {
      this.#next(await this.#coordinator.end(this.#producer, true, this.direct.limits.deliveryTimeoutMs))
    } catch (e) {
      if (isLatidoError(e) && e.code === 'BROKER_REFUSED' && isKafkaError(e.cause) && e.cause.code === ERROR_CODE.TRANSACTION_ABORTABLE) await this.#abandon()
      else this.#ended = this.#told(e) // committed or not: we may not go on as this producer
      throw this.#told(e)
    }
  }

  /** Ends the transaction without its records. If that cannot be learned, this producer is over, and the brokers or an heir end it. */
  async #abandon (): Promise<void> {
    for (const line of this.#lines.values()) line.clear(false)
    this.#dispatcher.giveUp()
    const unsure = this.#failure !== undefined
    if (this.#open && this.#ended === undefined) {
      try {
        await this.#quiet()
        const next = await this.#coordinator.end(this.#producer, false, ABORT_MS)
        // the sequences of batches that were refused or lost are not known: begin them anew under another epoch
        this.#next(unsure && !this.#coordinator.implicit ? await this.#coordinator.init(next) : next, unsure)
      } catch (e) { this.#ended = this.#told(e) }
    }
    this.#failure = undefined
  }

  /** Waits for what is on its way. */
  async #quiet (): Promise<void> {
    const over = new AbortController()
    const quiet = Promise.allSettled([...this.#lines.values()].map(l => l.flush())).then(() => true)
    const isQuiet = await Promise.race([quiet, this.direct.clock.sleep(ABORT_MS, over.signal).then(() => false)])
    over.abort('over')
    if (!isQuiet) throw new LatidoError('BROKER_UNREACHABLE', `a broker did not answer within ${ABORT_MS} ms`, 'look at the brokers and the network')
  }

  #next (producer: ProducerIdentity, restart = false): void {
    const bumped = restart || producer.id !== this.#producer.id || producer.epoch !== this.#producer.epoch
    this.#producer = producer
    this.#open = false
    this.#joined.clear()
    this.#written.clear()
    for (const line of this.#lines.values()) line.clear(bumped)
  }

  #line (to: TopicPartition): TransactionLine {
    const name = nameOf(to)
    let line = this.#lines.get(name)
    if (line === undefined) {
      if (this.direct.cluster.cachedTopic(to.topic) !== undefined && cachedLeader(this.direct, to) === undefined && !this.#hasPartition(to)) throw unknownTopic(name)
      this.#lines.set(name, line = new TransactionLine(this, to))
    }
    return line
  }

  #hasPartition ({ topic, partition }: TopicPartition): boolean { return this.direct.cluster.cachedTopic(topic)?.partitions.some(p => p.partition === partition) === true }

  #check (): void {
    if (this.direct.closed.aborted) throw closedError()
    if (this.#ended !== undefined) throw this.#ended
  }

  /** What the caller sees: fenced, or aborted; what only an operator can mend stays what it is. */
  #told (e: unknown): unknown {
    const answer = isLatidoError(e) ? e.cause : e
    const code = isKafkaError(answer) ? answer.code : undefined
    if (code !== undefined && FENCING.has(code)) return fencedProducer(this.#coordinator.transactionalId, e)
    if (code !== undefined && TOO_LARGE.has(code)) return new LatidoError('RECORD_TOO_LARGE', 'a record is larger than the topic takes', 'send smaller messages, or raise max.message.bytes of the topic', e)
    const told = refusal(e)
    if (isLatidoError(told) && !PASSING.has(told.code) && (code === undefined || !ABORTING.has(code))) return told
    return new LatidoError('TRANSACTION_ABORTED', `a transaction of ${this.#coordinator.transactionalId} was aborted, or its end is not known: ${messageOf(e)}`, 'nothing: the state is restored from what is committed, and the work is done again', e)
  }
}

const TOO_LARGE: ReadonlySet<number> = new Set([ERROR_CODE.MESSAGE_TOO_LARGE, ERROR_CODE.RECORD_LIST_TOO_LARGE])
/** The brokers and we disagree about this transaction; the next one may succeed. */
const ABORTING: ReadonlySet<number> = new Set([
  ERROR_CODE.OUT_OF_ORDER_SEQUENCE_NUMBER, ERROR_CODE.UNKNOWN_PRODUCER_ID, ERROR_CODE.TRANSACTION_ABORTABLE, ERROR_CODE.TRANSACTION_COORDINATOR_FENCED, ERROR_CODE.UNKNOWN_SERVER_ERROR,
])
/** Of a transaction these mean: it was not done in time. */
const PASSING: ReadonlySet<string> = new Set(['BROKER_UNREACHABLE', 'LOG_WRITE_FAILED'])
