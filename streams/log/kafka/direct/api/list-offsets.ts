import type { Api } from '../wire/index.ts'
import { byName } from './by-name.ts'

/** `latest` is the last stable offset: what a reader of committed records can reach. */
export const EARLIEST = -2
export const LATEST = -1

export interface ListOffsetsRequest { readonly partitions: readonly { readonly topic: string, readonly partition: number, readonly leaderEpoch: number, readonly timestamp: number }[] }
export interface ListedOffset { readonly topic: string, readonly partition: number, readonly errorCode: number, readonly offset: number }
export interface ListOffsetsResponse { readonly partitions: readonly ListedOffset[] }

const READ_COMMITTED = 1

export const listOffsetsApi: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  name: 'ListOffsets',
  key: 2,
  minVersion: 6,
  maxVersion: 9,
  flexibleFrom: 6,
  encode (w, r) {
    w.int32(-1).int8(READ_COMMITTED).compactArray(byName(r.partitions), ([topic, partitions]) => {
      w.compactString(topic).compactArray(partitions, p => { w.int32(p.partition).int32(p.leaderEpoch).int64(p.timestamp).tags() }).tags()
    }).tags()
  },
  decode (r) {
    r.int32()
    const partitions: ListedOffset[] = []
    r.compactArray(() => {
      const topic = r.compactString() ?? ''
      r.compactArray(() => {
        const partition = r.int32()
        const errorCode = r.int16()
        r.int64() // timestamp
        const offset = r.int64()
        r.int32() // leader epoch
        r.tags()
        partitions.push({ topic, partition, errorCode, offset })
      })
      r.tags()
    })
    r.tags()
    return { partitions }
  },
}
