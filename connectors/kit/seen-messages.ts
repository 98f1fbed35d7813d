import { hash as digestOf } from 'node:crypto'
import type { Database } from 'lmdb'
import type { Lmdb } from '../../streams/lmdb/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../../streams/time/index.ts'

const HASH_BYTES = 16
const FRESH_MAX = 10_000

/** Messages published in the last days, by the hash of their identity, with the hash of their content. Survives restarts; holds no identifier. */
export class SeenMessages {
  readonly #rows: Database<Buffer, Buffer>
  readonly #fresh = new Map<string, Buffer>()
  readonly #keptMs: DurationMs

  constructor (root: Lmdb, keptMs: DurationMs) {
    this.#rows = root.openDB<Buffer, Buffer>('seen', { keyEncoding: 'binary', encoding: 'binary' })
    this.#keptMs = keptMs
  }

  /** `reused`: the identity was seen with another content (some senders restart their counters). */
  look (source: string, messageId: string, content: Buffer, now: ArrivalTimeMs): 'new' | 'duplicate' | 'reused' {
    const key = hash(`${source}|${messageId}`)
    const row = this.#fresh.get(key.toString('latin1')) ?? this.#rows.get(key)
    if (row === undefined || now - row.readDoubleLE(HASH_BYTES) > this.#keptMs) return 'new'
    return row.subarray(0, HASH_BYTES).equals(hash(content)) ? 'duplicate' : 'reused'
  }

  remember (source: string, messageId: string, content: Buffer, at: ArrivalTimeMs): void {
    const key = hash(`${source}|${messageId}`)
    const row = Buffer.alloc(HASH_BYTES + 8)
    hash(content).copy(row)
    row.writeDoubleLE(at, HASH_BYTES)
    const name = key.toString('latin1')
    this.#fresh.set(name, row)
    void this.#rows.put(key, row).then(() => { if (this.#fresh.get(name) === row) this.#fresh.delete(name) })
    if (this.#fresh.size > FRESH_MAX) this.#fresh.delete(this.#fresh.keys().next().value!)
  }

  /** Forgets what is older than the horizon; at most `limit` rows are looked at, going round. */
  async purge (now: ArrivalTimeMs, limit: number): Promise<number> {
    const old: Buffer[] = []
    let looked = 0
    for (const { key, value } of this.#rows.getRange({ start: this.#cursor, limit })) {
      looked++
      this.#cursor = Buffer.from(key)
      if (now - value.readDoubleLE(HASH_BYTES) > this.#keptMs) old.push(Buffer.from(key))
    }
    if (looked < limit) this.#cursor = Buffer.alloc(1) // the end: from the start again
    for (const key of old) await this.#rows.remove(key)
    return old.length
  }

  #cursor: Buffer = Buffer.alloc(1)
}

/** In one call: a hash object for each of thousands of messages a second costs twice as much, and more again to collect. */
function hash (data: string | Buffer): Buffer { return digestOf('sha256', data, 'buffer').subarray(0, HASH_BYTES) }
