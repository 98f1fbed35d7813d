import type { Api } from '../../wire/index.ts'

export interface MetadataRequest {
  /** By name; null asks for all topics, an empty list for brokers alone. */
  readonly topics: readonly string[] | null
}
export interface MetadataBroker { readonly id: number, readonly host: string, readonly port: number }
export interface MetadataPartition { readonly partition: number, readonly errorCode: number, readonly leader: number, readonly leaderEpoch: number }
export interface MetadataTopic { readonly errorCode: number, readonly name: string, readonly id: string, readonly partitions: readonly MetadataPartition[] }
export interface MetadataResponse {
  readonly brokers: readonly MetadataBroker[]
  readonly clusterId: string
  readonly topics: readonly MetadataTopic[]
  readonly errorCode: number
}

const NO_TOPIC_ID = '0'.repeat(32)

/** Brokers, and topics with their ids and leaders. Topics are never created by asking. */
export const metadata: Api<MetadataRequest, MetadataResponse> = {
  name: 'Metadata', key: 3, minVersion: 12, maxVersion: 13, flexibleFrom: 9,

  encode (writer, { topics }) {
    writer.compactArray(topics, name => { writer.uuid(NO_TOPIC_ID).compactString(name).tags() })
    writer.boolean(false) // allow_auto_topic_creation
    writer.boolean(false).tags() // include_topic_authorized_operations
  },

  decode (reader, version) {
    reader.int32() // throttle_time_ms
    const brokers = reader.compactArray(() => {
      const broker = { id: reader.int32(), host: reader.compactString() ?? '', port: reader.int32() }
      reader.compactString() // rack
      reader.tags()
      return broker
    })
    const clusterId = reader.compactString() ?? ''
    reader.int32() // controller_id
    const topics = reader.compactArray(() => {
      const topic = { errorCode: reader.int16(), name: reader.compactString() ?? '', id: reader.uuid(), partitions: (reader.boolean(), reader.compactArray(partition)) }
      reader.int32() // topic_authorized_operations
      reader.tags()
      return topic
    })
    return { brokers, clusterId, topics, errorCode: version >= 13 ? reader.int16() : 0 }

    function partition (): MetadataPartition {
      const read = { errorCode: reader.int16(), partition: reader.int32(), leader: reader.int32(), leaderEpoch: reader.int32() }
      for (let list = 0; list < 3; list++) reader.compactArray(() => reader.int32()) // replicas, in sync, offline
      reader.tags()
      return read
    }
  },
}
