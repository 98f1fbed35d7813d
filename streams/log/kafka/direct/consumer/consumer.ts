import type { DurationMs } from '../../../../time/index.ts'
import type { Consumer, ConsumerOptions, GroupMetadata, OffsetCommit, Run, TopicPartition } from '../../../port.ts'
import { EARLIEST, LATEST, offsetCommitApi } from '../api/index.ts'
import type { Direct } from '../direct.ts'
import { nameOf } from '../../../partition-name.ts'
import { askCoordinator, closedError } from '../retry.ts'
import { Activity } from './activity.ts'
import { committedOffsets, endWhatTheDeadLeft } from './committed.ts'
import { Fetcher } from './fetcher.ts'
import { Member, type AssignedPartition, type OwnedPartition } from './member.ts'
import { listOffset } from './offsets.ts'
import { newPosition } from './position.ts'

/** A partition that the broker gives us, until it is known where to begin. */
interface Coming { readonly of: OwnedPartition, begin: { readonly offset: number, readonly counted: boolean } | undefined }

/** The consumer of the direct driver: a member, what it has, and its fetches. What the group decides takes effect inside `poll` only. */
export class DirectConsumer implements Consumer {
  readonly #direct: Direct
  readonly #options: ConsumerOptions
  readonly #member: Member
  readonly #fetcher: Fetcher
  readonly #activity = new Activity()
  readonly #stopping = new AbortController()
  readonly #owned = new Map<string, OwnedPartition>()
  readonly #coming = new Map<string, Coming>()
  readonly #left: () => void
  #failure: unknown
  #learning = false
  #polling: Promise<unknown> = Promise.resolve()

