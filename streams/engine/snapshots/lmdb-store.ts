import type { Database } from 'lmdb'
import { openLmdb, type Lmdb } from '../../lmdb/index.ts'
import type { FoundRow, PartitionSnapshot, SnapshotsOf, SnapshotStore } from './port.ts'
import { decodeRow, encodeRow, lazyRow, ROW_FORMAT, type Marker, type SnapshotRound, type SnapshotRow } from './row.ts'

const NOTHING: Marker = { offset: 0, clock: 0 }
const BEYOND = '\uffff'

interface StoredMarker extends Marker { readonly version: number, readonly format?: number, readonly position?: Position }

/** How far a store that mirrors a topic has read it, and when that was its end. */
export interface Position { readonly offset: number, readonly atMs: number }

/** Snapshots in LMDB: a fast restart on the same disk. A read-only one may stand beside the process that writes. */
export function openSnapshotStore (directory: string, options: { readonly readOnly?: boolean } = {}): SnapshotStore & { find (of: SnapshotsOf, key: string): FoundRow | undefined } { return new LmdbSnapshotStore(openLmdb(directory, 'the snapshot store', options)) }

export class LmdbSnapshotStore implements SnapshotStore {
  readonly #root: Lmdb
  readonly #rows: Database<Buffer, string>
  readonly #markers: Database<StoredMarker, string>
  readonly #poison: Database<boolean, string>

  constructor (root: Lmdb) {
    this.#root = root
    this.#rows = root.openDB<Buffer, string>('rows', { encoding: 'binary' })
    this.#markers = root.openDB<StoredMarker, string>('markers', { encoding: 'json' })
    this.#poison = root.openDB<boolean, string>('poison', { encoding: 'json' })
  }

  load (of: SnapshotsOf, how: 'eager' | 'lazy' = 'lazy'): Promise<PartitionSnapshot> {
    const prefix = prefixOf(of)
    const poison = new Set([...this.#poison.getKeys({ start: prefix, end: prefix + BEYOND })].map(key => key.slice(prefix.length)))
    const stored = this.#stored(of)
    if (stored === undefined) return Promise.resolve({ rows: [], marker: NOTHING, poison })
    return Promise.resolve({ rows: how === 'eager' ? this.#eager(prefix) : this.#lazy(prefix), marker: { offset: stored.offset, clock: stored.clock }, poison })
  }

  async save (of: SnapshotsOf, round: SnapshotRound, position?: Position): Promise<void> {
    const prefix = prefixOf(of)
    const before = this.#stored(of)
    const stale = before === undefined ? [...this.#rows.getKeys({ start: prefix, end: prefix + BEYOND })] : []
    const reached = position ?? before?.position
    await this.#root.transaction(() => {
      for (const key of stale) void this.#rows.remove(key)
      for (const row of round.rows) void this.#rows.put(prefix + row.key, encodeRow(row))
      for (const key of round.removed ?? []) void this.#rows.remove(prefix + key)
      void this.#markers.put(prefix, { ...round.marker, version: of.version, format: ROW_FORMAT, ...(reached === undefined ? {} : { position: reached }) })
    })
  }

  async addPoison (of: SnapshotsOf, poison: string): Promise<void> {
    await this.#poison.put(prefixOf(of) + poison, true)
    await this.#root.flushed
  }

  /** The row of one key, copied, and the marker that holds. */
  find (of: SnapshotsOf, key: string): FoundRow | undefined {
    const marker = this.#stored(of)
    const stored = marker === undefined ? undefined : this.#rows.get(prefixOf(of) + key)
    return marker === undefined || stored === undefined ? undefined : { row: decodeRow(key, stored), marker: { offset: marker.offset, clock: marker.clock } }
  }

  position (of: SnapshotsOf): Position | undefined { return this.#stored(of)?.position }

  /** Begins anew: no rows, and nothing to load until there is a marker. */
  async clear (of: SnapshotsOf): Promise<void> {
    const prefix = prefixOf(of)
    const stale = [...this.#rows.getKeys({ start: prefix, end: prefix + BEYOND })]
    await this.#root.transaction(() => {
      void this.#markers.remove(prefix)
      for (const key of stale) void this.#rows.remove(key)
    })
  }

  /** Rows of a topic, and null for those that are gone; `mark` follows. */
  async fold (of: SnapshotsOf, rows: ReadonlyMap<string, SnapshotRow | null>): Promise<void> {
    const prefix = prefixOf(of)
    await this.#root.transaction(() => {
      for (const [key, row] of rows) {
        if (row === null) void this.#rows.remove(prefix + key)
        else void this.#rows.put(prefix + key, encodeRow(row))
      }
    })
  }

  /** How far the rows are; without a marker the one that stands goes on to hold. */
  async mark (of: SnapshotsOf, marker: Marker | undefined, position: Position): Promise<void> {
    const holds = marker ?? this.#stored(of)
    if (holds === undefined) return
    await this.#markers.put(prefixOf(of), { offset: holds.offset, clock: holds.clock, version: of.version, format: ROW_FORMAT, position })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#root.flushed
    await this.#root.close()
  }

  #stored (of: SnapshotsOf): StoredMarker | undefined {
    const stored = this.#markers.get(prefixOf(of))
    return stored?.version === of.version && stored.format === ROW_FORMAT ? stored : undefined
  }

  * #eager (prefix: string): Generator<SnapshotRow> {
    for (const { key, value } of this.#rows.getRange({ start: prefix, end: prefix + BEYOND })) yield decodeRow(key.slice(prefix.length), value)
  }

  * #lazy (prefix: string): Generator<SnapshotRow> {
    for (const key of this.#rows.getKeys({ start: prefix, end: prefix + BEYOND })) {
      const head = this.#rows.getBinaryFast(key) // lies over the page: valid until the next read
      if (head !== undefined) yield lazyRow(key.slice(prefix.length), head, () => this.#rows.get(key))
    }
  }
}

function prefixOf ({ machine, partition }: SnapshotsOf): string { return `${machine}/${partition}/` }
