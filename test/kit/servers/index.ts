/** Real servers for the tests: Kafka, a schema registry, Redis and a FHIR server on loopback, faults on the way to them, and Kafka's own Java client to compare with. */
/** Skips a suite where a server is missing, or fails where it is required. */
export { describeWith, requireServer } from './require-server.ts'
export type { ServerName } from './require-server.ts'
/** Servers that all test files of a run share. */
export { sharedApicurio, sharedHapiFhir, sharedKafka } from './shared.ts'
export type { SharedApicurio, SharedHapiFhir, SharedKafka } from './shared.ts'
/** A Kafka of a test's own, whose brokers may be killed, paused and started again. */
export { startKafka } from './kafka.ts'
export type { KafkaOptions, KafkaServer } from './kafka.ts'
/** The one user of the SASL listeners, and a token for OAUTHBEARER. */
export { unsecuredToken, USER } from './kafka-properties.ts'
export type { ListenerName } from './kafka-properties.ts'
/** A registry of a test's own. */
export { startApicurio } from './apicurio.ts'
export type { ApicurioServer } from './apicurio.ts'
/** A FHIR R4 server of a test's own: HAPI FHIR JPA on H2 in memory. */
export { startHapiFhir } from './hapi-fhir.ts'
export type { HapiFhirServer } from './hapi-fhir.ts'
/** A Redis of a test's own: Debian's, Redis Stack with search and JSON, or a cluster of three masters. */
export { startRedis } from './redis.ts'
export type { RedisOptions, RedisServer } from './redis.ts'
export { startRedisCluster } from './redis-cluster.ts'
export type { RedisCluster } from './redis-cluster.ts'
/** An Orthanc of a test's own: an archive of images. */
export { startOrthanc } from './orthanc.ts'
export type { OrthancServer } from './orthanc.ts'
/** Kafka's own Java client: writes with every codec, reads, and administers. */
export { CODECS, startJavaClient } from './java-client.ts'
export type { Codec, Isolation, JavaClient, JavaProducer, PlainRecord, ReadRecord } from './java-client.ts'
/** A mosquitto of a test's own. */
export { startMosquitto } from './mosquitto.ts'
export type { MosquittoServer } from './mosquitto.ts'
/** What those of one process have in common: killed, and started again where they were. */
export type { Restartable } from './restartable.ts'
/** A TCP proxy whose link fails by command. */
export { FaultProxy } from './fault-proxy.ts'
export type { Direction, Link } from './fault-proxy.ts'
/** Waits for a condition, with a deadline; free ports outside the range of outgoing connections. */
export { freePorts, until } from './ports.ts'
/** A Python that can train a small model and read Parquet. */
export { pythonTrain } from './python-train.ts'
/** HAPI HL7v2, python-hl7 and hl7apy, as senders and receivers of HL7 over MLLP. */
export { startHapiHl7, startPythonHl7 } from './hl7-peer.ts'
export type { Hl7Peer, Hl7Load, Hl7PeerAnswer, Hl7PeerConnection, ListenOptions } from './hl7-peer.ts'
/** A process that ends with its owner. */
export { startChild } from './child.ts'
export type { Child, ChildOptions } from './child.ts'
