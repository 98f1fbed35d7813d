/** One row to write: `version` is (partition's offset, index) packed by the caller as a rising number; an older one never overwrites a newer one. */
export interface OnlineRow { readonly entity: string, readonly version: number, readonly value: Buffer }
export interface StoredRow { readonly entity: string, readonly version: number, readonly value: Buffer }

/** Latest value per (table, entity). Tables are views (`vitals@1`), `scores`, `alerts`, `encounters`. Writes are idempotent. */
export interface OnlineStore extends AsyncDisposable {
  put (table: string, rows: readonly OnlineRow[]): Promise<void>
  get (table: string, entities: readonly string[]): Promise<readonly (StoredRow | undefined)[]>
  scan (table: string): Promise<readonly StoredRow[]>
}
