import type { Api } from '../wire/index.ts'

export interface TopicIdPartitions { readonly topicId: string, readonly partitions: readonly number[] }

export interface HeartbeatRequest {
  readonly group: string
  readonly memberId: string
  /** 0 joins, -1 leaves. */
  readonly memberEpoch: number
  /** -1: as said before. */
  readonly rebalanceTimeoutMs: number
  /** null: as said before. */
  readonly topics: readonly string[] | null
  /** What the member has; null: as said before. */
  readonly owned: readonly TopicIdPartitions[] | null
}

export interface HeartbeatResponse {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** What the member should have; undefined: no change. */
  readonly assignment: readonly TopicIdPartitions[] | undefined
}

/** Membership of KIP-848: the broker assigns, partition by partition. */
export const heartbeatApi: Api<HeartbeatRequest, HeartbeatResponse> = {
  name: 'ConsumerGroupHeartbeat',
  key: 68,
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 0,
  encode (w, r, version) {
    w.compactString(r.group).compactString(r.memberId).int32(r.memberEpoch).compactString(null).compactString(null).int32(r.rebalanceTimeoutMs)
    w.compactArray(r.topics, topic => { w.compactString(topic) })
    if (version >= 1) w.compactString(null) // no regular expression
    w.compactString(null) // the broker's own assignor
    w.compactArray(r.owned, o => { w.uuid(o.topicId).compactArray(o.partitions, p => { w.int32(p) }).tags() }).tags()
  },
  decode (r) {
    r.int32()
    const errorCode = r.int16()
    const errorMessage = r.compactString()
    r.compactString() // our own id
    const memberEpoch = r.int32()
    const heartbeatIntervalMs = r.int32()
    const assignment = r.int8() < 0 ? undefined : r.compactArray(() => {
      const one = { topicId: r.uuid(), partitions: r.compactArray(() => r.int32()) }
      r.tags()
      return one
    })
    if (assignment !== undefined) r.tags()
    r.tags()
    return { errorCode, errorMessage, memberEpoch, heartbeatIntervalMs, assignment }
  },
}

export interface DescribeGroupRequest { readonly group: string }
export interface DescribeGroupResponse { readonly errorCode: number, readonly members: readonly string[] }

/** Who is in a group, by member id. */
export const describeGroupApi: Api<DescribeGroupRequest, DescribeGroupResponse> = {
  name: 'ConsumerGroupDescribe',
  key: 69,
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 0,
  encode (w, r) { w.compactArray([r.group], group => { w.compactString(group) }).boolean(false).tags() },
  decode (r, version) {
    r.int32()
    const groups = r.compactArray(() => {
      const errorCode = r.int16()
      r.compactString(); r.compactString(); r.compactString() // message, group, state
      r.int32(); r.int32(); r.compactString() // epochs, assignor
      const members = r.compactArray(() => {
        const id = r.compactString() ?? ''
        r.compactString(); r.compactString(); r.int32(); r.compactString(); r.compactString() // instance, rack, epoch, client, host
        r.compactArray(() => r.compactString())
        r.compactString() // regular expression
        for (let i = 0; i < 2; i++) { // has, and should have
          r.compactArray(() => { r.uuid(); r.compactString(); r.compactArray(() => r.int32()); r.tags() })
          r.tags()
        }
        if (version >= 1) r.int8()
        r.tags()
        return id
      })
      r.int32()
      r.tags()
      return { errorCode, members }
    })
    r.tags()
    return groups[0] ?? { errorCode: 0, members: [] }
  },
}
