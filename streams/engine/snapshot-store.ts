import type { Database } from 'lmdb'
import { LatidoError } from '../errors/index.ts'
import { openLmdb, type Lmdb } from '../lmdb/index.ts'
import type { Marker, SnapshotRow } from './keyed-machine.ts'

export interface PartitionSnapshot { readonly rows: readonly SnapshotRow[], readonly marker: Marker, readonly poison: ReadonlySet<string> }

/** Where rows, markers and poison are kept, per machine and partition. `version` is the codec's: rows of another version are not answered. */
export interface SnapshotStore extends AsyncDisposable {
  load (machine: string, version: number, partition: number): Promise<PartitionSnapshot>
  /** Whole or not at all. */
  save (machine: string, version: number, partition: number, rows: readonly SnapshotRow[], marker: Marker): Promise<void>
  addPoison (machine: string, partition: number, poison: string): Promise<void>
}

const HEADER_BYTES = 16
const NOTHING: Marker = { offset: 0, clock: 0 }

/** Snapshots in LMDB: a fast restart on the same disk. */
export function openSnapshotStore (directory: string): SnapshotStore { return new LmdbSnapshotStore(openLmdb(directory, 'the snapshot store')) }

interface StoredMarker extends Marker { readonly version: number }

class LmdbSnapshotStore implements SnapshotStore {
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

  load (machine: string, version: number, partition: number): Promise<PartitionSnapshot> {
    const prefix = prefixOf(machine, partition)
    const poison = new Set([...this.#poison.getKeys({ start: prefix, end: `${prefix}\uffff` })].map(key => key.slice(prefix.length)))
    const stored = this.#markers.get(prefix)
    if (stored === undefined || stored.version !== version) return Promise.resolve({ rows: [], marker: NOTHING, poison })
    const rows = [...this.#rows.getRange({ start: prefix, end: `${prefix}\uffff` })].map(({ key, value }) => decodeRow(key.slice(prefix.length), value))
    return Promise.resolve({ rows, marker: { offset: stored.offset, clock: stored.clock }, poison })
  }

  async save (machine: string, version: number, partition: number, rows: readonly SnapshotRow[], marker: Marker): Promise<void> {
    const prefix = prefixOf(machine, partition)
    const stale = this.#markers.get(prefix)?.version !== version ? [...this.#rows.getKeys({ start: prefix, end: `${prefix}\uffff` })] : []
    await this.#root.transaction(() => {
      for (const key of stale) void this.#rows.remove(key)
      for (const row of rows) void this.#rows.put(prefix + row.key, encodeRow(row))
      void this.#markers.put(prefix, { ...marker, version })
    })
  }

  async addPoison (machine: string, partition: number, poison: string): Promise<void> {
    await this.#poison.put(prefixOf(machine, partition) + poison, true)
    await this.#root.flushed
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#root.flushed
    await this.#root.close()
  }
}

function prefixOf (machine: string, partition: number): string { return `${machine}/${partition}/` }

function encodeRow ({ stamp, clock, bytes }: SnapshotRow): Buffer {
  const row = Buffer.allocUnsafe(HEADER_BYTES + bytes.length)
  row.writeDoubleLE(stamp, 0)
  row.writeDoubleLE(clock, 8)
  bytes.copy(row, HEADER_BYTES)
  return row
}

function decodeRow (key: string, row: Buffer): SnapshotRow {
  if (row.length < HEADER_BYTES) throw new LatidoError('SNAPSHOT_INVALID', 'a snapshot row is cut short', 'delete the snapshots folder of the data directory: state is built again from the log')
  return { key, stamp: row.readDoubleLE(0), clock: row.readDoubleLE(8), bytes: row.subarray(HEADER_BYTES) }
}
