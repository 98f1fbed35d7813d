import { BatchCursor } from '../../codec/index.ts'
import type { Clock, DurationMs } from '../../time/index.ts'
import type { Consumer, ConsumerOptions, GroupMetadata, OffsetCommit, Run, TopicPartition } from '../port.ts'
import type { BlockStore } from './block-store.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { Partition } from './partition.ts'
import { nameOf } from '../partition-name.ts'

const BYTES_PER_PARTITION = 1 << 20

/** What a consumer needs of the log. */
export interface ConsumerHost {
  readonly store: BlockStore
  readonly clock: Clock
  readonly coordinator: GroupCoordinator
  partition (of: TopicPartition): Partition
  commitOffsets (group: GroupMetadata, offsets: readonly OffsetCommit[]): Promise<void>
  /** Resolves at the next commit that puts records on one of the topics, or at the next rebalance. */
  activity (topics: readonly string[], signal: AbortSignal): Promise<void>
}

interface Position { readonly of: TopicPartition, readonly partition: Partition, offset: number }

export class EmbeddedConsumer implements Consumer {
  readonly #host: ConsumerHost
  readonly #options: ConsumerOptions
  #metadata: GroupMetadata
  readonly #positions = new Map<string, Position>()

  constructor (host: ConsumerHost, options: ConsumerOptions) {
    this.#host = host
    this.#options = options
    this.#metadata = host.coordinator.join(options.group, options.instance, options.topics)
  }

  get metadata (): GroupMetadata { return this.#metadata }

  assignment (): readonly TopicPartition[] { return [...this.#positions.values()].map(p => p.of) }

  async poll (maxWaitMs: DurationMs): Promise<readonly Run[]> {
    await this.#rebalance()
    const runs = this.#fetch()
    if (runs.length > 0 || maxWaitMs <= 0) return runs
    const controller = new AbortController()
    await Promise.race([this.#host.activity(this.#options.topics, controller.signal), this.#host.clock.sleep(maxWaitMs, controller.signal)])
    controller.abort('over') // a reason of our own: the default one is an exception with a stack, made at each poll
    await this.#rebalance()
    return this.#fetch()
  }

  seek (partition: TopicPartition, offset: number): void {
    const position = this.#positions.get(nameOf(partition))
    if (position !== undefined) position.offset = offset
  }

  committed (partition: TopicPartition): Promise<number | undefined> {
    return Promise.resolve(this.#host.store.offset(offsetKey(this.#options.group, partition)))
  }

  commit (offsets: readonly OffsetCommit[]): Promise<void> { return this.#host.commitOffsets(this.#metadata, offsets) }

  async [Symbol.asyncDispose] (): Promise<void> {
    const owned = this.assignment()
    if (owned.length > 0) await this.#options.onRevoked?.(owned)
    this.#positions.clear()
    this.#host.coordinator.released(this.#metadata, owned)
    this.#host.coordinator.leave(this.#options.group, this.#metadata.memberId)
  }

  async #rebalance (): Promise<void> {
    const { revoked, assigned, generation } = this.#host.coordinator.sync(this.#metadata)
    this.#metadata = { ...this.#metadata, generation }
    if (revoked.length > 0) {
      await this.#options.onRevoked?.(revoked)
      for (const partition of revoked) this.#positions.delete(nameOf(partition))
      this.#host.coordinator.released(this.#metadata, revoked)
    }
    if (assigned.length > 0) {
      this.#host.coordinator.took(this.#metadata, assigned)
      for (const of of assigned) this.#positions.set(nameOf(of), { of, partition: this.#host.partition(of), offset: this.#startOf(of) })
      await this.#options.onAssigned?.(assigned)
    }
  }

  #startOf (of: TopicPartition): number {
    const partition = this.#host.partition(of)
    return this.#host.store.offset(offsetKey(this.#options.group, of)) ?? (this.#options.from === 'earliest' ? partition.start : partition.visibleEnd)
  }

  #fetch (): readonly Run[] {
    const runs: Run[] = []
    for (const position of this.#positions.values()) {
      const run = readRun(this.#host.store, position.partition, position.offset, this.#options.maxBytesPerPartition ?? BYTES_PER_PARTITION)
      if (run === undefined) continue
      position.offset = run.nextOffset
      runs.push(run)
    }
    return runs
  }
}

/** The next run of a partition from `offset` (moved up to the first kept record), or undefined at the visible end. */
export function readRun (store: BlockStore, partition: Partition, offset: number, maxBytes: number): Run | undefined {
  const from = Math.max(offset, partition.start)
  if (from >= partition.visibleEnd) return undefined
  const blocks = store.read(partition.topicIndex, partition.partition, from, maxBytes)
  const last = blocks.at(-1)
  if (last === undefined) return undefined
  return { topic: partition.spec.name, partition: partition.partition, records: new BatchCursor(blocks.map(b => b.bytes), from), nextOffset: last.base + last.bytes.readInt32BE(23) + 1 }
}

export function offsetKey (group: string, { topic, partition }: TopicPartition): string { return `${group}/${topic}/${partition}` }
