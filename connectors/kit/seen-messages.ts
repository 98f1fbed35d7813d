import { hash as digestOf } from 'node:crypto'
import type { Database } from 'lmdb'
import type { Lmdb } from '../../streams/lmdb/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../../streams/time/index.ts'

const HASH_BYTES = 16
const TIME_BYTES = 8
const FRESH_MAX = 10_000
/** Each write of the store takes the disk from the log for a moment, so rows go together. */
const WRITTEN_TOGETHER = 256
/** Contents kept of one identity: of a sender that starts its counter again and again the oldest is forgotten. */
const CONTENTS_MAX = 16

/** What says which message it is: hash of its identity, then hash of its content. Holds no identifier. */
export type MessageMark = Buffer & { readonly length: 32 }

export function markOf (source: string, messageId: string, content: Buffer): MessageMark {
  return Buffer.concat([hash(`${source}|${messageId}`), hash(content)], 2 * HASH_BYTES) as MessageMark
}

/** Of bytes that are kept and not published: each content is an identity of its own. */
export function keptMarkOf (kept: string, raw: Buffer): MessageMark {
  const content = hash(raw)
  return Buffer.concat([hash(`${kept}|${content.toString('latin1')}`), content], 2 * HASH_BYTES) as MessageMark
}

/**
 * `reused`: the identity was seen with other contents (some senders start their counters again); it is new. `unsure`: whoever claimed it at `since`
 * never said what became of it: the log says.
 */
export type SeenVerdict = 'new' | 'duplicate' | 'reused' | { readonly kind: 'unsure', readonly since: ArrivalTimeMs }

/** Which messages were published in the last days. One a running intake, or one for several instances. */
export interface SeenMessages {
  /** Asked before publishing. All but `duplicate` claim the message: one of `remember` and `release` follows. Rejects (LatidoError) while another instance publishes it. */
  claim (mark: MessageMark, now: ArrivalTimeMs): SeenVerdict | Promise<SeenVerdict>
  /** The log has it since `at`. */
  remember (mark: MessageMark, at: ArrivalTimeMs): void
  /** The log does not have it. */
  release (mark: MessageMark): void
  /** Forgets what is older than the horizon, a page at a time; answers how many. */
  purge (now: ArrivalTimeMs, limit: number): Promise<number>
}

/** The embedded one, in LMDB. What it had not yet on disk at a crash is read again from the log (`Intake`). */
export class OwnSeenMessages implements SeenMessages {
  readonly #rows: Database<Buffer, Buffer>
  readonly #fresh = new Map<string, Buffer>()
  #unwritten = new Map<string, Buffer>()
  readonly #keptMs: DurationMs
  #cursor: Buffer = Buffer.alloc(1)

  constructor (root: Lmdb, keptMs: DurationMs) {
    this.#rows = root.openDB<Buffer, Buffer>('seen', { keyEncoding: 'binary', encoding: 'binary' })
    this.#keptMs = keptMs
  }

  claim (mark: MessageMark, now: ArrivalTimeMs): 'new' | 'duplicate' | 'reused' {
    const row = this.#rowOf(mark)
    if (row === undefined || now - row.readDoubleLE(0) > this.#keptMs) return 'new'
    return placeOf(row, mark) >= 0 ? 'duplicate' : 'reused'
  }

  remember (mark: MessageMark, at: ArrivalTimeMs): void {
    const before = this.#rowOf(mark)
    if (before !== undefined && placeOf(before, mark) >= 0) return
    const contents = before === undefined || at - before.readDoubleLE(0) > this.#keptMs ? [] : [before.subarray(Math.max(TIME_BYTES, before.length - (CONTENTS_MAX - 1) * HASH_BYTES))]
    const row = Buffer.concat([Buffer.alloc(TIME_BYTES), ...contents, mark.subarray(HASH_BYTES)])
    row.writeDoubleLE(at, 0)
    const key = mark.subarray(0, HASH_BYTES)
    const name = key.toString('latin1')
    this.#fresh.set(name, row)
    this.#unwritten.set(name, row)
    if (this.#unwritten.size >= WRITTEN_TOGETHER) this.write()
    if (this.#fresh.size > FRESH_MAX) for (const oldest of this.#fresh.keys()) { this.#fresh.delete(oldest); break }
  }

  /** Hands the store what waits. Until then a crash takes it, and the log says it again. */
  write (): void {
    const rows = this.#unwritten
    this.#unwritten = new Map()
    for (const [name, row] of rows) void this.#rows.put(Buffer.from(name, 'latin1'), row).then(() => { if (this.#fresh.get(name) === row) this.#fresh.delete(name) })
  }

  release (): void {}

  async purge (now: ArrivalTimeMs, limit: number): Promise<number> {
    const old: Buffer[] = []
    let looked = 0
    for (const { key, value } of this.#rows.getRange({ start: this.#cursor, limit })) {
      looked++
      this.#cursor = Buffer.from(key)
      if (now - value.readDoubleLE(0) > this.#keptMs) old.push(Buffer.from(key))
    }
    if (looked < limit) this.#cursor = Buffer.alloc(1) // the end: from the start again
    for (const key of old) await this.#rows.remove(key)
    return old.length
  }

  #rowOf (mark: MessageMark): Buffer | undefined {
    const key = mark.subarray(0, HASH_BYTES)
    const row = this.#fresh.get(key.toString('latin1')) ?? this.#rows.get(key)
    return row === undefined || row.length < TIME_BYTES + HASH_BYTES || (row.length - TIME_BYTES) % HASH_BYTES !== 0 ? undefined : row
  }
}

/** Where the content of `mark` stands in a row: the time, then hashes of contents. */
function placeOf (row: Buffer, mark: MessageMark): number {
  for (let at = TIME_BYTES; at < row.length; at += HASH_BYTES) if (mark.compare(row, at, at + HASH_BYTES, HASH_BYTES, 2 * HASH_BYTES) === 0) return at
  return -1
}

/** In one call: a hash object for each of thousands of messages a second costs twice as much, and more again to collect. */
function hash (data: string | Buffer): Buffer { return digestOf('sha256', data, 'buffer').subarray(0, HASH_BYTES) }
