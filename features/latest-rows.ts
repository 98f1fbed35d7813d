import type { OnlineRow, OnlineStore } from './online/index.ts'

interface Row { version: number, start: number, end: number }

/** The newest row of each entity of each table in a batch, as bytes: older ones of the same batch are never written. Used again for batch after batch. */
export class LatestRows {
  #bytes = Buffer.allocUnsafeSlow(1 << 14)
  #end = 0
  readonly #tables = new Map<string, Map<string, Row>>()

  /** Room for a value of `bytes`; what is written there belongs to the next `add`. */
  reserve (bytes: number): { readonly buffer: Buffer, readonly start: number } {
    if (this.#end + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow((this.#end + bytes) * 2)
      this.#bytes.copy(larger, 0, 0, this.#end)
      this.#bytes = larger
    }
    return { buffer: this.#bytes, start: this.#end }
  }

  /** The value is the `bytes` that were just written. An entity's versions rise. */
  add (table: string, entity: string, version: number, bytes: number): void {
    let rows = this.#tables.get(table)
    if (rows === undefined) this.#tables.set(table, rows = new Map())
    const start = this.#end
    const end = start + bytes
    this.#end = end
    const row = rows.get(entity)
    if (row === undefined) { rows.set(entity, { version, start, end }); return }
    if (end - start <= row.end - row.start) { // where the older one stood
      this.#bytes.copyWithin(row.start, start, end)
      this.#end = start
      row.end = row.start + bytes
    } else {
      row.start = start
      row.end = end
    }
    row.version = version
  }

  async put (online: Pick<OnlineStore, 'put'>): Promise<void> {
    const all: OnlineRow[] = []
    for (const [table, rows] of this.#tables) for (const [entity, { version, start, end }] of rows) all.push({ table, entity, version, value: this.#bytes.subarray(start, end) })
    await online.put(all) // in one call: what a record says of a patient in several tables is seen at once
    this.#tables.clear()
    this.#end = 0
  }
}
