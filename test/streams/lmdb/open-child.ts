/**
 * `node --import tsx open-child.ts checked|raw DIRECTORY...`: opens each store, reads all of it, writes to it so that what is free is read too, and says how that went in one line each:
 * `whole HASH`, or `refused CODE`. `raw` opens as LMDB does, without our check. A process of its own, since a read behind the end of a mapped file ends it.
 */
import { createHash } from 'node:crypto'
import { open } from 'lmdb'
import { openLmdb, type Lmdb } from '../../../streams/lmdb/index.ts'

const [how, ...directories] = process.argv.slice(2)
const forever = setInterval(() => {}, 2 ** 30)
for (const directory of directories) process.stdout.write(`${await look(directory)}\n`)
clearInterval(forever)

async function look (directory: string): Promise<string> {
  try {
    const root: Lmdb = how === 'raw' ? open<unknown, string>({ path: directory, maxDbs: 16, mapSize: 64 * 2 ** 30, compression: false, noMemInit: true, encoding: 'json' }) : openLmdb(directory, 'the test store')
    const hash = createHash('sha256')
    const sub = root.openDB<string, string>('sub', {})
    hash.update(`${String(root.get('transactions'))}\n`)
    for (const { key, value } of sub.getRange()) hash.update(`${key} ${value}\n`)
    for (let i = 0; i < 5; i++) {
      await root.transaction(() => { for (let n = 0; n < 20; n++) void sub.put(`written after ${n}`, 'x'.repeat(6_000)); for (let n = 0; n < 20; n++) void sub.remove(`written after ${n}`) })
      await root.flushed
    }
    await root.close()
    return `whole ${hash.digest('hex')}`
  } catch (e) {
    return `refused ${String((e as { readonly code?: unknown }).code)}`
  }
}
