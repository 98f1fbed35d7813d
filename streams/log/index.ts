/** The log: one port, Kafka's semantics, and the embedded implementation over LMDB. */
export type {
  Appended, Consumer, ConsumerOptions, GroupMetadata, Log, OffsetCommit, OutRecord, PartitionRange, PartitionReader, Producer,
  RecordCursor, RecordHeader, RecordSink, Run, TopicPartition, TopicSpec, TransactionalProducer,
} from './port.ts'
/** Adds a record whose key and value fill their buffers. */
export { addWhole } from './add-whole.ts'
/** `topic/partition`, as maps are keyed and messages say it. */
export { nameOf } from './partition-name.ts'
/** Opens (or creates) the embedded log in a directory. */
export { openEmbeddedLog } from './embedded/index.ts'
export type { EmbeddedLogOptions } from './embedded/index.ts'
/** How to reach a Kafka cluster: the same for its drivers and its administration. */
export { KAFKA_DEFAULTS } from './kafka/options.ts'
export type { KafkaDriver, KafkaOptions, KafkaSasl, KafkaTls, OauthToken } from './kafka/options.ts'
/** Administration of Kafka's topics: what is missing, what breaks a rule, and what to do about it. */
export { applyTopics, describeTopics, openTopicAdmin, planTopics, renderPlan, trimTopics } from './kafka/admin/index.ts'
export type { TopicAdmin, TopicFinding, TopicPlan } from './kafka/admin/index.ts'
/** Opens the log on a Kafka cluster, by the driver that fits or that is configured. */
export { openKafkaLog } from './kafka/index.ts'
export type { OpenedKafkaLog } from './kafka/index.ts'
