import { LatidoError } from '../../../../errors/index.ts'
import type { DurationMs } from '../../../../time/index.ts'
import type { TopicPartition } from '../../../port.ts'
import { produceApi, type ProducedPartition, type ProduceRequest, type ProduceResponse } from '../api/index.ts'
import { ERROR_CODE, isKafkaError, KafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import type { Lane } from '../lanes.ts'
import { cachedLeader, leaderOf } from '../leader.ts'
import { closedError, passes } from '../retry.ts'
import type { Api } from '../wire/index.ts'
import { nameOf } from '../../../partition-name.ts'

const REQUEST_BYTES_MAX = 16 << 20

interface Parcel {
  readonly to: TopicPartition
  readonly batch: Buffer
  readonly untilMs: number
  readonly resolve: (produced: ProducedPartition) => void
  readonly reject: (e: unknown) => void
  waitMs: DurationMs
  /** Not to be tried again. */
  givenUp: boolean
}

/**
 * Brings sealed batches to the leaders of their partitions: what waits for one broker goes in one request, a few requests at a time. A batch
 * is sent again, with the same sequence, until it is answered for good or its time is over; the broker knows repeats by their sequence.
 * Whoever sends keeps one batch of a partition on its way at a time, so that retries cannot change the order.
 */
export class Dispatcher {
  readonly #direct: Direct
  readonly #lane: Lane
  readonly #transactionalId: string | null
  readonly #api: Api<ProduceRequest, ProduceResponse>
  readonly #forMs: DurationMs
  readonly #parcels = new Set<Parcel>()
  readonly #inFlight = new Map<number, number>()
  #waiting: Parcel[] = []
  #scheduled = false
  #closed = false

  constructor (direct: Direct, transactionalId: string | null = null, api: Api<ProduceRequest, ProduceResponse> = produceApi) {
    this.#direct = direct
    this.#lane = direct.lanes.take('produce')
    this.#transactionalId = transactionalId
    this.#api = api
    this.#forMs = transactionalId === null ? direct.limits.deliveryTimeoutMs : direct.limits.transactionTimeoutMs // later the transaction is over
  }

  /** Rejects with KafkaError for what the broker refuses, LOG_WRITE_FAILED when its time is over. */
  send (to: TopicPartition, batch: Buffer): Promise<ProducedPartition> {
    return new Promise((resolve, reject) => {
      const parcel: Parcel = {
        to, batch,
        resolve: produced => { this.#parcels.delete(parcel); resolve(produced) },
        reject: e => { this.#parcels.delete(parcel); reject(e as Error) },
        untilMs: this.#direct.clock.monotonicMs() + this.#forMs,
        waitMs: this.#transactionalId === null ? this.#direct.limits.backoffMinMs : 1,
        givenUp: false,
      }
      this.#parcels.add(parcel)
      this.#waiting.push(parcel)
      this.#soon()
    })
  }

  /** Nothing is tried again; what is on its way is answered once more. */
  giveUp (): void { for (const parcel of this.#parcels) parcel.givenUp = true }

  close (): void {
    this.#closed = true
    this.#lane.free()
    for (const parcel of this.#takeAll()) parcel.reject(closedError())
  }

  /** What is sent in one turn of the loop goes together. */
  #soon (): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#dispatch()
    })
  }

  #dispatch (): void {
    if (this.#closed || this.#direct.closed.aborted) { for (const parcel of this.#takeAll()) parcel.reject(closedError()); return }
    const leaders = new Map<number, Parcel[]>()
    for (const parcel of this.#takeAll()) {
      const leader = cachedLeader(this.#direct, parcel.to)?.leader
      if (leader === undefined) { void this.#findLeader(parcel); continue }
      const same = leaders.get(leader)
      if (same === undefined) leaders.set(leader, [parcel])
      else same.push(parcel)
    }
    for (const [leader, parcels] of leaders) this.#toLeader(leader, parcels)
  }

  #toLeader (leader: number, parcels: readonly Parcel[]): void {
    let rest = parcels
    while (rest.length > 0 && (this.#inFlight.get(leader) ?? 0) < this.#direct.limits.inFlightMax) {
      let bytes = 0
      const cut = rest.findIndex((p, i) => (bytes += p.batch.length) > REQUEST_BYTES_MAX && i > 0)
      const now = cut < 0 ? rest : rest.slice(0, cut)
      rest = rest.slice(now.length)
      void this.#request(leader, now)
    }
    this.#waiting.push(...rest) // until a request is answered
  }

  async #request (leader: number, parcels: readonly Parcel[]): Promise<void> {
    this.#inFlight.set(leader, (this.#inFlight.get(leader) ?? 0) + 1)
    try {
      const { requestTimeoutMs } = this.#direct.limits
      const answer = await this.#direct.cluster.call({ kind: 'node', id: leader }, this.#api, { transactionalId: this.#transactionalId, timeoutMs: requestTimeoutMs, batches: parcels.map(p => ({ ...p.to, batch: p.batch })) }, { lane: this.#lane.name })
      for (const parcel of parcels) this.#settle(parcel, answer.partitions.find(p => p.topic === parcel.to.topic && p.partition === parcel.to.partition))
    } catch (e) {
      for (const parcel of parcels) this.#again(parcel, e)
    } finally {
      this.#inFlight.set(leader, (this.#inFlight.get(leader) ?? 1) - 1)
      if (this.#waiting.length > 0) this.#soon()
    }
  }

  #settle (parcel: Parcel, produced: ProducedPartition | undefined): void {
    if (produced === undefined) { this.#again(parcel, new KafkaError(ERROR_CODE.UNKNOWN_SERVER_ERROR, 'Produce', 'the answer leaves a partition out')); return }
    if (produced.errorCode === 0 || produced.errorCode === ERROR_CODE.DUPLICATE_SEQUENCE_NUMBER) parcel.resolve(produced)
    else this.#again(parcel, new KafkaError(produced.errorCode, 'Produce', produced.errorMessage))
  }

  #again (parcel: Parcel, e: unknown): void {
    if (!passes(e) || parcel.givenUp) { parcel.reject(e); return }
    const { clock, limits, closed } = this.#direct
    const waitMs = parcel.waitMs
    parcel.waitMs = Math.min(waitMs * 2, limits.backoffMaxMs)
    if (clock.monotonicMs() + waitMs >= parcel.untilMs) {
      parcel.reject(new LatidoError('LOG_WRITE_FAILED', `records of ${nameOf(parcel.to)} could not be written within ${this.#forMs} ms; whether the last try was is not known`, 'look at the brokers and the network', e))
      return
    }
    const moved = !isKafkaError(e) || e.code !== ERROR_CODE.CONCURRENT_TRANSACTIONS
    const refreshed = moved ? this.#direct.cluster.refresh([parcel.to.topic]).catch(() => undefined) : Promise.resolve() // the next try says what is wrong
    refreshed
      .then(() => clock.sleep(waitMs, closed))
      .then(() => {
        if (parcel.givenUp) { parcel.reject(e); return }
        this.#waiting.push(parcel)
        this.#soon()
      })
      .catch(parcel.reject)
  }

  /** The topic is asked for; TOPIC_UNKNOWN is for the caller. */
  async #findLeader (parcel: Parcel): Promise<void> {
    try {
      await leaderOf(this.#direct, parcel.to)
      this.#waiting.push(parcel)
      this.#soon()
    } catch (e) { this.#again(parcel, e) }
  }

  #takeAll (): readonly Parcel[] {
    const taken = this.#waiting
    this.#waiting = []
    return taken
  }
}
