/** Snapshots: rows, markers and poison of a machine in a partition; on local disk, or in a compacted topic with a local copy. */
export type { FoundRow, PartitionSnapshot, SnapshotsOf, SnapshotStore } from './port.ts'
export type { Marker, RowKind, SnapshotRound, SnapshotRow } from './row.ts'
export { openSnapshotStore } from './lmdb-store.ts'
export { findInTopic, openTopicSnapshots, snapshotTopic, snapshotTopicName } from './topic-store.ts'
export type { TopicSnapshotsOptions } from './topic-store.ts'
