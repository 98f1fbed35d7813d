import { LatidoError } from '../../errors/index.ts'
import type { ArrivalTimeMs } from '../../time/index.ts'

/** What a row says of its key: its state, that it had none any more, or the key that it was merged into. */
export type RowKind = 'state' | 'empty' | 'merged'

/** A key's state with the offset that it includes: everything below `stamp` of its partition. */
export interface SnapshotRow {
  readonly key: string
  readonly stamp: number
  readonly clock: ArrivalTimeMs
  /** Default `state`. */
  readonly kind?: RowKind
  /** When a tick would next do something, Infinity: never. With it the bytes need not be decoded before the key is touched. */
  readonly due?: ArrivalTimeMs
  readonly bytes: Buffer
}
/** From here a replay finds everything that no row includes. */
export interface Marker { readonly offset: number, readonly clock: ArrivalTimeMs }
/** One round: rows to keep, keys whose rows are to go, and the marker that holds once both are done. */
export interface SnapshotRound { readonly rows: readonly SnapshotRow[], readonly removed?: readonly string[], readonly marker: Marker }

/** Of the bytes of a stored row; another number is another layout. */
export const ROW_FORMAT = 2
const KINDS: readonly RowKind[] = ['state', 'empty', 'merged']
// Stamp, clock and due as doubles, the kind as a byte; then the state.
const DUE = 16
const KIND = 24
const HEADER_BYTES = 25

export function encodeRow ({ stamp, clock, due = NaN, kind = 'state', bytes }: SnapshotRow): Buffer {
  const row = Buffer.allocUnsafe(HEADER_BYTES + bytes.length)
  row.writeDoubleLE(stamp, 0)
  row.writeDoubleLE(clock, 8)
  row.writeDoubleLE(due, DUE)
  row[KIND] = KINDS.indexOf(kind)
  bytes.copy(row, HEADER_BYTES)
  return row
}

/** The row lies over `stored`. Throws SNAPSHOT_INVALID. */
export function decodeRow (key: string, stored: Buffer): SnapshotRow {
  const { stamp, clock, due, kind } = decodeHead(stored)
  return { key, stamp, clock, kind, ...(Number.isNaN(due) ? {} : { due }), bytes: stored.subarray(HEADER_BYTES) }
}

/** A row whose bytes are fetched when somebody looks at them: thousands of keys are restored for the price of their heads. */
export function lazyRow (key: string, head: Buffer, fetch: () => Buffer | undefined): SnapshotRow {
  const { stamp, clock, due, kind } = decodeHead(head)
  return {
    key, stamp, clock, kind, ...(Number.isNaN(due) ? {} : { due }),
    get bytes (): Buffer {
      const stored = fetch()
      if (stored === undefined || decodeHead(stored).stamp !== stamp) throw invalid('a snapshot row has changed under its reader')
      return stored.subarray(HEADER_BYTES)
    },
  }
}

function decodeHead (stored: Buffer): { readonly stamp: number, readonly clock: number, readonly due: number, readonly kind: RowKind } {
  const kind = stored.length < HEADER_BYTES ? undefined : KINDS[stored[KIND]!]
  if (kind === undefined) throw invalid('a snapshot row is cut short')
  return { stamp: stored.readDoubleLE(0), clock: stored.readDoubleLE(8), due: stored.readDoubleLE(DUE), kind }
}

function invalid (what: string): LatidoError {
  return new LatidoError('SNAPSHOT_INVALID', what, 'delete the snapshots folder of the data directory: state is built again from the log')
}
