import { z } from 'zod'
import type { KeptTable } from '../../kit/index.ts'

/** How far a file was taken. Files are known by a hash of their name, since a name may be a patient's. */
export interface FileMark {
  /** Bytes and hash of what was read of it. */
  readonly bytes: number
  readonly hash: string
  /** See `TakenFile.identity`. */
  readonly identity: string
  readonly records: number
  /** The end of the file ended its last record: if it grows, that record is read again. */
  readonly openEnd: boolean
}

/** A file that was read to its end. `stamp` changes when somebody writes to it. */
export interface FileEntry extends FileMark {
  readonly stamp: string
  /** It cannot be read further; what stands before was taken. */
  readonly damaged: boolean
}

/** The place in the file that is being taken. */
export interface FilePosition extends FileMark { readonly file: string }

const position = z.object({ file: z.string(), bytes: z.number(), hash: z.string(), identity: z.string(), records: z.number(), openEnd: z.boolean() })

export function writePosition (place: FilePosition): string { return JSON.stringify(place) }

export function readPosition (text: string | undefined): FilePosition | undefined {
  if (text === undefined) return undefined
  try {
    return position.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // of another source: the table of files says what was taken
  }
}

/** Files whose names are gone from the folder are forgotten beyond so many. */
const KEPT_MAX = 100_000

/** What was taken, in memory and on disk. */
export class Ledger {
  readonly #table: KeptTable<FileEntry>
  readonly #entries: Map<string, FileEntry>

  constructor (table: KeptTable<FileEntry>) {
    this.#table = table
    this.#entries = new Map(table.load())
  }

  get damaged (): number { return [...this.#entries.values()].filter(one => one.damaged).length }

  of (file: string): FileEntry | undefined { return this.#entries.get(file) }

  async keep (file: string, entry: FileEntry): Promise<void> {
    this.#entries.set(file, entry)
    await this.#table.save(file, entry)
  }

  async forgetBeyondLimit (there: ReadonlySet<string>): Promise<void> {
    if (this.#entries.size <= KEPT_MAX) return
    for (const file of this.#entries.keys()) {
      if (there.has(file)) continue
      this.#entries.delete(file)
      await this.#table.save(file, undefined)
    }
  }
}

/** Where a file goes on: behind what was taken of it, if it still begins as it did; else it is another file. */
export function continuation (marks: readonly (FileMark | undefined)[], hashes: ReadonlyMap<number, string>, hash: string): { readonly identity: string, readonly records: number } {
  let best = { identity: hash, records: 0 }
  for (const mark of marks) {
    if (mark === undefined || hashes.get(mark.bytes) !== mark.hash) continue
    const records = mark.openEnd ? mark.records - 1 : mark.records
    if (best.identity !== mark.identity || records > best.records) best = { identity: mark.identity, records }
  }
  return best
}
