import type { Database } from 'lmdb'
import type { Lmdb } from '../../streams/lmdb/index.ts'
import type { Sealer } from './beds.ts'

/** A small table of a connector's that outlives the process: values are JSON, sealed on disk (they may name patients). */
export class SealedTable<T> {
  readonly #rows: Database<Buffer, string>
  readonly #sealer: Sealer
  readonly #root: Lmdb

  constructor (root: Lmdb, name: string, sealer: Sealer) {
    this.#rows = root.openDB<Buffer, string>(name, { encoding: 'binary' })
    this.#sealer = sealer
    this.#root = root
  }

  /** Rows whose key begins with `prefix`. */
  * load (prefix: string = ''): Iterable<readonly [key: string, value: T]> {
    for (const { key, value } of this.#rows.getRange(prefix === '' ? {} : { start: prefix, end: `${prefix}\uffff` })) yield [key, JSON.parse(this.#sealer.open(value).toString()) as T]
  }

  /** Resolves when it is on disk. */
  async save (key: string, value: T | undefined): Promise<void> {
    if (value === undefined) await this.#rows.remove(key)
    else await this.#rows.put(key, this.#sealer.seal(Buffer.from(JSON.stringify(value))))
    await this.#root.flushed
  }
}
