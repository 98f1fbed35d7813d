import type { Database } from 'lmdb'
import { BATCH_HEADER_BYTES, checkBatch, readInt64 } from '../../codec/index.ts'
import { openLmdb, type Lmdb } from '../../lmdb/index.ts'
import type { TopicSpec } from '../port.ts'

const KEY_BYTES = 12
const OFFSET_MAX = 2 ** 48 - 1

export interface StoredTopic { readonly index: number, readonly spec: TopicSpec }
export interface Block { readonly base: number, readonly bytes: Buffer }
/** What one LMDB transaction writes: blocks and offsets together or not at all. */
export interface WriteSet {
  readonly blocks: readonly { readonly topic: number, readonly partition: number, readonly base: number, readonly bytes: Buffer }[]
  readonly offsets: readonly { readonly key: string, readonly offset: number }[]
}

/**
 * LMDB layout: `blocks` maps (topic index u32, partition u16, base offset u48) to a v2 batch; `meta` holds topics;
 * `offsets` maps `group/topic/partition` to the committed offset. An append is durable when `write` resolves (commit and fsync).
 */
export class BlockStore {
  readonly #root: Lmdb
  readonly #blocks: Database<Buffer, Buffer>
  readonly #meta: Database<unknown, string>
  readonly #offsets: Database<number, string>

  constructor (directory: string) {
    this.#root = openLmdb(directory, 'the log')
    this.#blocks = this.#root.openDB<Buffer, Buffer>('blocks', { keyEncoding: 'binary', encoding: 'binary' })
    this.#meta = this.#root.openDB<unknown, string>('meta', { encoding: 'json' })
    this.#offsets = this.#root.openDB<number, string>('offsets', { encoding: 'json' })
  }

  topics (): readonly StoredTopic[] { return [...this.#meta.getRange({ start: 'topic/', end: 'topic0' })].map(({ value }) => value as StoredTopic) }
  async addTopic (topic: StoredTopic): Promise<void> { await this.#meta.put(`topic/${topic.spec.name}`, topic) }
  offset (key: string): number | undefined { return this.#offsets.get(key) }

  async write (set: WriteSet): Promise<void> {
    await this.#root.transaction(() => {
      for (const block of set.blocks) void this.#blocks.put(keyOf(block.topic, block.partition, block.base), block.bytes)
      for (const { key, offset } of set.offsets) void this.#offsets.put(key, offset)
    })
    await this.#root.flushed
  }

  /** Blocks from the one that holds `offset` on, until `maxBytes` are reached; at least one if there is one. */
  read (topic: number, partition: number, offset: number, maxBytes: number): readonly Block[] {
    const blocks: Block[] = []
    let bytes = 0
    const start = this.#floor(topic, partition, offset)
    for (const { key, value } of this.#blocks.getRange({ start: keyOf(topic, partition, start), end: keyOf(topic, partition + 1, 0) })) {
      checkBatch(value, 'the log')
      blocks.push({ base: baseOf(key), bytes: value })
      bytes += value.length
      if (bytes >= maxBytes) break
    }
    return blocks
  }

  last (topic: number, partition: number): Block | undefined {
    for (const { key, value } of this.#blocks.getRange({ start: keyOf(topic, partition, OFFSET_MAX), reverse: true, limit: 1 })) {
      if (key.readUInt32BE(0) !== topic || key.readUInt16BE(4) !== partition) return undefined
      checkBatch(value, 'the log')
      return { base: baseOf(key), bytes: value }
    }
    return undefined
  }

  first (topic: number, partition: number): number | undefined {
    for (const key of this.#blocks.getKeys({ start: keyOf(topic, partition, 0), end: keyOf(topic, partition + 1, 0), limit: 1 })) return baseOf(key)
    return undefined
  }

  /** Removes blocks whose newest record is older than `before`, never the last one (it carries the end offset). Answers the records removed. */
  async expire (topic: number, partition: number, before: number, endOffset: number): Promise<number> {
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
    await this.#root.flushed
    await this.#root.close()
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
