import { join } from 'node:path'
import { openVectorCodec, type VectorCodec } from '../../../features/vector-codec.ts'
import { openInferenceCodecs, type InferenceCodecs } from '../../../inference/codecs.ts'
import { openSchemaStorage } from '../../../ops/run/log/schema-storage.ts'
import { IdentityVault } from '../../../ops/security/index.ts'
import { openEventCodecs, patientKeyOf, SchemaBook, TOPICS, type EventCodecs, type PatientKey } from '../../../streams/events/index.ts'
import { openEmbeddedLog, type Log, type RecordCursor } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { recordsOf } from '../../kit/read-topic.ts'

/** A record, copied. */
export interface LogRecord { readonly partition: number, readonly offset: number, readonly timestamp: number, readonly key: string, readonly name: string, readonly value: Buffer }

/** What a stopped instance left in its data directory. */
export interface Leftovers extends AsyncDisposable {
  readonly log: Log
  readonly codecs: EventCodecs
  readonly vectors: VectorCodec
  readonly inference: InferenceCodecs
  pseudonymOf (sourceId: string): PatientKey
  /** All records of a partition, in order. */
  records (topic: string, partition: number): Promise<readonly LogRecord[]>
  /** Calls `see` with a cursor at each record. */
  walk (topic: string, partition: number, see: (record: RecordCursor) => void | Promise<void>): Promise<void>
}

/** Opens the stores of a data directory that nobody holds. */
export async function openLeftovers (dataDir: string): Promise<Leftovers> {
  const log = await openEmbeddedLog({ directory: join(dataDir, 'log'), clock: systemClock })
  const storage = openSchemaStorage(join(dataDir, 'schemas'))
  const vault = new IdentityVault({ directory: join(dataDir, 'identity'), keyFile: join(dataDir, 'keys', 'master.key'), publish: () => Promise.resolve() })
  const book = await SchemaBook.open({ url: 'mock://latido', storage })
  const codecs = await openEventCodecs(book)
  const walk: Leftovers['walk'] = async (topic, partition, see) => {
    for await (const record of recordsOf(log, topic, partition)) await see(record)
  }
  return {
    log, codecs, walk,
    vectors: await openVectorCodec(book, TOPICS.features),
    inference: await openInferenceCodecs(book),
    pseudonymOf: id => vault.pseudonymOf(id),
    records: async (topic, partition) => {
      const records: LogRecord[] = []
      await walk(topic, partition, r => {
        const { offset, timestamp, valueBuffer, valueStart, valueEnd } = r
        records.push({ partition, offset, timestamp, key: patientKeyOf(r), name: book.nameOf(valueBuffer, valueStart, valueEnd) ?? '', value: Buffer.from(valueBuffer.subarray(valueStart, valueEnd)) })
      })
      return records
    },
    [Symbol.asyncDispose]: async () => {
      await vault[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
      await log[Symbol.asyncDispose]()
    },
  }
}
