import type { Database } from 'lmdb'
import { openLmdb, type Lmdb } from '../../../streams/lmdb/index.ts'
import type { OnlineRow, OnlineStore, StoredRow } from '../port.ts'
import { isRemoved, pack, unpack, versionIn } from '../stored-row.ts'

/** The online store in LMDB: one database, keys `table/entity`; a write happens only if its version is newer than the stored one. */
export function openEmbeddedOnlineStore (directory: string): OnlineStore { return new EmbeddedOnlineStore(openLmdb(directory, 'the online store')) }

class EmbeddedOnlineStore implements OnlineStore {
  readonly #root: Lmdb
  readonly #rows: Database<Buffer, string>

  constructor (root: Lmdb) {
    this.#root = root
    this.#rows = root.openDB<Buffer, string>('rows', { encoding: 'binary' })
  }

  async put (rows: readonly OnlineRow[]): Promise<void> {
    if (rows.length === 0) return
    await this.#root.transaction(() => {
      for (const row of rows) {
        const key = `${row.table}/${row.entity}`
        const stored = this.#rows.getBinaryFast(key) // valid until the next read: only the version is looked at
        if (stored === undefined || versionIn(stored) < row.version) void this.#rows.put(key, pack(row))
      }
    })
    await this.#root.flushed // before the log commits what caused it: after a power cut the board must not be behind the log
  }

  /** LMDB's snapshot is renewed between turns of the event loop only: what is read here without a pause is of one moment. */
  get (tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (StoredRow | undefined)[])[]> {
    return Promise.resolve(entities.map(entity => tables.map(table => unpack(entity, this.#rows.get(`${table}/${entity}`)))))
  }

  scan (table: string): Promise<readonly StoredRow[]> {
    const prefix = `${table}/`
    return Promise.resolve([...this.#rows.getRange({ start: prefix, end: `${table}0` })] // "0" follows "/"
      .flatMap(({ key, value }) => isRemoved(value) ? [] : [unpack(key.slice(prefix.length), value)!]))
  }

  async erase (entity: string): Promise<void> {
    await this.#root.transaction(() => { for (const table of this.#tables()) void this.#rows.remove(`${table}/${entity}`) })
    await this.#root.flushed
  }

  /** From one table to the next, without reading what lies between. */
  #tables (): readonly string[] {
    const tables: string[] = []
    for (let start = ''; ;) {
      const [key] = this.#rows.getKeys({ start, limit: 1 })
      if (key === undefined) return tables
      const table = key.slice(0, key.indexOf('/'))
      tables.push(table)
      start = `${table}0`
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#root.flushed
    await this.#root.close()
  }
}
