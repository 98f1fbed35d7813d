/** The log: one port, Kafka's semantics, and the embedded implementation over LMDB. */
export type {
  Appended, Consumer, ConsumerOptions, GroupMetadata, Log, OffsetCommit, OutRecord, PartitionRange, PartitionReader, Producer,
  RecordCursor, RecordHeader, RecordSink, Run, TopicPartition, TopicSpec, TransactionalProducer,
} from './port.ts'
/** Opens (or creates) the embedded log in a directory. */
export { openEmbeddedLog } from './embedded/index.ts'
export type { EmbeddedLogOptions } from './embedded/index.ts'
