import type { Api } from '../wire/index.ts'
import { byName } from './by-name.ts'

export interface ProduceRequest {
  readonly transactionalId: string | null
  readonly timeoutMs: number
  /** One batch a partition: the protocol allows no more. */
  readonly batches: readonly { readonly topic: string, readonly partition: number, readonly batch: Buffer }[]
}

export interface ProducedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly baseOffset: number
  /** The log's stamp, or -1 where records keep their own. */
  readonly logAppendTimeMs: number
}

export interface ProduceResponse { readonly partitions: readonly ProducedPartition[], readonly throttleTimeMs: number }

const ACKS_ALL = -1

/**
 * From version 12 on the broker adds a partition to the transaction by itself, which needs transaction.version 2 (KIP-890):
 * below that, transactions speak version 11.
 */
function produceUpTo (maxVersion: number): Api<ProduceRequest, ProduceResponse> {
  return {
    name: 'Produce',
    key: 0,
    minVersion: 9,
    maxVersion,
    flexibleFrom: 9,
    encode (w, r) {
      w.compactString(r.transactionalId).int16(ACKS_ALL).int32(r.timeoutMs)
      w.compactArray(byName(r.batches), ([topic, batches]) => {
        w.compactString(topic).compactArray(batches, b => { w.int32(b.partition).compactBytes(b.batch).tags() }).tags()
      }).tags()
    },
    decode (r) {
      const partitions: ProducedPartition[] = []
      r.compactArray(() => {
        const topic = r.compactString() ?? ''
        r.compactArray(() => {
          const partition = r.int32()
          const errorCode = r.int16()
          const baseOffset = r.int64()
          const logAppendTimeMs = r.int64()
          r.int64() // log start offset
          const recordErrors = r.compactArray(() => { r.int32(); const message = r.compactString(); r.tags(); return message })
          const errorMessage = r.compactString() ?? recordErrors.find(m => m !== null) ?? null
          r.tags()
          partitions.push({ topic, partition, errorCode, errorMessage, baseOffset, logAppendTimeMs })
        })
        r.tags()
      })
      const throttleTimeMs = r.int32()
      r.tags()
      return { partitions, throttleTimeMs }
    },
  }
}

export const produceApi: Api<ProduceRequest, ProduceResponse> = produceUpTo(12)
export const produceV1Api: Api<ProduceRequest, ProduceResponse> = produceUpTo(11)
