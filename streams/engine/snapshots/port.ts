import type { TransactionalProducer } from '../../log/index.ts'
import type { Marker, SnapshotRound, SnapshotRow } from './row.ts'

/** Whose snapshots: one machine's in one partition. `version` is its codec's: rows of another version are not answered. */
export interface SnapshotsOf { readonly processor: string, readonly machine: string, readonly version: number, readonly partition: number }

export interface PartitionSnapshot { readonly rows: Iterable<SnapshotRow>, readonly marker: Marker, readonly poison: ReadonlySet<string> }

/** One key's row, for a look from outside. */
export interface FoundRow { readonly row: SnapshotRow, readonly marker: Marker }

/** Where rows, markers and poison are kept, per machine and partition. */
export interface SnapshotStore extends AsyncDisposable {
  /** `eager`: the rows' bytes are the caller's; otherwise they are read when looked at, and the caller is the partition's owner. */
  load (of: SnapshotsOf, how?: 'eager' | 'lazy'): Promise<PartitionSnapshot>
  /** Keeps a round, whole or not at all. */
  save (of: SnapshotsOf, round: SnapshotRound): Promise<void>
  /** From now on a load answers this poison too. */
  addPoison (of: SnapshotsOf, poison: string): Promise<void>
  /**
   * Present where rounds travel within the transaction of a commit, so that they are fenced with it: writes the round, and the poison that
   * the commit passes over, into the open transaction.
   */
  readonly carry?: (of: SnapshotsOf, round: SnapshotRound | undefined, transaction: TransactionalProducer) => void
  /** Called for what `carry` was given, when its commit has succeeded. */
  readonly carried?: (of: SnapshotsOf, round: SnapshotRound | undefined) => Promise<void>
  /** The partition is another's: what was not carried is forgotten. */
  readonly release?: (of: SnapshotsOf) => void
  /** Present where others write too: takes in what they have stored since the last look, and tells of each row. Not by the owner. */
  readonly follow?: (of: SnapshotsOf, stored: (row: SnapshotRow) => void) => Promise<void>
}
