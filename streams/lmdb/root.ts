import { readFileSync, readSync } from 'node:fs'

/** One state of a store: what a commit has left. */
export interface Root {
  readonly pageSize: number
  /** Pages that were given out so far. The last of them need not be in the file, if they are not used. */
  readonly pages: number
  readonly txnid: bigint
  /** First pages of the two trees: what is free, and everything else. */
  readonly trees: readonly bigint[]
  /** Which start of the machine wrote it; 0n where LMDB could not tell. */
  readonly boot: bigint
  /** Its pages were on the disk before it was written. */
  readonly synced: boolean
}

const MAGIC = 0xbeefc0de
const PAGE_SIZES: readonly number[] = [4096, 8192, 16384, 32768, 65536]
// struct MDB_meta (mdb.c of lmdb-js 3.5, data version 2) behind the 24-byte page header: magic, version, address, map size, two MDB_db of 48 bytes (free pages, main), last page, txnid, boot id.
const META = { magic: 24, pageSize: 48, flags: 52, freeTree: 88, mainTree: 136, lastPage: 144, txnid: 152, boot: 160, bytes: 168 } as const
const OVERLAPPING_SYNC = 0x1000

/**
 * The roots of which LMDB will take one at the next start; undefined if the file's first pages are not those of a store. More than one where only LMDB knows.
 * A commit writes its root (the two at page 0 and 1 take turns) before its pages are synced, and once more, in the middle of page 0, when they are. So after a kill the
 * newest of the two holds; when the machine was started anew since, only one that was synced does (`mdb_pick_meta`, `mdb_env_pick_meta` in mdb.c of lmdb-js).
 * To read beside another process, LMDB takes the newest.
 */
export function rootsToTake (file: number, readOnly: boolean, boot: bigint | undefined = bootOfMachine()): readonly Root[] | undefined {
  const first = readRoot(file, 0, true)
  const second = first === undefined ? undefined : readRoot(file, first.pageSize, true)
  if (first === undefined || second === undefined) return undefined
  const afterKill = second.txnid > first.txnid ? second : first
  if (readOnly) return [afterKill]
  const synced = readRoot(file, first.pageSize / 2, false)
  const taken = (now: bigint): Root => {
    const ofTwo = pick(first, second, now)
    return synced === undefined ? ofTwo : pick(ofTwo, synced, now)
  }
  return boot === undefined ? [afterKill, taken(0n)] : [taken(boot)]
}

function pick (a: Root, b: Root, boot: bigint): Root {
  if (b.txnid === 0n) return a
  const [older, newer] = a.txnid >= b.txnid ? [b, a] : [a, b]
  return newer.synced || newer.boot !== 0n && newer.boot === boot ? newer : older
}

/** The synced root stands there without magic and version. */
function readRoot (file: number, at: number, hasMagic: boolean): Root | undefined {
  const page = Buffer.alloc(META.bytes)
  if (readSync(file, page, 0, META.bytes, at) < META.bytes || hasMagic && page.readUInt32LE(META.magic) !== MAGIC) return undefined
  const pageSize = page.readUInt32LE(META.pageSize)
  if (!PAGE_SIZES.includes(pageSize)) return undefined
  return {
    pageSize, pages: Number(page.readBigUInt64LE(META.lastPage)) + 1, txnid: page.readBigUInt64LE(META.txnid), boot: page.readBigInt64LE(META.boot),
    trees: [page.readBigUInt64LE(META.freeTree), page.readBigUInt64LE(META.mainTree)], synced: (page.readUInt16LE(META.flags) & OVERLAPPING_SYNC) === 0,
  }
}

/** As LMDB reads it: the hexadecimal digits before the first dash. Undefined where only LMDB can ask the system. */
function bootOfMachine (): bigint | undefined {
  try {
    const digits = /^[0-9a-f]+/i.exec(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))?.[0]
    return digits === undefined ? 0n : BigInt(`0x${digits}`)
  } catch {
    return undefined
  }
}
