import { crc32c } from '@node-rs/crc32'
import { closeSync, constants, existsSync, fdatasync, openSync, readFileSync, write, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readInt64, writeInt64 } from '../../codec/index.ts'
import { LatidoError } from '../../errors/index.ts'
import { syncDirectory } from '../../files/index.ts'
import { readWriteSet, sizeOfWriteSet, writeWriteSet, type WriteSet } from './write-set.ts'

/** One write: what goes to the log whole or not at all. Sequences count up by one, for ever. */
export interface Entry { readonly sequence: number, readonly set: WriteSet }

const MAGIC = 0x4c4a3031
const HEADER_BYTES = 20
const MAGIC_AT = 16
const SEGMENTS = ['journal-0', 'journal-1'] as const
/** A write that returns has its bytes on the disk: one call in place of two. Absent on some systems. */
const WRITES_THROUGH: number = constants.O_DSYNC ?? 0
const FIRST_BYTES = 64 * 1024
/** A disk that is this quick is waited for: to hand a write to another thread and to be woken costs as much again. A slower one would hold everything else up. */
const QUICK_MS = 0.5
/** After so many in a row one goes to another thread, so that whoever appends in a loop lets others in. */
const WAITED_FOR_MAX = 8
/** Share of the newest write in what is typical. */
const NEWEST_SHARE = 0.05

/**
 * Where a commit is made durable: one write of a few blocks in a row that the file has already, so the disk has one thing to do
 * (LMDB needs its pages and then its root, one after the other, and grows). LMDB gets the same later, many commits at a time.
 * Two segments take turns: one is written while what stands in the other goes to LMDB. They are overwritten, never cut, since to grow
 * a file costs a second write. An entry is `crc32c, length, sequence, magic` and the write set; a segment ends where one does not follow
 * the last: damaged, or left from an earlier turn.
 */
export class Journal {
  readonly #files: readonly [number, number]
  readonly #monotonicMs: () => number
  #segment: 0 | 1 = 0
  #at = 0
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #typicalMs = QUICK_MS * 2
  #waitedFor = 0

  /** Overwrites what is there: `readJournal` comes first. */
  constructor (directory: string, monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
    const fresh = SEGMENTS.some(name => !existsSync(join(directory, name)))
    this.#files = [openSync(join(directory, SEGMENTS[0]), constants.O_RDWR | constants.O_CREAT | WRITES_THROUGH, 0o600), openSync(join(directory, SEGMENTS[1]), constants.O_RDWR | constants.O_CREAT | WRITES_THROUGH, 0o600)]
    if (fresh) for (const path of [directory, dirname(directory)]) syncDirectory(path)
  }

  /** Resolves when the entry is on the disk. One at a time. */
  append ({ sequence, set }: Entry): Promise<void> {
    const length = sizeOfWriteSet(set)
    const total = HEADER_BYTES + length
    if (total > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(total * 2)
    const buffer = this.#buffer
    buffer.writeUInt32BE(length, 4)
    writeInt64(buffer, 8, sequence)
    buffer.writeUInt32BE(MAGIC, MAGIC_AT)
    writeWriteSet(set, buffer, HEADER_BYTES)
    buffer.writeUInt32BE(crc32c(buffer.subarray(4, total)), 0)
    const at = this.#at
    this.#at += total
    return this.#write(this.#files[this.#segment], buffer, total, at)
  }

  async #write (file: number, buffer: Buffer, total: number, at: number): Promise<void> {
    const startedMs = this.#monotonicMs()
    if (WRITES_THROUGH !== 0 && this.#typicalMs < QUICK_MS && this.#waitedFor < WAITED_FOR_MAX) {
      this.#waitedFor++
      for (let written = 0; written < total;) written += writeSync(file, buffer, written, total - written, at + written)
    } else {
      this.#waitedFor = 0
      await writeThrough(file, buffer, total, at)
    }
    this.#typicalMs += (this.#monotonicMs() - startedMs - this.#typicalMs) * NEWEST_SHARE
  }

  /** The next entry begins the other segment, whose entries LMDB must have. */
  turn (): void {
    this.#segment = this.#segment === 0 ? 1 : 0
    this.#at = 0
  }

  close (): void { for (const file of this.#files) closeSync(file) }
}

/** All whole entries, oldest first. */
export function readJournal (directory: string): readonly Entry[] {
  const segments = SEGMENTS.map(name => join(directory, name)).filter(existsSync).map(file => readSegment(readFileSync(file)))
  return segments.filter(entries => entries.length > 0).sort((a, b) => a[0]!.sequence - b[0]!.sequence).flat()
}

function readSegment (bytes: Buffer): readonly Entry[] {
  const entries: Entry[] = []
  let at = 0
  for (let end = endOfEntry(bytes, at); end !== undefined; end = endOfEntry(bytes, at)) {
    const sequence = sequenceOf(bytes, at)
    if (entries.length > 0 && sequence !== entries.at(-1)!.sequence + 1) break
    entries.push({ sequence, set: readWriteSet(bytes.subarray(at + HEADER_BYTES, end)) })
    at = end
  }
  refuseLater(bytes, at, entries.at(-1)?.sequence)
  return entries
}

/** Where the whole entry at `at` ends; undefined if there is none. */
function endOfEntry (bytes: Buffer, at: number): number | undefined {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt32BE(at + MAGIC_AT) !== MAGIC) return undefined
  const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 4)
  return end <= bytes.length && crc32c(bytes.subarray(at + 4, end)) === bytes.readUInt32BE(at) ? end : undefined
}

function sequenceOf (bytes: Buffer, at: number): number { return readInt64(bytes, at + 8) }

/** An entry is written when the one before it is on the disk: behind a half one there are only older ones. A later one means that the disk has lost something. */
function refuseLater (bytes: Buffer, from: number, last: number | undefined): void {
  if (last === undefined) return
  const magic = Buffer.alloc(4)
  magic.writeUInt32BE(MAGIC)
  for (let found = bytes.indexOf(magic, from); found >= 0; found = bytes.indexOf(magic, found + 1)) {
    const at = found - MAGIC_AT
    if (at >= from && endOfEntry(bytes, at) !== undefined && sequenceOf(bytes, at) > last) throw new LatidoError('STORE_CORRUPT', 'the journal of the log is damaged', 'restore the data directory from a backup, or move it away to start empty')
  }
}

function writeThrough (file: number, bytes: Buffer, length: number, at: number, from: number = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    write(file, bytes, from, length - from, at + from, (failed, written) => {
      if (failed !== null) reject(failed)
      else if (from + written < length) writeThrough(file, bytes, length, at, from + written).then(resolve, reject)
      else if (WRITES_THROUGH === 0) fdatasync(file, e => { if (e === null) resolve(); else reject(e) })
      else resolve()
    })
  })
}
