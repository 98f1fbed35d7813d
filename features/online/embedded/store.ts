import type { Database } from 'lmdb'
import { openLmdb, type Lmdb } from '../../../streams/lmdb/index.ts'
import type { OnlineRow, OnlineStore, StoredRow } from '../port.ts'

const VERSION_BYTES = 8

/** The online store in LMDB: one database, keys `table/entity`; a write happens only if its version is newer than the stored one. */
export function openEmbeddedOnlineStore (directory: string): OnlineStore { return new EmbeddedOnlineStore(openLmdb(directory, 'the online store')) }

class EmbeddedOnlineStore implements OnlineStore {
  readonly #root: Lmdb
  readonly #rows: Database<Buffer, string>

  constructor (root: Lmdb) {
    this.#root = root
    this.#rows = root.openDB<Buffer, string>('rows', { encoding: 'binary' })
  }

  async put (table: string, rows: readonly OnlineRow[]): Promise<void> {
    await this.#root.transaction(() => {
      for (const { entity, version, value } of rows) {
        const key = `${table}/${entity}`
        const stored = this.#rows.getBinaryFast(key) // valid until the next read: only the version is looked at
        if (stored !== undefined && stored.readDoubleLE(0) >= version) continue
        const row = Buffer.allocUnsafe(VERSION_BYTES + value.length)
        row.writeDoubleLE(version, 0)
        value.copy(row, VERSION_BYTES)
        void this.#rows.put(key, row)
      }
    })
    await this.#root.flushed // before the log commits what caused it: after a power cut the board must not be behind the log
  }

  get (table: string, entities: readonly string[]): Promise<readonly (StoredRow | undefined)[]> {
    return Promise.resolve(entities.map(entity => {
      const stored = this.#rows.get(`${table}/${entity}`)
      return stored === undefined ? undefined : decode(entity, stored)
    }))
  }

  scan (table: string): Promise<readonly StoredRow[]> {
    const prefix = `${table}/`
    return Promise.resolve([...this.#rows.getRange({ start: prefix, end: `${prefix}\uffff` })].map(({ key, value }) => decode(key.slice(prefix.length), value)))
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#root.flushed
    await this.#root.close()
  }
}

function decode (entity: string, stored: Buffer): StoredRow { return { entity, version: stored.readDoubleLE(0), value: stored.subarray(VERSION_BYTES) } }
