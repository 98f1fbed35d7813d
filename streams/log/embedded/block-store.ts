import type { Database } from 'lmdb'
import { BATCH_HEADER_BYTES, checkBatch, readInt64 } from '../../codec/index.ts'
import { LatidoError } from '../../errors/index.ts'
import { openLmdb, type Lmdb } from '../../lmdb/index.ts'
import type { Clock } from '../../time/index.ts'
import type { TopicSpec } from '../port.ts'
import { Journal, readJournal, type Entry } from './journal.ts'
import { Tail, type Block } from './tail.ts'
import { sizeOfWriteSet, type WriteSet } from './write-set.ts'

const KEY_BYTES = 12
const OFFSET_MAX = 2 ** 48 - 1

export interface StoredTopic { readonly index: number, readonly spec: TopicSpec }

/** A small write goes to the journal first, and to LMDB with others when this much waits; a larger one goes to LMDB at once. */
const CHECKPOINT_BYTES = 256 * 1024
const DIRECT_BYTES = 128 * 1024
/** Writes wait when LMDB is this far behind. */
const TAIL_BYTES_MAX = 16 * 2 ** 20
const JOURNAL_KEY = 'journal'

/**
 * LMDB layout: `blocks` maps (topic index u32, partition u16, base offset u48) to a v2 batch; `meta` holds topics, and the sequence of
 * the last journal entry that is in LMDB; `offsets` maps `group/topic/partition` to the committed offset. An append is durable when
 * `write` resolves: it is in the journal, or in LMDB, and synced. At a start what LMDB lacks comes from the journal.
 */
export class BlockStore {
  readonly #root: Lmdb
  readonly #blocks: Database<Buffer, Buffer>
  readonly #meta: Database<unknown, string>
  readonly #offsets: Database<number, string>
  readonly #tail = new Tail()
  readonly #journal: Journal
  #sequence: number
  #appending: Promise<void> | undefined
  #checkpointing: Promise<void> | undefined
  #failure: { readonly cause: unknown } | undefined

  /** Throws STORE_CORRUPT; rejects where what the journal has cannot be written. */
  static async open (directory: string, clock: Clock): Promise<BlockStore> {
    const root = openLmdb(directory, 'the log')
    try {
      const store = new BlockStore(root, directory, clock)
      await store.checkpoint()
      return store
    } catch (e) {
      await root.close()
      throw e
    }
  }

