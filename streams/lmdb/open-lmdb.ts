import { closeSync, existsSync, fstatSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { LatidoError, messageOf } from '../errors/index.ts'
import { makeDirectory, replaceFile } from '../files/index.ts'
import { missingPage } from './pages.ts'
import { rootsToTake } from './root.ts'

export type Lmdb = RootDatabase<unknown, string>

const MAP_BYTES = 64 * 2 ** 30 // address space, not disk

/** Opens (or creates) an environment; read-only ones may stand beside another process that writes. Throws STORE_CORRUPT if the file is damaged, DATA_DIR_UNWRITABLE if the directory cannot be made. */
export function openLmdb (directory: string, what: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): Lmdb {
  try {
    if (!readOnly) makeDirectory(directory)
  } catch (cause) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', `the directory for ${what} cannot be written: ${messageOf(cause)}`, 'choose another with LATIDO_DATA_DIR, or change its permissions', cause)
  }
  const file = join(directory, 'data.mdb')
  const damage = existsSync(file) ? damageOf(file, readOnly) : undefined
  if (damage !== undefined) throw corrupt(what, damage)
  if (!readOnly && (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) makeStore(directory, file, what)
  try {
    return openAt(directory, readOnly)
  } catch (cause) {
    throw corrupt(what, messageOf(cause), cause)
  }
}

function openAt (path: string, readOnly: boolean): Lmdb { return open<unknown, string>({ path, maxDbs: 16, mapSize: MAP_BYTES, compression: false, noMemInit: true, encoding: 'json', readOnly }) }

/**
 * An empty store that is on the disk, whole, before it has the name of one. LMDB makes its file without syncing it, and a power cut leaves one of zeros, or a half one,
 * which nothing tells from a store that has lost everything. So whatever has the name was whole once, and what a start leaves that was cut short has another.
 */
function makeStore (directory: string, file: string, what: string): void {
  const blank = join(directory, 'blank.mdb')
  const remove = (): void => { for (const path of [blank, `${blank}-lock`]) rmSync(path, { force: true }) }
  try {
    remove() // LMDB would open what is left there
    const made = openAt(blank, false)
    const bytes = readFileSync(blank)
    void made.close()
    replaceFile(file, bytes, 0o664) // as LMDB makes it
    remove()
  } catch (cause) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', `${what} cannot be made: ${messageOf(cause)}`, 'choose another data directory with LATIDO_DATA_DIR, change its permissions, or free the disk', cause)
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
