/**
 * One row to write: `version` is (partition's offset, index) packed by the caller as a rising number; an older one never overwrites a newer one.
 * Without a value (null) the row is taken out, and its version stays behind, so that a batch that comes again does not bring the row back.
 */
export interface OnlineRow { readonly table: string, readonly entity: string, readonly version: number, readonly value: Buffer | null }
export interface StoredRow { readonly entity: string, readonly version: number, readonly value: Buffer }

/** Latest value per (table, entity). Tables are views (`vitals@1`), `scores`, `alerts`, `encounters`; their names have no slash. Versions are compared within one table alone: tables have writers of their own. */
export interface OnlineStore extends AsyncDisposable {
  /** Rows of one entity become visible together; of two rows of one table and entity the newer stands, and of two with one version the first. Writes are idempotent. */
  put (rows: readonly OnlineRow[]): Promise<void>
  /** Entity-major: `[e][t]`. The rows of one entity are of one moment. */
  get (tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (StoredRow | undefined)[])[]>
  scan (table: string): Promise<readonly StoredRow[]>
  /** Erasure: every row of the entity in every table goes, and what said that it had been there. Whoever asks for it has seen to it that the log does not write it again. */
  erase (entity: string): Promise<void>
}
