import { stat } from 'node:fs/promises'
import type { ArrivalTimeMs, DurationMs } from '../../../streams/time/index.ts'
import { isLatidoError, LatidoError } from '../../../streams/errors/index.ts'
import type { KeptTable, Source, SourceMessage, SourceSession } from '../../kit/index.ts'
import { failure, readBytes, type NamedFile } from '../read-bytes.ts'
import { damageOf } from './damage.ts'
import type { FileFormat, TakenFile } from './format.ts'
import { hashesOf, hashOfAll, textHash } from './hash.ts'
import { continuation, Ledger, readPosition, writePosition, type FileEntry, type FilePosition } from './ledger.ts'

/** How far a file is: shown to a person. */
export interface FileProgress {
  readonly step: 'checking' | 'taking'
  readonly bytes: number
  readonly totalBytes: number
  /** Read of it, those of earlier runs among them. */
  readonly records: number
}

export interface FilesSourceOptions {
  readonly endpoint: string
  readonly format: FileFormat
  /** The files, in the order in which they are taken. Throws FILE_UNREADABLE. */
  list (): Promise<readonly NamedFile[]>
  /** Where it is kept what was taken. */
  readonly entries: KeptTable<FileEntry>
  /** A file that was written to more recently waits, and those after it. 0: none waits. */
  readonly settleMs: DurationMs
  count (what: string): void
  /** For operators: names no file. */
  say (line: string): void
  readonly onProgress?: (progress: FileProgress) => void
  /** A file cannot be read further. Default: a dead letter, and the next file. */
  readonly onDamaged?: (e: unknown) => void
  /** A file was read to its end: how many records it has, and how many of those had been taken before. */
  readonly onFile?: (records: number, before: number) => void
}

/** What is on disk of a file, with its parts. */
interface OnDisk { readonly parts: readonly { readonly file: NamedFile, readonly bytes: number }[], readonly bytes: number, readonly changedAt: number, readonly stamp: string }

/**
 * Files as a source: each is taken once, in order, and moved nowhere. A record is known by the hash of its file and its number. The position is a number
 * of records, so that it also holds in packed files; after a restart the file is cut again from its beginning and taken from there. A file that has
 * grown goes on where it ended, if it still begins as it did.
 */
export class FilesSource implements Source {
  readonly endpoint: string
  readonly ledger: Ledger
  readonly #options: FilesSourceOptions

  constructor (options: FilesSourceOptions) {
    this.endpoint = options.endpoint
    this.ledger = new Ledger(options.entries)
    this.#options = options
  }

