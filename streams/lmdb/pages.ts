import { readSync } from 'node:fs'
import type { Root } from './root.ts'

// struct MDB_page, MDB_node, MDB_ovpage and MDB_db (mdb.c of lmdb-js 3.5). The places of nodes count from behind the header of the page.
const PAGE = { number: 0, flags: 18, lower: 20, header: 24 } as const
const NODE = { flags: 4, keyBytes: 6, header: 8 } as const
const OVERFLOW_PAGES = 16
const DB_ROOT = 40
const BRANCH = 0x01
const LEAF = 0x02
const LEAF_OF_FIXED = 0x20
const BIG_DATA = 0x01
const SUB_DATA = 0x02
const NO_PAGE = 2n ** 64n - 1n

/**
 * The first page found that the root uses and that does not stand in the first `pages` of the file; undefined if there is none.
 * LMDB gives out pages at the end of the file that a commit does not need after all, and never writes them (`mt_loose_pgs` in mdb.c; some are then
 * listed as free, some nowhere): a whole file may be shorter than its root counts, and only a walk tells it from one that was cut.
 * It reads the pages that hold nodes, each once, and none of the values on pages of their own.
 */
export function missingPage (file: number, { pageSize, pages: given, trees }: Root, pages: number): number | undefined {
  const ahead = trees.filter(root => root !== NO_PAGE).map(Number)
  const page = Buffer.alloc(pageSize)
  for (let read = 0; ahead.length > 0; read++) {
    const number = ahead.pop()!
    // More pages than were given out: a tree that bites its own tail.
    if (number >= pages || read >= given || readSync(file, page, 0, pageSize, number * pageSize) < pageSize || !holdsNodes(page, number)) return number
    for (const below of pagesBelow(page)) {
      if (below.kind === 'tree') ahead.push(below.page)
      else if (below.page + below.count > pages) return below.page + below.count - 1
    }
  }
  return undefined
}

type Below = { readonly kind: 'tree', readonly page: number } | { readonly kind: 'value', readonly page: number, readonly count: number }

function holdsNodes (page: Buffer, number: number): boolean {
  return Number(page.readBigUInt64LE(PAGE.number)) === number && (page.readUInt16LE(PAGE.flags) & (BRANCH | LEAF)) !== 0 && PAGE.header + page.readUInt16LE(PAGE.lower) <= page.length
}

/** Pages that the nodes of this one name. */
function * pagesBelow (page: Buffer): Generator<Below> {
  const flags = page.readUInt16LE(PAGE.flags)
  if ((flags & LEAF_OF_FIXED) !== 0) return
  for (let at = PAGE.header; at < PAGE.header + page.readUInt16LE(PAGE.lower); at += 2) {
    const node = PAGE.header + page.readUInt16LE(at)
    const below = (flags & BRANCH) === 0 ? belowLeaf(page, node) : { kind: 'tree', page: page.readUInt32LE(node) + page.readUInt16LE(node + NODE.flags) * 2 ** 32 } as const
    if (below !== undefined) yield below
  }
}

/** A value on pages of its own, or a tree within the tree. */
function belowLeaf (page: Buffer, node: number): Below | undefined {
  const flags = page.readUInt16LE(node + NODE.flags)
  const data = node + NODE.header + page.readUInt16LE(node + NODE.keyBytes)
  if ((flags & BIG_DATA) !== 0) return { kind: 'value', page: Number(page.readBigUInt64LE(data)), count: Number(page.readBigUInt64LE(data + OVERFLOW_PAGES)) }
  const root = (flags & SUB_DATA) === 0 ? NO_PAGE : page.readBigUInt64LE(data + DB_ROOT)
  return root === NO_PAGE ? undefined : { kind: 'tree', page: Number(root) }
}
