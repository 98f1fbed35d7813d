import { LatidoError } from '../../../../errors/index.ts'
import type { DurationMs } from '../../../../time/index.ts'
import type { TopicPartition } from '../../../port.ts'
import { addOffsetsApi, addPartitionsApi, endTxnApi, endTxnV1Api, initProducerIdApi, txnOffsetCommitApi, txnOffsetCommitV1Api, type CommittedPartition, type ProducerIdentity } from '../api/index.ts'
import { ERROR_CODE, KafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import type { Lane } from '../lanes.ts'
import { askCoordinator, patiently } from '../retry.ts'

/** After the end of a transaction its markers take a moment: KAFKA-5477. */
const QUICK = { firstMs: 1, maxMs: 100 }
const CALL_MS = 10_000

/** The calls of one transactional id to its coordinator. `implicit`: the brokers add partitions and offsets to a transaction by themselves and bump the epoch at each end (KIP-890). */
export class TransactionCoordinator {
  readonly transactionalId: string
  readonly implicit: boolean
  readonly #direct: Direct
  readonly #lane: Lane

  constructor (direct: Direct, transactionalId: string) {
    this.#direct = direct
    this.transactionalId = transactionalId
    this.implicit = Math.min(direct.cluster.features.get('transaction.version') ?? 0, direct.limits.transactionVersionMax) >= 2
    this.#lane = direct.lanes.take('transaction')
  }

  close (): void { this.#lane.free() }

  /** Fences whoever had this id, and ends what it left open. With `previous`, only if nobody has taken over since. */
  async init (previous?: ProducerIdentity): Promise<ProducerIdentity> {
    return await this.#patiently('asking for the producer id of a transaction', this.#direct.limits.deliveryTimeoutMs, async () => {
      const { producer } = await this.#call(initProducerIdApi, { transactionalId: this.transactionalId, timeoutMs: this.#direct.limits.transactionTimeoutMs, ...(previous === undefined ? {} : { previous }) }, r => [r.errorCode])
      return producer
    })
  }

  async addPartitions (producer: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<void> {
    if (this.implicit || partitions.length === 0) return
    await this.#patiently('adding partitions to a transaction', this.#direct.limits.transactionTimeoutMs, () => this.#call(addPartitionsApi, { transactionalId: this.transactionalId, producer, partitions }, r => r.errorCodes))
  }

  async addOffsets (producer: ProducerIdentity, group: string): Promise<void> {
    if (this.implicit) return
    await this.#patiently('adding offsets to a transaction', this.#direct.limits.transactionTimeoutMs, () => this.#call(addOffsetsApi, { transactionalId: this.transactionalId, producer, group }, r => [r.errorCode]))
  }

  /** One try, at the group's coordinator; answers an error code a partition. */
  async commitOffsets (producer: ProducerIdentity, member: { readonly group: string, readonly memberId: string, readonly memberEpoch: number }, partitions: readonly CommittedPartition[], timeoutMs: DurationMs): Promise<readonly number[]> {
    const answer = await this.#direct.cluster.call({ kind: 'coordinator', of: 'group', key: member.group }, this.implicit ? txnOffsetCommitApi : txnOffsetCommitV1Api, {
      ...member, partitions, transactionalId: this.transactionalId, producerId: producer.id, producerEpoch: producer.epoch,
    }, { lane: 'group', timeoutMs })
    return answer.partitions.map(p => p.errorCode)
  }

  /**
   * Asked again until it is answered: the coordinator answers a repeat for the same epoch as it answered the first (KIP-890 keeps the epoch
   * before the bump for this). Who we are in the next transaction is the answer.
   */
  async end (producer: ProducerIdentity, committed: boolean, forMs: DurationMs): Promise<ProducerIdentity> {
    const { next } = await this.#patiently('ending a transaction', forMs, () => this.#call(this.implicit ? endTxnApi : endTxnV1Api, { transactionalId: this.transactionalId, producer, committed }, r => [r.errorCode]))
    return next ?? producer
  }

  #patiently<T> (what: string, forMs: DurationMs, attempt: () => Promise<T>): Promise<T> { return patiently(this.#direct, what, { ...QUICK, forMs }, attempt) }

  async #call<Request, Response> (api: Parameters<typeof askCoordinator<Request, Response>>[2], request: Request, codesOf: (r: Response) => readonly number[]): Promise<Response> {
    const to = { kind: 'coordinator', of: 'transaction', key: this.transactionalId } as const
    const answer = await askCoordinator(this.#direct, to, api, request, codesOf, { lane: this.#lane.name, timeoutMs: Math.min(CALL_MS, this.#direct.limits.requestTimeoutMs) })
    const code = codesOf(answer).find(c => c !== 0)
    if (code === undefined) return answer
    const error = new KafkaError(code, api.name)
    throw FENCING.has(code) ? fencedProducer(this.transactionalId, error) : error
  }
}

/** Somebody else is the producer of this id now, or the brokers have ended its transaction. */
export const FENCING: ReadonlySet<number> = new Set([
  ERROR_CODE.INVALID_PRODUCER_EPOCH, ERROR_CODE.PRODUCER_FENCED, ERROR_CODE.INVALID_TXN_STATE, ERROR_CODE.INVALID_PRODUCER_ID_MAPPING,
])

export function fencedProducer (transactionalId: string, cause: unknown): LatidoError {
  return new LatidoError('PRODUCER_FENCED', `a newer producer has taken over ${transactionalId}, or its transaction took too long`, 'nothing: the newer instance goes on, and this one joins again', cause)
}
