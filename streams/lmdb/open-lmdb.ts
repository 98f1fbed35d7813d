import { closeSync, existsSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { LatidoError, messageOf } from '../errors/index.ts'
import { missingPage } from './pages.ts'
import { rootsToTake } from './root.ts'

export type Lmdb = RootDatabase<unknown, string>

const MAP_BYTES = 64 * 2 ** 30 // address space, not disk

/** Opens (or creates) an environment; read-only ones may stand beside another process that writes. Throws STORE_CORRUPT if the file is damaged, DATA_DIR_UNWRITABLE if the directory cannot be made. */
export function openLmdb (directory: string, what: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): Lmdb {
  try {
    if (!readOnly) mkdirSync(directory, { recursive: true })
  } catch (cause) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', `the directory for ${what} cannot be written: ${messageOf(cause)}`, 'choose another with LATIDO_DATA_DIR, or change its permissions', cause)
  }
  const file = join(directory, 'data.mdb')
  const damage = existsSync(file) ? damageOf(file, readOnly) : undefined
  if (damage !== undefined) throw corrupt(what, damage)
  try {
    return open<unknown, string>({ path: directory, maxDbs: 16, mapSize: MAP_BYTES, compression: false, noMemInit: true, encoding: 'json', readOnly })
  } catch (cause) {
    throw corrupt(what, messageOf(cause), cause)
  }
}

function corrupt (what: string, why: string, cause?: unknown): LatidoError {
  return new LatidoError('STORE_CORRUPT', `${what} is damaged (${why})`, 'restore the data directory from a backup, or move it away to start empty', cause)
}

/**
 * Says what is wrong with an LMDB file that would crash the process, or undefined. LMDB maps the file, and whoever reads a page behind its end is ended by SIGBUS
 * without a word: a file that is shorter than its root counts is looked through. An empty file is a store not yet written.
 */
function damageOf (path: string, readOnly: boolean): string | undefined {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return undefined
    const roots = rootsToTake(file, readOnly)
    if (roots === undefined) return 'its first pages are not those of a store'
    for (const root of roots) {
      const pages = Math.floor(size / root.pageSize)
      const missing = pages < root.pages ? missingPage(file, root, pages) : undefined
      if (missing !== undefined) return `it has ${size} bytes, and page ${missing} of ${root.pageSize} bytes is not among them`
    }
    return undefined
  } catch (cause) {
    if (cause instanceof RangeError) return 'a page of it is none' // a number that points out of its page
    throw cause
  } finally {
    closeSync(file)
  }
}
