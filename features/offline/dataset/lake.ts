import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'

/** Where data sets lie: folders of files below one root, by their path. A folder appears whole or not at all. */
export interface Lake {
  /** For messages: no credentials. */
  readonly name: string
  /** Names in a folder; none where it is missing. */
  list (folder: string): Promise<readonly string[]>
  /** undefined: not there. */
  readText (path: string): Promise<string | undefined>
  /** undefined: not there. */
  hash (path: string): Promise<{ readonly sha256: string, readonly bytes: number } | undefined>
  /** Fetches a file to a local path. */
  fetch (path: string, to: string): Promise<void>
  /** Publishes the files of a local folder; the last of `names` makes it visible. Throws DATASET_EXISTS. */
  publish (localFolder: string, names: readonly string[], folder: string): Promise<void>
  remove (folder: string): Promise<void>
}

/** A folder on this machine. */
export function localLake (root: string): Lake { return new LocalLake(root) }

const isMissing = (e: unknown): boolean => e instanceof Error && 'code' in e && (e.code === 'ENOENT' || e.code === 'ENOTDIR')

class LocalLake implements Lake {
  readonly name = 'the lake folder'
  readonly #root: string
  constructor (root: string) { this.#root = root }

  async list (folder: string): Promise<readonly string[]> {
    try {
      return (await readdir(join(this.#root, folder))).filter(name => !name.startsWith('.')).sort()
    } catch (e) {
      if (isMissing(e)) return []
      throw unreadable(e)
    }
  }

  async readText (path: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#root, path), 'utf8')
    } catch (e) {
      if (isMissing(e)) return undefined
      throw unreadable(e)
    }
  }

  async hash (path: string): Promise<{ readonly sha256: string, readonly bytes: number } | undefined> {
    const hash = createHash('sha256')
    let bytes = 0
    try {
      for await (const chunk of createReadStream(join(this.#root, path)) as AsyncIterable<Buffer>) { hash.update(chunk); bytes += chunk.length }
    } catch (e) {
      if (isMissing(e)) return undefined
      throw unreadable(e)
    }
    return { sha256: hash.digest('hex'), bytes }
  }

  async fetch (path: string, to: string): Promise<void> {
    try {
      await copyFile(join(this.#root, path), to)
    } catch (e) {
      throw isMissing(e) ? new LatidoError('DATASET_DAMAGED', 'a file of the data set is missing', 'restore it from its source, or build the data set again') : unreadable(e)
    }
  }

  /** Into a folder beside it first, which then takes its name. */
  async publish (localFolder: string, names: readonly string[], folder: string): Promise<void> {
    const target = join(this.#root, folder)
    try {
      await mkdir(join(target, '..'), { recursive: true, mode: 0o700 })
      if (await stat(target).then(() => true, () => false)) throw exists(folder)
      const beside = await mkdtemp(join(target, '..', '.part-'))
      try {
        for (const name of names) await rename(join(localFolder, name), join(beside, name)).catch(() => copyFile(join(localFolder, name), join(beside, name)))
        await rename(beside, target)
      } catch (e) {
        await rm(beside, { recursive: true, force: true })
        throw e
      }
    } catch (e) {
      if (e instanceof LatidoError) throw e
      throw e instanceof Error && 'code' in e && (e.code === 'ENOTEMPTY' || e.code === 'EEXIST') ? exists(folder) : new LatidoError('DATA_DIR_UNWRITABLE', `the lake folder cannot be written (${codeOf(e)})`, 'choose another with --lake, or change its permissions', e)
    }
  }

  async remove (folder: string): Promise<void> { await rm(join(this.#root, folder), { recursive: true, force: true }) }
}

function codeOf (e: unknown): string { return e instanceof Error && 'code' in e ? String(e.code) : messageOf(e) }
function unreadable (e: unknown): LatidoError { return new LatidoError('FILE_UNREADABLE', `the lake folder cannot be read (${codeOf(e)})`, 'check --lake and its permissions', e) }
export function exists (folder: string): LatidoError { return new LatidoError('DATASET_EXISTS', `${folder} is there already`, 'a version never changes: leave --version out for the next one, or remove it first') }
