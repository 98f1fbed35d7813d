import { basename, resolve } from 'node:path'
import { runSource, type Connector, type ConnectorContext, type Source, type SourceMessage, type SourceSession } from '../../kit/index.ts'
import { FilesSource, type FileProgress } from './files-source.ts'
import type { FileFormat } from './format.ts'
import type { FileEntry } from './ledger.ts'

export interface ImportOptions {
  readonly path: string
  readonly format: FileFormat
  readonly inFlightMax: number
  readonly onProgress?: (progress: FileProgress) => void
}

export interface Imported {
  /** Records of the file. */
  readonly records: number
  /** Of those, taken by an earlier run. */
  readonly before: number
}

export interface RunningImport {
  readonly connector: Connector
  /** Resolves when everything that is in the file is on the log. Rejects with FILE_UNREADABLE or FILE_INVALID; what stood before the fault was taken. */
  readonly done: Promise<Imported>
}

/** Takes one file, or one folder that is a recording, to the log. Where an earlier run was cut off this one goes on. */
export function runImport (context: ConnectorContext, { path, format, inFlightMax, onProgress }: ImportOptions): RunningImport {
  const { clock, table, say } = context
  const feed = format.inOrder?.(context) ?? context.feed
  const once = new Once()
  const source = new FilesSource({
    endpoint: `files:${path}`, format, settleMs: 0, entries: table<FileEntry>('import-files'), count: what => { feed.count(what) }, say,
    list: () => Promise.resolve([{ path: resolve(path), name: basename(path) }]),
    onDamaged: e => { once.fail(e) }, onFile: (records, before) => { once.found = { records, before } }, ...onProgress === undefined ? {} : { onProgress },
  })
  const connector = runSource(once.over(source), { feed, clock, positions: table<string>('import-position'), limits: { inFlightMax }, say: line => { if (!line.includes('reading')) say(line) } })
  return { connector, done: once.done }
}

/** A source that is read once: says when all that it yielded was taken. */
class Once {
  found: Imported = { records: 0, before: 0 }
  readonly done: Promise<Imported>
  #resolve!: (imported: Imported) => void
  #reject!: (cause: unknown) => void
  #open = 0
  #ended = false
  #failure: { readonly cause: unknown } | undefined

  constructor () {
    this.done = new Promise((resolve, reject) => { this.#resolve = resolve; this.#reject = reject })
    this.done.catch(() => {}) // whoever waits hears of it
  }

  fail (cause: unknown): void { this.#failure ??= { cause } }

  over (source: Source): Source {
    return { endpoint: source.endpoint, read: session => this.#read(source, session) }
  }

  async * #read (source: Source, session: SourceSession): AsyncIterable<SourceMessage> {
    if (this.#ended) return
    try {
      for await (const message of source.read(session)) {
        this.#open++
        yield { ...message, acknowledge: async () => { await message.acknowledge?.(); this.#open--; this.#finish() } }
      }
    } catch (e) {
      this.fail(e)
    }
    if (session.signal.aborted) return
    this.#ended = true
    this.#finish()
  }

  #finish (): void {
    if (!this.#ended || this.#open > 0) return
    if (this.#failure === undefined) this.#resolve(this.found)
    else this.#reject(this.#failure.cause)
  }
}
