/** The calls of the data plane, each for the versions that Kafka 4.0 and later speak. */
export { fetchApi } from './fetch.ts'
export type { AbortedTransaction, FetchPartition, FetchRequest, FetchResponse, FetchedPartition } from './fetch.ts'
/** Produce, and the same below transaction.version 2. */
export { produceApi, produceV1Api } from './produce.ts'
export type { ProduceRequest, ProduceResponse, ProducedPartition } from './produce.ts'
/** First and last offsets of partitions. */
export { listOffsetsApi, EARLIEST, LATEST } from './list-offsets.ts'
export type { ListOffsetsRequest, ListOffsetsResponse } from './list-offsets.ts'
/** Membership of a group. */
export { heartbeatApi, describeGroupApi } from './membership.ts'
export type { HeartbeatRequest, HeartbeatResponse, TopicIdPartitions } from './membership.ts'
/** Committed offsets, in and outside transactions. */
export { offsetFetchApi, offsetCommitApi, txnOffsetCommitApi, txnOffsetCommitV1Api } from './committed-offsets.ts'
export type { CommittedPartition, FetchedOffset, OffsetCommitResponse, OffsetFetchResponse } from './committed-offsets.ts'
/** Producer identities and transactions. */
export { initProducerIdApi, addPartitionsApi, addOffsetsApi, endTxnApi, endTxnV1Api, listOngoingApi } from './transactions.ts'
export type { ProducerIdentity } from './transactions.ts'
/** The brokers there are, and a setting of a group. */
export { describeClusterApi, groupConfigApi } from './facts.ts'
