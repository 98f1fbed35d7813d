import { BatchBuilder } from '../../../../codec/index.ts'
import { isLatidoError, LatidoError } from '../../../../errors/index.ts'
import type { Appended, OutRecord, TopicPartition } from '../../../port.ts'
import type { ProducedPartition, ProducerIdentity } from '../api/index.ts'
import { ERROR_CODE, isKafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import { leaderOf } from '../leader.ts'
import { patiently, refusal } from '../retry.ts'
import type { Dispatcher } from './dispatcher.ts'
import { checkRecordBytes } from './limits.ts'
import { seal } from './seal.ts'
import { sequenceAfter } from './sequence.ts'

const EPOCH_MAX = 32_767

interface Append { readonly records: readonly OutRecord[], readonly atMs: number, readonly bytes: number, readonly resolve: (a: Appended) => void, readonly reject: (e: unknown) => void }

/** The broker no longer knows where our sequence was: begin it anew under another epoch (KIP-360). */
const SEQUENCE_LOST: ReadonlySet<number> = new Set([ERROR_CODE.OUT_OF_ORDER_SEQUENCE_NUMBER, ERROR_CODE.UNKNOWN_PRODUCER_ID, ERROR_CODE.INVALID_PRODUCER_EPOCH])
const TOO_LARGE: ReadonlySet<number> = new Set([ERROR_CODE.MESSAGE_TOO_LARGE, ERROR_CODE.RECORD_LIST_TOO_LARGE])
const RESTARTS_MAX = 5

/**
 * Appends to one partition, one batch on its way at a time: what is appended meanwhile goes together into the next (group commit). Each line
 * has an epoch of its own for the producer's id, since a broker keeps sequences by partition.
 */
export class ProducerLine {
  readonly #direct: Direct
  readonly #dispatcher: Dispatcher
  readonly #to: TopicPartition
  readonly #newIdentity: () => Promise<ProducerIdentity>
  readonly #builder = new BatchBuilder()
  #queue: Append[] = []
  #identity: ProducerIdentity | undefined
  #sequence = 0
  #running: Promise<void> | undefined

  constructor (direct: Direct, dispatcher: Dispatcher, to: TopicPartition, newIdentity: () => Promise<ProducerIdentity>) {
    this.#direct = direct
    this.#dispatcher = dispatcher
    this.#to = to
    this.#newIdentity = newIdentity
  }

  append (records: readonly OutRecord[]): Promise<Appended> {
    if (records.length === 0) return Promise.reject(new Error('nothing to append'))
    return new Promise((resolve, reject) => {
      let bytes = 0
      for (const { key, value } of records) {
        const recordBytes = (key?.length ?? 0) + (value?.length ?? 0)
        checkRecordBytes(recordBytes, this.#direct.limits.recordMaxBytes)
        bytes += recordBytes
      }
      this.#queue.push({ records, atMs: this.#direct.clock.now(), bytes, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  async idle (): Promise<void> { while (this.#running !== undefined) await this.#running }

  async #run (): Promise<void> {
    await Promise.resolve() // what is appended in this turn goes together
    while (this.#queue.length > 0) {
      const group = this.#next()
      try { await this.#write(group) } catch (e) { for (const { reject } of group) reject(e) }
    }
    this.#running = undefined
  }

  /** As many whole appends as fit into one batch; at least one. */
  #next (): readonly Append[] {
    let bytes = 0
    const cut = this.#queue.findIndex((a, i) => (bytes += a.bytes) > this.#direct.limits.batchBytes && i > 0)
    const group = cut < 0 ? this.#queue : this.#queue.slice(0, cut)
    this.#queue = cut < 0 ? [] : this.#queue.slice(cut)
    return group
  }

  async #write (group: readonly Append[]): Promise<void> {
    await patiently(this.#direct, `finding ${this.#to.topic}`, {}, () => leaderOf(this.#direct, this.#to)) // TOPIC_UNKNOWN at once
    try {
      this.#settle(group, await this.#deliver(group))
    } catch (e) {
      if (!isKafkaError(e)) throw e
      if (group.length > 1) { await this.#oneByOne(group); return } // one of them is refused: the others shall not be
      throw TOO_LARGE.has(e.code) ? tooLarge(e) : refusal(e)
    }
  }

  async #oneByOne (group: readonly Append[]): Promise<void> {
    for (const append of group) {
      try { await this.#write([append]) } catch (e) { append.reject(e) }
    }
  }

  async #deliver (group: readonly Append[]): Promise<ProducedPartition> {
    const count = group.reduce((n, a) => n + a.records.length, 0)
    for (let restarts = 0; ; restarts++) {
      this.#identity ??= await this.#newIdentity()
      const batch = this.#seal(group, this.#identity)
      try {
        const produced = await this.#dispatcher.send(this.#to, batch)
        this.#sequence = sequenceAfter(this.#sequence, count)
        return produced
      } catch (e) {
        if (isLatidoError(e) && e.code === 'LOG_WRITE_FAILED') this.#restart() // it may have been written: its sequence is used up
        if (!isKafkaError(e) || !SEQUENCE_LOST.has(e.code) || restarts >= RESTARTS_MAX) throw e
        this.#restart()
      }
    }
  }

  #restart (): void {
    const before = this.#identity
    this.#identity = before === undefined || before.epoch >= EPOCH_MAX ? undefined : { id: before.id, epoch: before.epoch + 1 }
    this.#sequence = 0
  }

  #seal (group: readonly Append[], { id, epoch }: ProducerIdentity): Buffer {
    this.#builder.reset()
    for (const { records, atMs } of group) for (const { key, value, timestamp, headers } of records) this.#builder.append(timestamp ?? atMs, key, value, headers)
    return seal(this.#builder, this.#direct.compression, { id, epoch, sequence: this.#sequence, transactional: false })
  }

  #settle (group: readonly Append[], { baseOffset, logAppendTimeMs }: ProducedPartition): void {
    let offset = baseOffset
    for (const { records, atMs, resolve } of group) {
      resolve({ baseOffset: offset, timestamp: logAppendTimeMs >= 0 ? logAppendTimeMs : records.at(-1)?.timestamp ?? atMs })
      offset += records.length
    }
  }
}

function tooLarge (cause: unknown): LatidoError { return new LatidoError('RECORD_TOO_LARGE', 'a record is larger than the topic takes', 'send smaller messages, or raise max.message.bytes of the topic', cause) }
