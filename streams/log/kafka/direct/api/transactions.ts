import type { Api } from '../wire/index.ts'
import { byName } from './by-name.ts'

export interface ProducerIdentity { readonly id: number, readonly epoch: number }

/** `previous`: who we were, so that we cannot come back after a younger producer has taken over (KIP-360). */
export interface InitProducerIdRequest { readonly transactionalId: string | null, readonly timeoutMs: number, readonly previous?: ProducerIdentity }
export interface InitProducerIdResponse { readonly errorCode: number, readonly producer: ProducerIdentity }

export const initProducerIdApi: Api<InitProducerIdRequest, InitProducerIdResponse> = {
  name: 'InitProducerId',
  key: 22,
  minVersion: 4,
  maxVersion: 5,
  flexibleFrom: 2,
  encode (w, r) { w.compactString(r.transactionalId).int32(r.timeoutMs).int64(r.previous?.id ?? -1).int16(r.previous?.epoch ?? -1).tags() },
  decode (r) {
    r.int32()
    const response = { errorCode: r.int16(), producer: { id: r.int64(), epoch: r.int16() } }
    r.tags()
    return response
  },
}

export interface AddPartitionsRequest { readonly transactionalId: string, readonly producer: ProducerIdentity, readonly partitions: readonly { readonly topic: string, readonly partition: number }[] }
export interface AddPartitionsResponse { readonly errorCodes: readonly number[] }

/** Below transaction.version 2 only. Version 3 is the last that clients speak. */
export const addPartitionsApi: Api<AddPartitionsRequest, AddPartitionsResponse> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  minVersion: 3,
  maxVersion: 3,
  flexibleFrom: 3,
  encode (w, r) {
    w.compactString(r.transactionalId).int64(r.producer.id).int16(r.producer.epoch)
    w.compactArray(byName(r.partitions), ([topic, partitions]) => { w.compactString(topic).compactArray(partitions, p => { w.int32(p.partition) }).tags() }).tags()
  },
  decode (r) {
    r.int32()
    const errorCodes = r.compactArray(() => {
      r.compactString()
      const codes = r.compactArray(() => { r.int32(); const code = r.int16(); r.tags(); return code })
      r.tags()
      return codes
    }).flat()
    r.tags()
    return { errorCodes }
  },
}

export interface AddOffsetsRequest { readonly transactionalId: string, readonly producer: ProducerIdentity, readonly group: string }
export interface CodeResponse { readonly errorCode: number }

/** Below transaction.version 2 only. */
export const addOffsetsApi: Api<AddOffsetsRequest, CodeResponse> = {
  name: 'AddOffsetsToTxn',
  key: 25,
  minVersion: 3,
  maxVersion: 3,
  flexibleFrom: 3,
  encode (w, r) { w.compactString(r.transactionalId).int64(r.producer.id).int16(r.producer.epoch).compactString(r.group).tags() },
  decode (r) { r.int32(); const errorCode = r.int16(); r.tags(); return { errorCode } },
}

export interface EndTxnRequest { readonly transactionalId: string, readonly producer: ProducerIdentity, readonly committed: boolean }
/** `next`: who we are from now on, where the broker bumps the epoch with each transaction (KIP-890). */
export interface EndTxnResponse { readonly errorCode: number, readonly next: ProducerIdentity | undefined }

function endTxnUpTo (maxVersion: number): Api<EndTxnRequest, EndTxnResponse> {
  return {
    name: 'EndTxn',
    key: 26,
    minVersion: 3,
    maxVersion,
    flexibleFrom: 3,
    encode (w, r) { w.compactString(r.transactionalId).int64(r.producer.id).int16(r.producer.epoch).boolean(r.committed).tags() },
    decode (r, version) {
      r.int32()
      const errorCode = r.int16()
      const next = version >= 5 ? { id: r.int64(), epoch: r.int16() } : undefined
      r.tags()
      return { errorCode, next: next === undefined || next.id < 0 ? undefined : next }
    },
  }
}

export const endTxnApi: Api<EndTxnRequest, EndTxnResponse> = endTxnUpTo(5)
export const endTxnV1Api: Api<EndTxnRequest, EndTxnResponse> = endTxnUpTo(4)

export interface ListTransactionsResponse { readonly errorCode: number, readonly transactionalIds: readonly string[] }

/** Transactions that are open at one broker's coordinator: each broker knows its own. */
export const listOngoingApi: Api<Record<string, never>, ListTransactionsResponse> = {
  name: 'ListTransactions',
  key: 66,
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 0,
  encode (w, _, version) {
    w.compactArray(['Ongoing'], state => { w.compactString(state) }).compactArray<number>([], () => { /* any producer */ })
    if (version >= 1) w.int64(-1)
    w.tags()
  },
  decode (r) {
    r.int32()
    const errorCode = r.int16()
    r.compactArray(() => r.compactString())
    const transactionalIds = r.compactArray(() => {
      const id = r.compactString() ?? ''
      r.int64(); r.compactString()
      r.tags()
      return id
    })
    r.tags()
    return { errorCode, transactionalIds }
  },
}
