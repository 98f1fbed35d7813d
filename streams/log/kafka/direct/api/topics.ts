import type { Api } from '../wire/index.ts'

export interface NewTopic { readonly name: string, readonly partitions: number, readonly replication: number, readonly configs: readonly (readonly [string, string])[] }
export interface CreateTopicsRequest { readonly topics: readonly NewTopic[], readonly timeoutMs: number }
export interface CreateTopicsResponse { readonly topics: readonly { readonly name: string, readonly errorCode: number, readonly errorMessage: string | null }[] }

export const createTopicsApi: Api<CreateTopicsRequest, CreateTopicsResponse> = {
  name: 'CreateTopics',
  key: 19,
  minVersion: 7,
  maxVersion: 7,
  flexibleFrom: 5,
  encode (w, r) {
    w.compactArray(r.topics, t => {
      w.compactString(t.name).int32(t.partitions).int16(t.replication).compactArray<number>([], () => { /* the brokers place the replicas */ })
      w.compactArray(t.configs, ([name, value]) => { w.compactString(name).compactString(value).tags() }).tags()
    }).int32(r.timeoutMs).boolean(false).tags()
  },
  decode (r) {
    r.int32()
    const topics = r.compactArray(() => {
      const name = r.compactString() ?? ''
      r.uuid()
      const errorCode = r.int16()
      const errorMessage = r.compactString()
      r.int32(); r.int16()
      r.compactArray(() => { r.compactString(); r.compactString(); r.boolean(); r.int8(); r.boolean(); r.tags() })
      r.tags()
      return { name, errorCode, errorMessage }
    })
    r.tags()
    return { topics }
  },
}

export interface DescribeConfigsRequest { readonly topics: readonly string[], readonly names: readonly string[] }
export interface DescribedConfigs { readonly topic: string, readonly errorCode: number, readonly configs: ReadonlyMap<string, string> }
export interface DescribeConfigsResponse { readonly topics: readonly DescribedConfigs[] }

const TOPIC = 2

export const describeConfigsApi: Api<DescribeConfigsRequest, DescribeConfigsResponse> = {
  name: 'DescribeConfigs',
  key: 32,
  minVersion: 4,
  maxVersion: 4,
  flexibleFrom: 4,
  encode (w, r) {
    w.compactArray(r.topics, topic => { w.int8(TOPIC).compactString(topic).compactArray(r.names, name => { w.compactString(name) }).tags() }).boolean(false).boolean(false).tags()
  },
  decode (r) {
    r.int32()
    const topics = r.compactArray(() => {
      const errorCode = r.int16()
      r.compactString(); r.int8()
      const topic = r.compactString() ?? ''
      const configs = new Map<string, string>()
      r.compactArray(() => {
        const name = r.compactString() ?? ''
        configs.set(name, r.compactString() ?? '')
        r.boolean(); r.int8(); r.boolean()
        r.compactArray(() => { r.compactString(); r.compactString(); r.int8(); r.tags() })
        r.int8(); r.compactString()
        r.tags()
      })
      r.tags()
      return { topic, errorCode, configs }
    })
    r.tags()
    return { topics }
  },
}

export interface DescribeClusterResponse { readonly errorCode: number, readonly brokers: readonly number[] }

export const describeClusterApi: Api<Record<string, never>, DescribeClusterResponse> = {
  name: 'DescribeCluster',
  key: 60,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  encode (w) { w.boolean(false).tags() },
  decode (r) {
    r.int32()
    const errorCode = r.int16()
    r.compactString(); r.compactString(); r.int32()
    const brokers = r.compactArray(() => {
      const id = r.int32()
      r.compactString(); r.int32(); r.compactString()
      r.tags()
      return id
    })
    r.int32()
    r.tags()
    return { errorCode, brokers }
  },
}
