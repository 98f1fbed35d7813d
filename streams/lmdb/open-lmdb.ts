import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { LatidoError, messageOf } from '../errors/index.ts'

export type Lmdb = RootDatabase<unknown, string>

const MAP_BYTES = 64 * 2 ** 30 // address space, not disk
const MAGIC = 0xbeefc0de
// struct MDB_meta (lmdb.h, data version 2) behind the 24-byte page header: magic, version, address, map size, two MDB_db of 48 bytes, last page, txnid.
const META = { magic: 24, pageSize: 48, lastPage: 144, txnid: 152, bytes: 160 } as const
/**
 * LMDB never writes a page that a commit took at the end of the file and did not need after all (`mt_loose_pgs` in mdb.c), and counts it in the root all
 * the same: a whole file may end a page early (one in some hundreds of kills found it so). A file that lacks more was cut.
 */
const UNWRITTEN_PAGES_MAX = 2
const PAGE_SIZES = [4096, 8192, 16384, 32768, 65536]

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

/** Says what is wrong with an LMDB file that would crash the process, or undefined. An empty file is a store not yet written. Pages that it need not have are made, so that nothing is ever read behind its end. */
function damageOf (file: string, readOnly: boolean): string | undefined {
  const fd = openSync(file, readOnly ? 'r' : 'r+')
  try {
    const { size } = fstatSync(fd)
    if (size === 0) return undefined
    const metas = [readMeta(fd, 0), ...PAGE_SIZES.map(at => readMeta(fd, at))].filter(meta => meta !== undefined)
    const newest = metas.reduce<Meta | undefined>((a, b) => a === undefined || b.txnid > a.txnid ? b : a, undefined)
    if (newest === undefined) return 'its first pages are not those of a store'
    const needed = (Number(newest.lastPage) + 1) * newest.pageSize
    if (size >= needed) return undefined
    if (size < needed - UNWRITTEN_PAGES_MAX * newest.pageSize) return `it has ${size} bytes of ${needed}`
    if (!readOnly) ftruncateSync(fd, needed)
    return undefined
  } finally {
    closeSync(fd)
  }
}

interface Meta { readonly pageSize: number, readonly lastPage: bigint, readonly txnid: bigint }

function readMeta (fd: number, at: number): Meta | undefined {
  const page = Buffer.alloc(META.bytes)
  if (readSync(fd, page, 0, META.bytes, at) < META.bytes || page.readUInt32LE(META.magic) !== MAGIC) return undefined
  const pageSize = page.readUInt32LE(META.pageSize)
  if (!PAGE_SIZES.includes(pageSize)) return undefined
  return { pageSize, lastPage: page.readBigUInt64LE(META.lastPage), txnid: page.readBigUInt64LE(META.txnid) }
}
