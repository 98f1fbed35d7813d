import type { GroupMetadata, OffsetCommit, OutRecord, RecordSink, TopicPartition, TransactionalProducer } from '../../../port.ts'
import type { Direct } from '../direct.ts'
import { secondIdOf } from '../names.ts'
import { DirectTransactionalProducer, type FindMember } from './transactional-producer.ts'

/**
 * Two producers that take turns, a transaction each. A transaction is committed when its end is answered, but its markers are written a moment
 * later, and until then the brokers hold up the next one of the same id (KIP-890: they try again after 20 ms, where ours takes 3). With two
 * ids the next one need not wait. Order is kept: a transaction begins after the one before was answered, so its batches and offsets stand
 * behind in their partitions, and of two pending offsets the brokers keep the one that was written later.
 */
export class AlternatingProducer implements TransactionalProducer {
  readonly #both: readonly [DirectTransactionalProducer, DirectTransactionalProducer]
  #turn: 0 | 1 = 0

  private constructor (both: readonly [DirectTransactionalProducer, DirectTransactionalProducer]) { this.#both = both }

  static async open (direct: Direct, transactionalId: string, findMember: FindMember): Promise<AlternatingProducer> {
    const first = await DirectTransactionalProducer.open(direct, transactionalId, findMember)
    try {
      return new AlternatingProducer([first, await DirectTransactionalProducer.open(direct, secondIdOf(transactionalId), findMember)])
    } catch (e) {
      await first[Symbol.asyncDispose]()
      throw e
    }
  }

  append (to: TopicPartition, records: readonly OutRecord[]): void { this.#present.append(to, records) }
  sink (to: TopicPartition): RecordSink { return this.#present.sink(to) }
  abort (): Promise<void> { return this.#present.abort() }

  async commit (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void> {
    await this.#present.commit(group, offsets)
    this.#turn = this.#turn === 0 ? 1 : 0
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await Promise.all(this.#both.map(producer => producer[Symbol.asyncDispose]()))
  }

  get #present (): DirectTransactionalProducer { return this.#both[this.#turn] }
}
