import { BatchBuilder } from '../../codec/index.ts'
import { LatidoError, messageOf } from '../../errors/index.ts'
import type { Clock } from '../../time/index.ts'
import type { Appended, OutRecord } from '../port.ts'
import type { BlockStore } from './block-store.ts'
import type { Partition } from './partition.ts'
import { checkRecordBytes, type Pending } from './transaction.ts'
import type { WriteSet } from './write-set.ts'

const BLOCK_BYTES_TARGET = 4 * 2 ** 20
/** Builders of blocks that are kept for the next, if they stayed small: memory of its own for each message is dear to collect. */
const SPARE_BUILDERS_MAX = 16
const SPARE_BYTES_MAX = 64 * 1024

interface Waiter { readonly partition: Partition, readonly baseOffset: number, readonly resolve: (appended: Appended) => void }
interface OpenBlock { readonly partition: Partition, readonly base: number, readonly builder: BatchBuilder }
interface Group {
  readonly open: Map<Partition, OpenBlock>
  readonly blocks: OpenBlock[]
  readonly offsets: { readonly key: string, readonly offset: number }[]
  readonly appends: Waiter[]
  readonly settled: { readonly resolve: () => void, readonly reject: (e: unknown) => void }[]
}

/**
 * Group commit: what arrives while one write is under way goes together into the next, as one block per partition.
 * So a lone append costs one write to the disk, and ten thousand concurrent ones cost a few. Offsets are given out at once; if a write fails the
 * log is failed for good (offsets already promised would be wrong), and every later call says so.
 */
export class GroupCommit {
  #group: Group = emptyGroup()
  #writing = false
  #failure: LatidoError | undefined
  readonly #spare: BatchBuilder[] = []
  readonly #store: BlockStore
  readonly #clock: Clock
  readonly #committed: (topics: ReadonlySet<string>) => void

  /** `committed` is told the topics that got records. */
  constructor (store: BlockStore, clock: Clock, committed: (topics: ReadonlySet<string>) => void) {
    this.#store = store
    this.#clock = clock
    this.#committed = committed
  }

  append (partition: Partition, records: readonly OutRecord[]): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#check(records)
      this.#group.appends.push({ partition, baseOffset: partition.appendEnd, resolve })
      this.#group.settled.push({ resolve: () => {}, reject })
      this.#add(partition, records)
      this.#start()
    })
  }

  /** All of it, or nothing, in one LMDB transaction. */
  commit (pending: readonly Pending[], offsets: readonly { readonly key: string, readonly offset: number }[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#check([])
      for (const { partition, builder } of pending) {
        this.#group.blocks.push({ partition, base: partition.appendEnd, builder })
        this.#group.open.delete(partition)
        partition.appendEnd += builder.count
      }
      this.#group.offsets.push(...offsets)
      this.#group.settled.push({ resolve, reject })
      this.#start()
    })
  }

  /** Resolves when nothing is waiting to be written. */
  async idle (): Promise<void> {
    while (this.#writing || this.#group.settled.length > 0) await this.commit([], []).catch(() => {})
  }

  #check (records: readonly OutRecord[]): void {
    if (this.#failure !== undefined) throw this.#failure
    for (const { key, value } of records) checkRecordBytes((key?.length ?? 0) + (value?.length ?? 0))
  }

  #add (partition: Partition, records: readonly OutRecord[]): void {
    const now = this.#clock.now()
    for (const { key, value, timestamp, headers } of records) {
      let block = this.#group.open.get(partition)
      if (block === undefined || block.builder.bytes >= BLOCK_BYTES_TARGET) {
        block = { partition, base: partition.appendEnd, builder: this.#spare.pop() ?? new BatchBuilder() }
        this.#group.open.set(partition, block)
        this.#group.blocks.push(block)
      }
      block.builder.append(partition.spec.timestamps === 'create' ? timestamp ?? now : 0, key, value, headers)
      partition.appendEnd++
    }
  }

  #start (): void {
    if (this.#writing) return
    this.#writing = true
    queueMicrotask(() => { void this.#run() })
  }

  async #run (): Promise<void> {
    while (this.#group.settled.length > 0) {
      const group = this.#group
      this.#group = emptyGroup()
      await this.#write(group)
    }
    this.#writing = false
  }

  async #write (group: Group): Promise<void> {
    try {
      if (this.#failure !== undefined) throw this.#failure
      await this.#store.write(this.#seal(group))
    } catch (cause) {
      this.#failure ??= new LatidoError('LOG_WRITE_FAILED', `the log could not be written: ${messageOf(cause)}`, 'free disk space or mend the disk, then start again; nothing unacknowledged was lost', cause)
      for (const { reject } of group.settled) reject(this.#failure)
      return
    }
    for (const { partition, base, builder } of group.blocks) partition.visibleEnd = base + builder.count
    for (const { builder } of group.open.values()) this.#keep(builder)
    for (const { resolve, baseOffset, partition } of group.appends) resolve({ baseOffset, timestamp: partition.lastTimestamp })
    for (const { resolve } of group.settled) resolve()
    this.#committed(new Set(group.blocks.map(({ partition }) => partition.spec.name)))
  }

  #keep (builder: BatchBuilder): void {
    if (builder.bytes > SPARE_BYTES_MAX || this.#spare.length >= SPARE_BUILDERS_MAX) return
    builder.reset()
    this.#spare.push(builder)
  }

  #seal (group: Group): WriteSet {
    const now = this.#clock.now()
    const blocks = group.blocks.filter(b => b.builder.count > 0).map(({ partition, base, builder }) => {
      const stamped = partition.spec.timestamps === 'append'
      if (stamped) partition.lastTimestamp = Math.max(now, partition.lastTimestamp)
      return { topic: partition.topicIndex, partition: partition.partition, base, bytes: builder.finish(base, stamped ? partition.lastTimestamp : -1) }
    })
    return { blocks, offsets: group.offsets }
  }
}

function emptyGroup (): Group { return { open: new Map(), blocks: [], offsets: [], appends: [], settled: [] } }