  private constructor (root: Lmdb, directory: string, clock: Clock) {
    this.#root = root
    this.#blocks = this.#root.openDB<Buffer, Buffer>('blocks', { keyEncoding: 'binary', encoding: 'binary' })
    this.#meta = this.#root.openDB<unknown, string>('meta', { encoding: 'json' })
    this.#offsets = this.#root.openDB<number, string>('offsets', { encoding: 'json' })
    this.#sequence = (this.#meta.get(JOURNAL_KEY) as number | undefined) ?? 0
    for (const entry of readJournal(directory)) {
      if (entry.sequence <= this.#sequence) continue
      if (entry.sequence !== ++this.#sequence) throw new LatidoError('STORE_CORRUPT', 'the log and its journal are not of one time', 'restore the whole data directory from a backup, or move it away to start empty')
      this.#tail.add(entry)
    }
    this.#journal = new Journal(directory, () => clock.monotonicMs())
  }

  topics (): readonly StoredTopic[] { return [...this.#meta.getRange({ start: 'topic/', end: 'topic0' })].map(({ value }) => value as StoredTopic) }

  async addTopic (topic: StoredTopic): Promise<void> {
    await this.#meta.put(`topic/${topic.spec.name}`, topic)
    await this.#root.flushed // before any block of it can be in the journal
  }

  offset (key: string): number | undefined { return this.#tail.offset(key) ?? this.#offsets.get(key) }

  /** One at a time. */
  async write (set: WriteSet): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.cause
    const entry: Entry = { sequence: ++this.#sequence, set }
    if (sizeOfWriteSet(set) > DIRECT_BYTES) {
      await this.#checkpointing
      this.#tail.add(entry)
      await this.checkpoint()
      return
    }
    await (this.#appending = this.#journal.append(entry).then(() => { this.#tail.add(entry) }).finally(() => { this.#appending = undefined }))
    if (this.#tail.bytes < CHECKPOINT_BYTES) return
    const done = this.checkpoint().catch(() => {}) // the next write says so
    if (this.#tail.bytes > TAIL_BYTES_MAX) await done
  }

  /** What the journal has goes to LMDB, in one transaction; resolves when it is synced. After a failure never again: the segment that LMDB does not have must stay. */
  async checkpoint (): Promise<void> {
    while (this.#checkpointing !== undefined || this.#appending !== undefined) await (this.#checkpointing ?? this.#appending)
    if (this.#failure !== undefined) throw this.#failure.cause
    const entries = [...this.#tail.entries]
    if (entries.length === 0) return
    this.#journal.turn()
    this.#checkpointing = this.#writeDown(entries).catch((cause: unknown) => { this.#failure = { cause }; throw cause }).finally(() => { this.#checkpointing = undefined })
    await this.#checkpointing
  }

  async #writeDown (entries: readonly Entry[]): Promise<void> {
    await this.#root.transaction(() => {
      for (const { set } of entries) {
        for (const block of set.blocks) void this.#blocks.put(keyOf(block.topic, block.partition, block.base), block.bytes)
        for (const { key, offset } of set.offsets) void this.#offsets.put(key, offset)
      }
      void this.#meta.put(JOURNAL_KEY, entries.at(-1)!.sequence)
    })
    await this.#root.flushed
    this.#tail.drop(entries)
  }

  /** Blocks from the one that holds `offset` on, until `maxBytes` are reached; at least one if there is one. */
  read (topic: number, partition: number, offset: number, maxBytes: number): readonly Block[] {
    const blocks: Block[] = []
    const tail = this.#tail.blocks(topic, partition)
    const tailBase = tail[0]?.base ?? Infinity
    let bytes = 0
    if (offset < tailBase) {
      const start = this.#floor(topic, partition, offset)
      const end = tailBase === Infinity ? keyOf(topic, partition + 1, 0) : keyOf(topic, partition, tailBase)
      for (const { key, value } of this.#blocks.getRange({ start: keyOf(topic, partition, start), end })) {
        checkBatch(value, 'the log')
        blocks.push({ base: baseOf(key), bytes: value })
        bytes += value.length
        if (bytes >= maxBytes) return blocks
      }
    }
    for (let i = firstFrom(tail, offset); i < tail.length && (bytes < maxBytes || blocks.length === 0); i++) {
      const block = tail[i]!
      blocks.push(block)
      bytes += block.bytes.length
    }
    return blocks
  }

  last (topic: number, partition: number): Block | undefined {
    const newest = this.#tail.blocks(topic, partition).at(-1)
    if (newest !== undefined) return newest
    for (const { key, value } of this.#blocks.getRange({ start: keyOf(topic, partition, OFFSET_MAX), reverse: true, limit: 1 })) {
      if (key.readUInt32BE(0) !== topic || key.readUInt16BE(4) !== partition) return undefined
      checkBatch(value, 'the log')
      return { base: baseOf(key), bytes: value }
    }
    return undefined
  }

  first (topic: number, partition: number): number | undefined {
    for (const key of this.#blocks.getKeys({ start: keyOf(topic, partition, 0), end: keyOf(topic, partition + 1, 0), limit: 1 })) return baseOf(key)
    return this.#tail.blocks(topic, partition)[0]?.base
  }

  /** Removes blocks whose newest record is older than `before`, never the last one (it carries the end offset). Answers the records removed. */
  async expire (topic: number, partition: number, before: number, endOffset: number): Promise<number> {
    await this.checkpoint()
    const victims: Buffer[] = []
    let records = 0
    for (const { key, value } of this.#blocks.getRange({ start: keyOf(topic, partition, 0), end: keyOf(topic, partition + 1, 0), limit: 50_000 })) {
      const following = baseOf(key) + value.readInt32BE(23) + 1
      if (value.length < BATCH_HEADER_BYTES || readInt64(value, 35) >= before || following >= endOffset) break
      victims.push(Buffer.from(key))
      records += value.readInt32BE(57)
    }
    if (victims.length > 0) await this.#root.transaction(() => { for (const key of victims) void this.#blocks.remove(key) })
    return records
  }

  async close (): Promise<void> {
    try {
      if (this.#failure === undefined) await this.checkpoint()
      await this.#root.flushed
    } finally {
      this.#journal.close()
      await this.#root.close()
    }
  }

  #floor (topic: number, partition: number, offset: number): number {
    if (this.#blocks.doesExist(keyOf(topic, partition, offset))) return offset
    for (const key of this.#blocks.getKeys({ start: keyOf(topic, partition, offset), reverse: true, limit: 1 })) {
      if (key.readUInt32BE(0) === topic && key.readUInt16BE(4) === partition) return baseOf(key)
    }
    return offset
  }
}

function keyOf (topic: number, partition: number, base: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES)
  key.writeUInt32BE(topic, 0)
  key.writeUInt16BE(partition, 4)
  key.writeUIntBE(base, 6, 6)
  return key
}

function baseOf (key: Buffer): number { return key.readUIntBE(6, 6) }

/** Place of the block that holds `offset`, among blocks in order. */
function firstFrom (blocks: readonly Block[], offset: number): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (blocks[middle]!.base <= offset) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}