  async * read ({ position, clock, signal }: SourceSession): AsyncIterable<SourceMessage> {
    const files = (await this.#options.list()).map(file => ({ file, key: textHash(file.path).slice(0, 32) }))
    await this.ledger.forgetBeyondLimit(new Set(files.map(({ key }) => key)))
    for (const { file, key } of files) {
      if (signal.aborted) return
      const disk = await this.#onDisk(file)
      if (disk === undefined || !this.#isSettled(disk, clock.now())) return // its turn comes before that of those after it
      const entry = this.ledger.of(key)
      if (entry?.stamp === disk.stamp) { this.#options.onFile?.(entry.records, entry.records); continue }
      yield * this.#take(file, key, disk, readPosition(position), signal)
    }
  }

  /** undefined: a part of it is not there yet, or has nothing in it. */
  async #onDisk (file: NamedFile): Promise<OnDisk | undefined> {
    const paths = await this.#partsOf(file)
    if (paths === undefined) return undefined
    const parts = await Promise.all(paths.map(async path => ({ path, is: await stat(path).catch((e: unknown) => { throw failure(file, e) }) })))
    if (parts.some(({ is }) => is.size === 0) && this.#options.settleMs > 0) return undefined
    return {
      parts: parts.map(({ path, is }) => ({ file: { path, name: file.name }, bytes: is.size })),
      bytes: parts.reduce((sum, { is }) => sum + is.size, 0), changedAt: Math.max(...parts.map(({ is }) => is.mtimeMs)), stamp: parts.map(({ is }) => `${is.size}@${is.mtimeMs}`).join(' '),
    }
  }

  /** Where they cannot be told, the file alone: reading it will say why. */
  async #partsOf ({ path }: NamedFile): Promise<readonly string[] | undefined> {
    const { format, onDamaged } = this.#options
    if (format.parts === undefined) return [path]
    try {
      return await format.parts(path)
    } catch (e) {
      if (isInvalid(e) && onDamaged === undefined) return [path]
      throw e
    }
  }

  #isSettled ({ changedAt }: OnDisk, now: ArrivalTimeMs): boolean { return Math.abs(now - changedAt) >= this.#options.settleMs }

  async * #take (file: NamedFile, key: string, disk: OnDisk, position: FilePosition | undefined, signal: AbortSignal): AsyncIterable<SourceMessage> {
    const { format, onProgress, onFile } = this.#options
    const known = this.ledger.of(key)
    const begun = position?.file === key ? position : undefined
    const { hash, identity, records: before } = await this.#place(disk, known, begun)
    const mark = { bytes: disk.bytes, hash, identity }
    const taking = new Taking(entry => this.ledger.keep(key, { ...mark, stamp: disk.stamp, ...entry }))
    let records = 0
    let openEnd = false
    let damaged = false
    try {
      const cut = this.#open(file, identity, disk, bytes => { onProgress?.({ step: 'taking', bytes, totalBytes: disk.bytes, records }) })
      for await (const { raw, whole } of format.records(cut)) {
        if (signal.aborted) return
        if (!whole && (await this.#onDisk(file))?.bytes !== disk.bytes) break // half a record: its end is being written
        openEnd = !whole
        if (++records > before) yield taking.follow({ raw, position: writePosition({ file: key, ...mark, records, openEnd }) })
      }
      if (!signal.aborted) await this.#refuseChanged(file, disk, hash)
    } catch (e) {
      if (!isInvalid(e)) throw e
      damaged = true
      yield * this.#damaged(e, identity, records, taking)
    }
    if (signal.aborted || damaged && this.#options.onDamaged !== undefined) return
    onProgress?.({ step: 'taking', bytes: disk.bytes, totalBytes: disk.bytes, records })
    onFile?.(records, Math.min(before, records))
    await taking.end({ records: Math.max(records, before), openEnd, damaged })
  }

  /** Where the file goes on, and its identity. */
  async #place ({ parts, bytes }: OnDisk, known: FileEntry | undefined, begun: FilePosition | undefined): Promise<{ readonly hash: string, readonly identity: string, readonly records: number }> {
    const onRead = (read: number): void => { this.#options.onProgress?.({ step: 'checking', bytes: read, totalBytes: bytes, records: 0 }) }
    const [only] = parts
    const hashes = only !== undefined && parts.length === 1
      ? await hashesOf(only.file, bytes, [known, begun].flatMap(one => one === undefined ? [] : [one.bytes]), onRead)
      : new Map([[bytes, await hashOfAll(parts, onRead)]])
    const hash = hashes.get(bytes)!
    return { hash, ...continuation([known, begun].filter(mark => this.#options.format.atOnce !== true || mark?.bytes === bytes), hashes, hash) }
  }

  /** What was read while somebody wrote over it is neither the one file nor the other. That it has grown is no matter: its beginning is what was read. */
  async #refuseChanged (file: NamedFile, disk: OnDisk, hash: string): Promise<void> {
    const now = await this.#onDisk(file).catch((e: unknown) => { if (isLatidoError(e)) return disk; throw e }) // taken away behind us: it was read to its end
    if (now?.stamp === disk.stamp) return
    const beginning = now === undefined || now.bytes < disk.bytes || now.parts.length !== disk.parts.length ? '' : (await this.#place(disk, undefined, undefined)).hash
    if (beginning !== hash) throw new LatidoError('FILE_INVALID', `${file.name} was written over while it was read`, 'give it again when nobody writes to it; write a file under another name and rename it when it is complete')
  }

  #open (file: NamedFile, identity: string, disk: OnDisk, onRead: (bytes: number) => void): TakenFile {
    const { count, say } = this.#options
    return { path: file.path, name: file.name, identity, content: () => readBytes(file, onRead, disk.bytes), remark: what => { say(`a file (${identity.slice(0, 12)}): ${what}`) }, count }
  }

  async * #damaged (e: Error, identity: string, records: number, taking: Taking): AsyncIterable<SourceMessage> {
    const { onDamaged, count, say } = this.#options
    if (onDamaged !== undefined) { onDamaged(e); return }
    count('file-damaged')
    say(`a file (sha256 begins with ${identity.slice(0, 12)}) cannot be read behind its record ${records}: ${e.message}`)
    yield taking.follow({ raw: damageOf(identity, records, e.message) })
  }
}

type Ended = Pick<FileEntry, 'records' | 'openEnd' | 'damaged'>

/** Counts what is on its way: a file is done when it was read to its end and all of it was taken. */
class Taking {
  readonly #done: (ended: Ended) => Promise<void>
  #open = 0
  #ended: Ended | undefined

  constructor (done: (ended: Ended) => Promise<void>) { this.#done = done }

  follow (message: SourceMessage): SourceMessage {
    this.#open++
    return { ...message, acknowledge: async () => { this.#open--; await this.#finish() } }
  }

  async end (ended: Ended): Promise<void> {
    this.#ended = ended
    await this.#finish()
  }

  async #finish (): Promise<void> { if (this.#open === 0 && this.#ended !== undefined) await this.#done(this.#ended) }
}

function isInvalid (e: unknown): e is LatidoError { return isLatidoError(e) && e.code === 'FILE_INVALID' }
