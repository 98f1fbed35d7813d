import type { Api } from '../wire/index.ts'
import { byName } from './by-name.ts'

export interface OffsetFetchRequest {
  readonly group: string
  readonly partitions: readonly { readonly topic: string, readonly partition: number }[]
}
/** `offset` is -1 where nothing was committed. */
export interface FetchedOffset { readonly topic: string, readonly partition: number, readonly offset: number, readonly errorCode: number }
export interface OffsetFetchResponse { readonly errorCode: number, readonly partitions: readonly FetchedOffset[] }

/** Always stable: where a transaction with offsets is still open the answer is UNSTABLE_OFFSET_COMMIT (KIP-447). Asked as nobody, so that no member epoch can be stale. */
export const offsetFetchApi: Api<OffsetFetchRequest, OffsetFetchResponse> = {
  name: 'OffsetFetch',
  key: 9,
  minVersion: 9,
  maxVersion: 9,
  flexibleFrom: 6,
  encode (w, r) {
    w.compactArray([r.group], group => {
      w.compactString(group).compactString(null).int32(-1)
      w.compactArray(byName(r.partitions), ([topic, partitions]) => { w.compactString(topic).compactArray(partitions, p => { w.int32(p.partition) }).tags() }).tags()
    }).boolean(true).tags()
  },
  decode (r) {
    r.int32()
    const partitions: FetchedOffset[] = []
    const codes = r.compactArray(() => {
      r.compactString()
      r.compactArray(() => {
        const topic = r.compactString() ?? ''
        r.compactArray(() => {
          const partition = r.int32()
          const offset = r.int64()
          r.int32(); r.compactString() // leader epoch, metadata
          const errorCode = r.int16()
          r.tags()
          partitions.push({ topic, partition, offset, errorCode })
        })
        r.tags()
      })
      const errorCode = r.int16()
      r.tags()
      return errorCode
    })
    r.tags()
    return { errorCode: codes[0] ?? 0, partitions }
  },
}

export interface CommittedPartition { readonly topic: string, readonly partition: number, readonly offset: number }
export interface OffsetCommitRequest { readonly group: string, readonly memberId: string, readonly memberEpoch: number, readonly partitions: readonly CommittedPartition[] }
export interface OffsetCommitResponse { readonly partitions: readonly { readonly topic: string, readonly partition: number, readonly errorCode: number }[] }

export const offsetCommitApi: Api<OffsetCommitRequest, OffsetCommitResponse> = {
  name: 'OffsetCommit',
  key: 8,
  minVersion: 9,
  maxVersion: 9,
  flexibleFrom: 8,
  encode (w, r) {
    w.compactString(r.group).int32(r.memberEpoch).compactString(r.memberId).compactString(null)
    w.compactArray(byName(r.partitions), ([topic, partitions]) => {
      w.compactString(topic).compactArray(partitions, p => { w.int32(p.partition).int64(p.offset).int32(-1).compactString('').tags() }).tags()
    }).tags()
  },
  decode (r) {
    r.int32()
    const partitions: { topic: string, partition: number, errorCode: number }[] = []
    r.compactArray(() => {
      const topic = r.compactString() ?? ''
      r.compactArray(() => { partitions.push({ topic, partition: r.int32(), errorCode: r.int16() }); r.tags() })
      r.tags()
    })
    r.tags()
    return { partitions }
  },
}

export interface TxnOffsetCommitRequest extends OffsetCommitRequest { readonly transactionalId: string, readonly producerId: number, readonly producerEpoch: number }

/** Version 5 adds the offsets to the transaction by itself, which needs transaction.version 2. Member and epoch are always sent: without them the broker takes anybody's. */
function txnOffsetCommitUpTo (maxVersion: number): Api<TxnOffsetCommitRequest, OffsetCommitResponse> {
  return {
    name: 'TxnOffsetCommit',
    key: 28,
    minVersion: 3,
    maxVersion,
    flexibleFrom: 3,
    encode (w, r) {
      w.compactString(r.transactionalId).compactString(r.group).int64(r.producerId).int16(r.producerEpoch).int32(r.memberEpoch).compactString(r.memberId).compactString(null)
      w.compactArray(byName(r.partitions), ([topic, partitions]) => {
        w.compactString(topic).compactArray(partitions, p => { w.int32(p.partition).int64(p.offset).int32(-1).compactString('').tags() }).tags()
      }).tags()
    },
    decode: (r, version) => offsetCommitApi.decode(r, version),
  }
}

export const txnOffsetCommitApi: Api<TxnOffsetCommitRequest, OffsetCommitResponse> = txnOffsetCommitUpTo(5)
export const txnOffsetCommitV1Api: Api<TxnOffsetCommitRequest, OffsetCommitResponse> = txnOffsetCommitUpTo(4)
