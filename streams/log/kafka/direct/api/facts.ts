import type { Api } from '../wire/index.ts'

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
    r.compactString(); r.compactString(); r.int32() // message, cluster id, controller
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

export interface GroupConfigRequest { readonly group: string, readonly name: string }
/** `value`: as it holds for the group, wherever it was set; undefined when it may not be seen. */
export interface GroupConfigResponse { readonly value: string | undefined }

const GROUP = 32

/** One setting of a consumer group (KIP-848). */
export const groupConfigApi: Api<GroupConfigRequest, GroupConfigResponse> = {
  name: 'DescribeConfigs',
  key: 32,
  minVersion: 4,
  maxVersion: 4,
  flexibleFrom: 4,
  encode (w, r) {
    w.compactArray([r], ({ group, name }) => { w.int8(GROUP).compactString(group).compactArray([name], n => { w.compactString(n) }).tags() }).boolean(false).boolean(false).tags()
  },
  decode (r) {
    r.int32()
    const values = r.compactArray(() => {
      r.int16(); r.compactString(); r.int8(); r.compactString() // error, message, kind and name of the resource
      const configs = r.compactArray(() => {
        r.compactString()
        const value = r.compactString()
        r.boolean(); r.int8(); r.boolean()
        r.compactArray(() => { r.compactString(); r.compactString(); r.int8(); r.tags() })
        r.int8(); r.compactString()
        r.tags()
        return value
      })
      r.tags()
      return configs[0] ?? undefined
    })
    r.tags()
    return { value: values[0] }
  },
}
