import { BatchCursor } from '../../../../codec/index.ts'
import { isLatidoError } from '../../../../errors/index.ts'
import type { PartitionReader, Run, TopicPartition } from '../../../port.ts'
import { EARLIEST, fetchApi, LATEST, type FetchedPartition } from '../api/index.ts'
import { ERROR_CODE, KafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import { leaderOf, unknownTopic } from '../leader.ts'
import { patiently } from '../retry.ts'
import { decodeFetched } from './decode.ts'
import { listOffset } from './offsets.ts'

const LANE = 'reader'
const NO_SESSION = { sessionId: 0, sessionEpoch: -1 }
const DAMAGED_ANSWERS_MAX = 3

/**
 * Reads to what was committed when it was first asked; asked again at that end it looks for more. Records that retention has removed are passed
 * over, as the embedded log does. The next answer is on its way while the caller works on this one.
 */
export class DirectReader implements PartitionReader {
  readonly #direct: Direct
  readonly #of: TopicPartition
  readonly #maxBytes: number
  #offset: number
  #end = -1
  #ahead: Promise<Run | undefined> | undefined

  constructor (direct: Direct, of: TopicPartition, fromOffset: number) {
    this.#direct = direct
    this.#of = of
    this.#offset = fromOffset
    this.#maxBytes = direct.limits.partitionMaxBytes
  }

  async next (): Promise<Run | undefined> {
    const run = await (this.#ahead ?? this.#read())
    this.#ahead = undefined
    if (run === undefined) { this.#end = -1; return undefined }
    if (this.#offset < this.#end) {
      this.#ahead = this.#read()
      this.#ahead.catch(() => undefined) // told to whoever asks for it
    }
    return run
  }

  async #read (): Promise<Run | undefined> {
    if (this.#end < 0) this.#end = await listOffset(this.#direct, this.#of, LATEST)
    let damagedAnswers = 0
    while (this.#offset < this.#end) {
      const fetched = await this.#fetch()
      if (fetched === undefined) continue
      const from = this.#offset
      try {
        const decoded = decodeFetched(fetched, from, `${this.#of.topic}/${this.#of.partition}`)
        if (decoded.nextOffset === from) continue
        this.#offset = decoded.nextOffset
        return { ...this.#of, records: new BatchCursor(decoded.spans, from), nextOffset: decoded.nextOffset }
      } catch (e) {
        if (!isLatidoError(e) || e.code !== 'BATCH_CORRUPT' || ++damagedAnswers > DAMAGED_ANSWERS_MAX) throw e
      }
    }
    return undefined
  }

  /** undefined: the offset was moved up to the first kept record, or nothing has come yet. */
  async #fetch (): Promise<FetchedPartition | undefined> {
    const { fetchMaxWaitMs, fetchMaxBytes } = this.#direct.limits
    return await patiently(this.#direct, `reading ${this.#of.topic}/${this.#of.partition}`, {}, async () => {
      const { leader, leaderEpoch } = await leaderOf(this.#direct, this.#of)
      const topicId = this.#direct.cluster.cachedTopic(this.#of.topic)?.id
      if (topicId === undefined) throw unknownTopic(this.#of.topic)
      try {
        const answer = await this.#direct.cluster.call({ kind: 'node', id: leader }, fetchApi, {
          ...NO_SESSION, maxWaitMs: fetchMaxWaitMs, maxBytes: fetchMaxBytes, forgotten: [],
          partitions: [{ topicId, partition: this.#of.partition, leaderEpoch, offset: this.#offset, lastFetchedEpoch: -1, maxBytes: this.#maxBytes }],
        }, { lane: LANE })
        const fetched = answer.partitions[0]
        const errorCode = answer.errorCode === 0 ? fetched?.errorCode ?? 0 : answer.errorCode
        if (errorCode === ERROR_CODE.OFFSET_OUT_OF_RANGE) { await this.#moveUp(); return undefined }
        if (errorCode !== 0) throw new KafkaError(errorCode, 'Fetch')
        return fetched === undefined || fetched.end === fetched.start ? undefined : fetched
      } catch (e) {
        await this.#direct.cluster.refresh([this.#of.topic])
        throw e
      }
    })
  }

  async #moveUp (): Promise<void> {
    const start = await listOffset(this.#direct, this.#of, EARLIEST)
    if (start > this.#offset) this.#offset = start
    else this.#end = await listOffset(this.#direct, this.#of, LATEST) // the log was cut after we had asked for its end
  }
}
