import { BatchCursor } from '../../../../codec/index.ts'
import { isLatidoError, LatidoError } from '../../../../errors/index.ts'
import type { Run, TopicPartition } from '../../../port.ts'
import { EARLIEST, fetchApi, LATEST, type FetchedPartition, type FetchResponse } from '../api/index.ts'
import { ERROR_CODE, isConnectionLost, KafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import type { Lane } from '../lanes.ts'
import { cachedLeader } from '../leader.ts'
import { nameOf } from '../../../partition-name.ts'
import { refusal } from '../retry.ts'
import { decodeFetched, type Decoded } from './decode.ts'
import { FetchSession } from './fetch-session.ts'
import { listOffset } from './offsets.ts'
import type { Position } from './position.ts'

const DAMAGED_ANSWERS_MAX = 3
/** Errors of one partition after which the fetch is asked again, with newer metadata. */
const PASSING: ReadonlySet<number> = new Set([
  ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION, ERROR_CODE.LEADER_NOT_AVAILABLE, ERROR_CODE.NOT_LEADER_OR_FOLLOWER, ERROR_CODE.REPLICA_NOT_AVAILABLE, ERROR_CODE.KAFKA_STORAGE_ERROR,
  ERROR_CODE.FENCED_LEADER_EPOCH, ERROR_CODE.UNKNOWN_LEADER_EPOCH, ERROR_CODE.OFFSET_NOT_AVAILABLE, ERROR_CODE.UNKNOWN_TOPIC_ID, ERROR_CODE.INCONSISTENT_TOPIC_ID, ERROR_CODE.UNKNOWN_SERVER_ERROR,
])
const SESSION_LOST: ReadonlySet<number> = new Set([ERROR_CODE.FETCH_SESSION_ID_NOT_FOUND, ERROR_CODE.INVALID_FETCH_SESSION_EPOCH, ERROR_CODE.FETCH_SESSION_TOPIC_ID_ERROR, ERROR_CODE.INCONSISTENT_TOPIC_ID])

interface BrokerLane { readonly node: number, readonly session: FetchSession, busy: boolean, resting: boolean, notBeforeMs: number, liveUntilMs: number }

/**
 * Keeps one fetch on its way to each broker while the caller works on what came before. What comes meanwhile waits here, up to a limit of
 * bytes a broker, so that the next poll has all that is new and not only what was there when this one began.
 */
export class Fetcher {
  readonly #direct: Direct
  readonly #lane: Lane
  readonly #from: 'earliest' | 'latest'
  readonly #changed: () => void
  readonly #positions = new Map<string, Position>()
  readonly #brokers = new Map<number, BrokerLane>()
  #failure: unknown
  #closed = false

  /** `changed`: there is something to take, or a failure. */
  constructor (direct: Direct, from: 'earliest' | 'latest', changed: () => void) {
    this.#direct = direct
    this.#lane = direct.lanes.take('fetch')
    this.#from = from
    this.#changed = changed
  }

  add (position: Position): void { this.#positions.set(position.name, position) }
  /** Fetching of a partition that was added may begin. */
  release (of: TopicPartition): void {
    const position = this.#positions.get(nameOf(of))
    if (position !== undefined) position.ready = true
  }

  remove (of: TopicPartition): void { this.#positions.delete(nameOf(of)) }

  seek (of: TopicPartition, offset: number): void {
    const position = this.#positions.get(nameOf(of))
    if (position === undefined || (position.offset === offset && position.waiting === undefined && !position.ready)) return
    position.offset = offset
    position.counted = true
    position.lastEpoch = -1
    position.version++
    position.waiting = undefined
  }

  /** What has come since, a run a partition; throws what cannot be mended by asking again. */
  take (): readonly Run[] {
    if (this.#failure !== undefined) throw this.#failure
    const runs: Run[] = []
    for (const position of this.#positions.values()) {
      const { waiting, topic, partition } = position
      if (waiting === undefined) continue
      position.waiting = undefined
      runs.push({ topic, partition, records: new BatchCursor(waiting.spans, waiting.from), nextOffset: waiting.nextOffset })
    }
    return runs
  }

  /** Asks every broker that has nothing on its way, and of whose records not too much waits here. */
  pump (): void {
    if (this.#closed || this.#failure !== undefined) return
    const now = this.#direct.clock.monotonicMs()
    const wanted = new Map<number, Position[]>()
    const waitingBytes = new Map<number, number>()
    const homeless = new Set<string>()
    for (const position of this.#positions.values()) {
      if (!position.ready) continue
      const leader = cachedLeader(this.#direct, position)
      if (leader === undefined) { if (now >= position.notBeforeMs) { homeless.add(position.topic); this.#pause(position) } continue }
      if (position.waiting !== undefined) waitingBytes.set(leader.leader, (waitingBytes.get(leader.leader) ?? 0) + position.waiting.bytes)
      if (now < position.notBeforeMs) continue
      const same = wanted.get(leader.leader)
      if (same === undefined) wanted.set(leader.leader, [position])
      else same.push(position)
    }
    for (const [node, positions] of wanted) {
      const ahead = waitingBytes.get(node)
      if (ahead === undefined || (ahead < this.#direct.limits.fetchAheadBytes && this.#brokers.get(node)?.resting !== true)) this.#ask(node, positions, now)
    }
    if (homeless.size > 0) this.#refresh([...homeless])
  }

  close (): void {
    this.#closed = true
    this.#positions.clear()
    for (const { node, session } of this.#brokers.values()) {
      const request = session.closing()
      if (request !== undefined) this.#direct.cluster.call({ kind: 'node', id: node }, fetchApi, request, { lane: this.#lane.name }).catch(() => undefined) // it expires by itself
    }
    this.#lane.free()
  }

  #ask (node: number, positions: readonly Position[], now: number): void {
    let broker = this.#brokers.get(node)
    if (broker === undefined) this.#brokers.set(node, broker = { node, session: new FetchSession(), busy: false, resting: false, notBeforeMs: 0, liveUntilMs: 0 })
    if (broker.busy || now < broker.notBeforeMs) return
    broker.busy = true
    const { fetchMaxWaitMs, fetchLiveWaitMs, fetchMaxBytes, requestTimeoutMs } = this.#direct.limits
    const versions = new Map(positions.map(p => [`${p.topicId}/${p.partition}`, { position: p, version: p.version }]))
    const request = broker.session.request(positions, p => cachedLeader(this.#direct, p)?.leaderEpoch ?? -1, { maxWaitMs: now < broker.liveUntilMs ? fetchLiveWaitMs : fetchMaxWaitMs, maxBytes: fetchMaxBytes })
    const lane = broker
    this.#direct.cluster.call({ kind: 'node', id: node }, fetchApi, request, { lane: this.#lane.name, timeoutMs: Math.min(requestTimeoutMs, fetchMaxWaitMs + 10_000) }).then(answer => {
      lane.busy = false
      this.#answered(lane, answer, versions)
    }, (e: unknown) => {
      lane.busy = false
      this.#lost(lane, e, positions)
    }).catch((e: unknown) => { this.#fail(e) })
  }

  #answered (lane: BrokerLane, answer: FetchResponse, asked: ReadonlyMap<string, { readonly position: Position, readonly version: number }>): void {
    if (this.#closed) return
    if (answer.errorCode !== 0) {
      lane.session.reset()
      if (!SESSION_LOST.has(answer.errorCode)) this.#hold(lane)
      this.pump()
      return
    }
    lane.session.answered(answer.sessionId)
    let came = false
    const stale = new Set<string>()
    for (const fetched of answer.partitions) {
      const before = asked.get(`${fetched.topicId}/${fetched.partition}`)
      if (before === undefined || before.position.version !== before.version || this.#positions.get(before.position.name) !== before.position) continue
      const { position } = before
      if (fetched.errorCode !== 0) this.#partitionError(position, fetched, stale)
      else if (fetched.divergingEndOffset >= 0) this.#fail(this.#lostError(position, `the log was cut at offset ${fetched.divergingEndOffset}, and this group has processed up to ${position.offset}`))
      else if (fetched.end > fetched.start && this.#keep(position, fetched)) came = true
    }
    if (stale.size > 0) this.#refresh([...stale])
    if (!came) { this.pump(); return }
    lane.liveUntilMs = this.#direct.clock.monotonicMs() + this.#direct.limits.fetchLiveForMs
    this.#changed()
    lane.resting = true // unless all is taken before: nothing is asked ahead so soon
    void this.#direct.clock.sleep(this.#direct.limits.fetchPaceMs, this.#direct.closed).then(() => { lane.resting = false; this.pump() })
  }

  #lost (lane: BrokerLane, e: unknown, positions: readonly Position[]): void {
    if (this.#closed) return
    lane.session.reset()
    if (!isConnectionLost(e) && !(e instanceof KafkaError && e.retriable)) { this.#fail(refusal(e)); return }
    this.#hold(lane)
    this.#refresh([...new Set(positions.map(p => p.topic))])
  }

  #partitionError (position: Position, { errorCode, logStartOffset }: FetchedPartition, stale: Set<string>): void {
    if (errorCode === ERROR_CODE.OFFSET_OUT_OF_RANGE) { void this.#outOfRange(position, logStartOffset); return }
    if (errorCode === ERROR_CODE.CORRUPT_MESSAGE) { this.#damaged(position, new KafkaError(errorCode, 'Fetch')); return }
    if (!PASSING.has(errorCode)) { this.#fail(refusal(new KafkaError(errorCode, 'Fetch', position.name))); return }
    stale.add(position.topic)
    this.#pause(position)
  }

  /** Where nothing of a partition has been processed, it begins where `from` says; else records are gone, and going on would hide it. */
  async #outOfRange (position: Position, logStartOffset: number): Promise<void> {
    const { version } = position
    position.ready = false
    try {
      if (position.counted) {
        const [start, end] = await Promise.all([listOffset(this.#direct, position, EARLIEST), listOffset(this.#direct, position, LATEST)])
        this.#fail(this.#lostError(position, `it goes on at offset ${position.offset}, and the log has ${Math.max(start, logStartOffset)} to ${end}`))
        return
      }
      const offset = await listOffset(this.#direct, position, this.#from === 'earliest' ? EARLIEST : LATEST)
      position.ready = true
      if (position.version !== version) return
      position.offset = offset
      position.version++
      this.pump()
    } catch (e) { this.#fail(e) }
  }

  #lostError (position: Position, how: string): LatidoError {
    return new LatidoError('OFFSET_OUT_OF_RANGE', `records of ${position.name} are lost to this group: ${how}`, 'find out why they went (retention shorter than the outage, an unclean election, a topic made anew); then set the group\'s offset to where it shall go on')
  }

  /** Looks at what came while the caller is busy; false: no whole batch of it. */
  #keep (position: Position, fetched: FetchedPartition): boolean {
    let decoded: Decoded
    try {
      decoded = decodeFetched(fetched, position.offset, position.name)
    } catch (e) {
      if (!isLatidoError(e) || e.code !== 'BATCH_CORRUPT') throw e
      this.#damaged(position, e)
      return false
    }
    position.damagedAnswers = 0
    if (decoded.nextOffset === position.offset) return false
    const waiting = position.waiting ??= { from: position.offset, spans: [], nextOffset: position.offset, bytes: 0 }
    waiting.spans.push(...decoded.spans)
    waiting.nextOffset = position.offset = decoded.nextOffset
    waiting.bytes += fetched.end - fetched.start
    position.lastEpoch = decoded.lastEpoch
    position.counted = true
    return true
  }

  /** It may have been damaged on its way: asked again a few times. */
  #damaged (position: Position, e: unknown): void {
    position.damagedAnswers++
    if (position.damagedAnswers > DAMAGED_ANSWERS_MAX) this.#fail(refusal(e))
    else this.#pause(position)
  }

  #pause (position: Position): void {
    position.notBeforeMs = this.#direct.clock.monotonicMs() + this.#direct.limits.backoffMinMs
    this.#pumpLater()
  }

  #hold (lane: BrokerLane): void {
    lane.notBeforeMs = this.#direct.clock.monotonicMs() + this.#direct.limits.backoffMinMs
    this.#pumpLater()
  }

  #pumpLater (): void { void this.#direct.clock.sleep(this.#direct.limits.backoffMinMs + 1, this.#direct.closed).then(() => { this.pump() }) }

  #refresh (topics: readonly string[]): void {
    this.#direct.cluster.refresh(topics).catch(() => undefined).then(() => { this.pump() }).catch((e: unknown) => { this.#fail(e) }) // asked again by the next fetch that needs it
  }

  #fail (e: unknown): void {
    if (this.#closed) return
    this.#failure ??= e
    this.#changed()
  }
}