  /** `left`: told once, at the end. */
  constructor (direct: Direct, options: ConsumerOptions, joined: (member: Member) => void, left: () => void) {
    this.#direct = direct
    this.#options = options
    this.#left = left
    this.#member = new Member(direct, { group: options.group, id: options.instance, topics: options.topics }, () => { this.#activity.notify() })
    this.#fetcher = new Fetcher(direct, options.from, () => { this.#activity.notify() })
    joined(this.#member)
    this.#member.start()
  }

  get metadata (): GroupMetadata { return { group: this.#options.group, memberId: this.#options.instance, generation: this.#member.epoch } }
  assignment (): readonly TopicPartition[] { return [...this.#owned.values()].map(({ topic, partition }) => ({ topic, partition })) }

  poll (maxWaitMs: DurationMs): Promise<readonly Run[]> {
    const poll = this.#poll(maxWaitMs)
    this.#polling = poll.catch(() => undefined) // told to whoever polls
    return poll
  }

  seek (partition: TopicPartition, offset: number): void {
    this.#fetcher.seek(partition, offset)
  }

  async committed (partition: TopicPartition): Promise<number | undefined> {
    return (await committedOffsets(this.#direct, this.#options.group, [partition])).get(nameOf(partition))
  }

  async commit (offsets: readonly OffsetCommit[]): Promise<void> {
    if (this.#stopping.signal.aborted) throw closedError()
    this.#member.check()
    if (offsets.length === 0) return
    const { group, instance } = this.#options
    await this.#member.commit(offsets, async (memberEpoch, timeoutMs) => {
      const answer = await askCoordinator(this.#direct, { kind: 'coordinator', of: 'group', key: group }, offsetCommitApi, { group, memberId: instance, memberEpoch, partitions: offsets }, r => r.partitions.map(p => p.errorCode), { lane: 'group', timeoutMs })
      return answer.partitions.map(p => p.errorCode)
    })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort('over')
    this.#activity.notify()
    await this.#polling
    try {
      const owned = this.assignment()
      if (owned.length > 0 && !this.#member.fenced) await this.#options.onRevoked?.(owned)
    } finally {
      this.#owned.clear()
      this.#fetcher.close()
      await this.#member.leave()
      this.#left()
    }
  }

  async #poll (maxWaitMs: DurationMs): Promise<readonly Run[]> {
    const untilMs = this.#direct.clock.monotonicMs() + maxWaitMs
    this.#member.polling(true)
    try {
      for (;;) {
        if (this.#stopping.signal.aborted) return []
        this.#check()
        await this.#reconcile()
        const runs = this.#fetcher.take()
        this.#fetcher.pump()
        const leftMs = untilMs - this.#direct.clock.monotonicMs()
        if (runs.length > 0 || leftMs <= 0) return runs
        await this.#activity.wait(leftMs, this.#direct.clock)
      }
    } finally { this.#member.polling(false) }
  }

  #check (): void {
    if (this.#direct.closed.aborted) throw closedError()
    try {
      this.#member.check()
    } catch (e) {
      this.#owned.clear() // nothing is ours any more
      this.#coming.clear()
      this.#fetcher.close()
      throw e
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Gives up what is no longer ours, and takes what is ready to be taken. */
  async #reconcile (): Promise<void> {
    const target = new Set(this.#member.target.map(idOf))
    const gone = [...this.#owned.values()].filter(o => !target.has(idOf(o)))
    if (gone.length > 0) await this.#giveUp(gone)
    for (const [id] of this.#coming) if (!target.has(id)) this.#coming.delete(id)
    this.#begin()
    const ready = [...this.#coming].flatMap(([id, { of, begin }]) => begin === undefined ? [] : [{ id, of, begin }])
    if (ready.length === 0) return
    for (const { id, of, begin } of ready) {
      this.#coming.delete(id)
      this.#owned.set(nameOf(of), of)
      this.#fetcher.add(newPosition(of, begin.offset, begin.counted, this.#options.maxBytesPerPartition ?? this.#direct.limits.partitionMaxBytes))
    }
    this.#member.acknowledge([...this.#owned.values()])
    await this.#options.onAssigned?.(ready.map(({ of: { topic, partition } }) => ({ topic, partition })))
    for (const { of } of ready) this.#fetcher.release(of)
  }

  async #giveUp (gone: readonly OwnedPartition[]): Promise<void> {
    await this.#options.onRevoked?.(gone.map(({ topic, partition }) => ({ topic, partition })))
    for (const of of gone) {
      this.#owned.delete(nameOf(of))
      this.#fetcher.remove(of)
    }
    this.#member.acknowledge([...this.#owned.values()])
  }

  /** Finds out where new partitions begin, while the others go on. */
  #begin (): void {
    const owned = new Set([...this.#owned.values()].map(idOf))
    const added: Coming[] = []
    const unnamed: AssignedPartition[] = []
    for (const assigned of this.#member.target) {
      const id = idOf(assigned)
      if (owned.has(id) || this.#coming.has(id)) continue
      const topic = this.#direct.cluster.topicById(assigned.topicId)?.name
      if (topic === undefined) { unnamed.push(assigned); continue }
      const coming: Coming = { of: { ...assigned, topic }, begin: undefined }
      this.#coming.set(id, coming)
      added.push(coming)
    }
    if (added.length > 0) this.#beginnings(added).catch((e: unknown) => { this.#fail(e) })
    if (unnamed.length > 0) this.#learnNames()
  }

  async #beginnings (added: readonly Coming[]): Promise<void> {
    void endWhatTheDeadLeft(this.#direct, this.#options.group, this.#stopping.signal)
    const offsets = await committedOffsets(this.#direct, this.#options.group, added.map(c => c.of), this.#stopping.signal)
    await Promise.all(added.map(async coming => {
      const committed = offsets.get(nameOf(coming.of))
      const offset = committed ?? await listOffset(this.#direct, coming.of, this.#options.from === 'earliest' ? EARLIEST : LATEST, { signal: this.#stopping.signal })
      coming.begin = { offset, counted: committed !== undefined }
    }))
    this.#activity.notify()
  }

  /** The metadata of a new topic may come after its assignment. */
  #learnNames (): void {
    if (this.#learning) return
    this.#learning = true
    const { cluster, clock, limits } = this.#direct
    cluster.refresh(this.#options.topics).catch(() => undefined) // asked again below
      .then(() => clock.sleep(limits.backoffMinMs, this.#stopping.signal))
      .then(() => { this.#learning = false; this.#activity.notify() })
      .catch((e: unknown) => { this.#fail(e) })
  }

  #fail (e: unknown): void {
    if (this.#stopping.signal.aborted) return
    this.#failure ??= e
    this.#activity.notify()
  }
}

function idOf ({ topicId, partition }: AssignedPartition): string { return `${topicId}/${partition}` }
