import { LatidoError } from '../../../../errors/index.ts'
import type { DurationMs } from '../../../../time/index.ts'
import type { TopicPartition } from '../../../port.ts'
import { groupConfigApi, heartbeatApi, type HeartbeatResponse, type TopicIdPartitions } from '../api/index.ts'
import { ERROR_CODE, KafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import { nameOf } from '../../../partition-name.ts'
import { askCoordinator, passes, patiently, refusal } from '../retry.ts'
import { Activity } from './activity.ts'
import { Mutex } from './mutex.ts'

/** A partition as the broker names it. */
export interface AssignedPartition { readonly topicId: string, readonly partition: number }
export interface OwnedPartition extends TopicPartition { readonly topicId: string }

const LANE = 'group'
const LEAVE_MS = 2_000
/** A new member's first assignment is computed after its first heartbeat was answered: it asks again soon, for a while. */
const EAGER_MS = 100
const EAGER_FOR_MS = 5_000
const JOINING = 0
const LEAVING = -1
/** The member is not, or no longer, what the broker knows: KIP-848. */
const FENCING: ReadonlySet<number> = new Set([ERROR_CODE.UNKNOWN_MEMBER_ID, ERROR_CODE.FENCED_MEMBER_EPOCH, ERROR_CODE.GROUP_ID_NOT_FOUND])
/** Our epoch was not the newest; another heartbeat tells which is. */
const STALE: ReadonlySet<number> = new Set([ERROR_CODE.ILLEGAL_GENERATION, ERROR_CODE.STALE_MEMBER_EPOCH])

/**
 * One member of a KIP-848 group. It beats in the background; what the broker wants it to have is `target`, what it has is what `acknowledge`
 * said last. Heartbeats and commits never overlap, so a commit's epoch is the one that the broker has. Once fenced it stays so: the epoch
 * could only be won back by giving up everything, which is what joining under a new name does.
 */
export class Member {
  readonly group: string
  readonly id: string
  readonly #direct: Direct
  readonly #topics: readonly string[]
  readonly #changed: () => void
  readonly #lock = new Mutex()
  readonly #wake = new Activity()
  readonly #stopped = new AbortController()
  #epoch = JOINING
  #idleSinceMs: number | undefined
  #target: readonly AssignedPartition[] = []
  #owned: ReadonlyMap<string, OwnedPartition> = new Map()
  /** The broker may not know all that we said: say it again. */
  #full = true
  #toAcknowledge = false
  #intervalMs: DurationMs
  #sessionMs: DurationMs
  #lastAnswerMs: number
  #ended: unknown
  #loop: Promise<void> = Promise.resolve()

  /** `changed`: the target is another, or the member has ended. */
  constructor (direct: Direct, options: { readonly group: string, readonly id: string, readonly topics: readonly string[] }, changed: () => void) {
    this.#direct = direct
    this.group = options.group
    this.id = options.id
    this.#topics = options.topics
    this.#changed = changed
    this.#intervalMs = direct.limits.heartbeatMs
    this.#sessionMs = direct.limits.sessionTimeoutMs
    this.#lastAnswerMs = direct.clock.monotonicMs()
  }

  get epoch (): number { return this.#epoch }
  get target (): readonly AssignedPartition[] { return this.#target }
  get fenced (): boolean { return this.#ended !== undefined }

  /** Between polls a member does nothing: after too long of that its partitions are better off elsewhere. */
  polling (now: boolean): void { this.#idleSinceMs = now ? undefined : this.#direct.clock.monotonicMs() }

  start (): void {
    this.#loop = this.#run()
    void this.#learnSession()
  }

  /** Throws once the member is fenced or refused, also when its own clock says that its session is over. */
  check (): void {
    const silentMs = this.#direct.clock.monotonicMs() - this.#lastAnswerMs
    if (this.#ended === undefined && silentMs > this.#sessionMs) this.#end(this.#fencedError(`no heartbeat was answered for ${Math.round(silentMs)} ms`))
    if (this.#ended !== undefined) throw this.#ended
  }

  /** What the member has from now on; told to the broker at once. */
  acknowledge (owned: readonly OwnedPartition[]): void {
    this.#owned = new Map(owned.map(o => [nameOf(o), o]))
    this.#toAcknowledge = true
    this.#wake.notify()
  }

  /**
   * Commits under the member's epoch and under its lock. Refuses partitions that are not its own: the broker takes any partition from any
   * live member. `send` answers an error code a partition.
   */
  async commit (partitions: readonly TopicPartition[], send: (epoch: number, timeoutMs: DurationMs) => Promise<readonly number[]>): Promise<void> {
    await patiently(this.#direct, `committing offsets of ${this.group}`, { firstMs: 5, maxMs: 200, forMs: this.#direct.limits.requestTimeoutMs }, async () => {
      const code = await this.#lock.run(async () => {
        this.check()
        this.#checkOwned(partitions)
        return (await send(this.#epoch, this.#callTimeoutMs())).find(c => c !== 0) ?? 0
      })
      if (code === 0) return
      if (FENCING.has(code)) { this.#end(this.#fencedError('the broker no longer knows it')); this.check() }
      if (code === ERROR_CODE.NOT_COORDINATOR || code === ERROR_CODE.COORDINATOR_NOT_AVAILABLE) this.#direct.cluster.forgetCoordinator('group', this.group)
      if (!STALE.has(code)) throw new KafkaError(code, 'OffsetCommit')
      await this.#beat() // brings the newest epoch; what is still ours is committed under it
      throw new KafkaError(ERROR_CODE.COORDINATOR_LOAD_IN_PROGRESS, 'OffsetCommit', 'the member epoch was not the newest')
    })
  }

  /** Ends the membership, in bounded time even when the broker is away. */
  async leave (): Promise<void> {
    this.#stopped.abort('over')
    this.#wake.notify()
    const over = new AbortController()
    const leaving = this.#lock.run(async () => { if (this.#epoch > 0 && this.#ended === undefined) await this.#send(LEAVING, LEAVE_MS) }).catch(() => undefined) // then its session ends by itself
    await Promise.race([Promise.all([leaving, this.#loop]), this.#direct.clock.sleep(LEAVE_MS, over.signal)])
    over.abort('over')
    this.#ended ??= this.#fencedError('it has left')
  }

  async #run (): Promise<void> {
    const eagerUntilMs = this.#direct.clock.monotonicMs() + EAGER_FOR_MS
    while (!this.#stopped.signal.aborted && this.#ended === undefined) {
      const eager = this.#target.length === 0 && this.#direct.clock.monotonicMs() < eagerUntilMs
      let waitMs = eager ? Math.min(EAGER_MS, this.#intervalMs) : this.#intervalMs
      try {
        this.#checkIdle()
        await this.#beat()
        this.check()
      } catch (e) {
        if (!passes(e)) { this.#end(refusal(e)); return }
        waitMs = Math.min(waitMs, this.#direct.limits.backoffMinMs)
        try { this.check() } catch { return } // whoever polls is told
      }
      if (!this.#toAcknowledge) await this.#wake.wait(waitMs, this.#direct.clock)
    }
  }

  /** The operator sets it at the brokers (KIP-848). Without the right to see it the default holds: a longer guess only means that the brokers tell us before we notice. */
  async #learnSession (): Promise<void> {
    try {
      const { value } = await this.#direct.cluster.call({ kind: 'coordinator', of: 'group', key: this.group }, groupConfigApi, { group: this.group, name: 'consumer.session.timeout.ms' }, { lane: LANE })
      if (value !== undefined && Number(value) > 0) this.#sessionMs = Number(value)
    } catch { /* the default holds */ }
  }

  async #beat (): Promise<void> {
    await this.#lock.run(async () => {
      if (this.#stopped.signal.aborted || this.#ended !== undefined) return
      const sentMs = this.#direct.clock.monotonicMs()
      this.#toAcknowledge = false // every heartbeat says what we have
      let answer: HeartbeatResponse
      try {
        answer = await this.#send(this.#epoch, this.#callTimeoutMs())
      } catch (e) {
        this.#full = true // whether it arrived is not known, nor what was answered
        throw e
      }
      this.#take(answer, sentMs)
    })
  }

  #send (epoch: number, timeoutMs: DurationMs): Promise<HeartbeatResponse> {
    const full = this.#full && epoch !== LEAVING
    return askCoordinator(this.#direct, { kind: 'coordinator', of: 'group', key: this.group }, heartbeatApi, {
      group: this.group,
      memberId: this.id,
      memberEpoch: epoch,
      rebalanceTimeoutMs: full ? this.#direct.limits.rebalanceTimeoutMs : -1,
      topics: full ? this.#topics : null,
      owned: epoch === LEAVING ? null : epoch === JOINING ? [] : byTopicId([...this.#owned.values()]),
    }, r => [r.errorCode], { lane: LANE, timeoutMs })
  }

  #take (answer: HeartbeatResponse, sentMs: number): void {
    if (FENCING.has(answer.errorCode)) { this.#end(this.#fencedError('the broker no longer knows it')); return }
    if (answer.errorCode !== 0) {
      this.#full = true
      throw new KafkaError(answer.errorCode, 'ConsumerGroupHeartbeat', answer.errorMessage)
    }
    this.#lastAnswerMs = sentMs // the session runs from when the broker heard us, which is not before
    this.#full = false
    this.#epoch = answer.memberEpoch
    if (answer.heartbeatIntervalMs > 0) this.#intervalMs = Math.min(answer.heartbeatIntervalMs, this.#direct.limits.heartbeatMs)
    if (answer.assignment === undefined) return
    this.#target = answer.assignment.flatMap(t => t.partitions.map(partition => ({ topicId: t.topicId, partition })))
    this.#changed()
  }

  #checkIdle (): void {
    const idleMs = this.#idleSinceMs === undefined ? 0 : this.#direct.clock.monotonicMs() - this.#idleSinceMs
    if (idleMs > this.#direct.limits.pollIntervalMaxMs) throw this.#fencedError(`nobody has polled for ${Math.round(idleMs)} ms`)
  }

  #checkOwned (partitions: readonly TopicPartition[]): void {
    const lost = partitions.find(p => !this.#owned.has(nameOf(p)))
    if (lost !== undefined) throw new LatidoError('MEMBER_FENCED', `partition ${nameOf(lost)} is no longer this member's in group ${this.group}`, 'nothing: the partition has a new owner, and this instance joins again')
  }

  #end (reason: unknown): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#owned = new Map()
    this.#wake.notify()
    this.#changed()
  }

  /** An answer that takes longer than a third of the session is as good as none. */
  #callTimeoutMs (): DurationMs { return Math.max(500, Math.min(this.#direct.limits.requestTimeoutMs, this.#sessionMs / 3)) }

  #fencedError (why: string): LatidoError {
    return new LatidoError('MEMBER_FENCED', `${this.id} is no longer a member of group ${this.group}: ${why}`, 'nothing: its partitions have a new owner, and this instance joins again')
  }
}

function byTopicId (owned: readonly OwnedPartition[]): readonly TopicIdPartitions[] {
  const topics = new Map<string, number[]>()
  for (const { topicId, partition } of owned) topics.set(topicId, [...topics.get(topicId) ?? [], partition])
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}

