import { SchemaBook, type SchemaStorage, type StoredSchema } from '../../../streams/events/index.ts'
import { BatchBuilder, BatchCursor } from '../../../streams/codec/index.ts'
import type { RecordCursor } from '../../../streams/log/index.ts'

/** Registrations in memory that outlive a book, as a disk would. */
export function storage (stored: StoredSchema[] = []): SchemaStorage & { readonly stored: StoredSchema[] } {
  return { stored, load: () => stored, add: schema => { stored.push(schema); return Promise.resolve() } }
}

export function bookOn (kept: SchemaStorage): Promise<SchemaBook> { return SchemaBook.open({ url: 'mock://', storage: kept }) }

/** A cursor that stands on one record, inside a batch as the log hands it over. */
export function recordOf (value: Buffer | null, key: Buffer | null = Buffer.from('patient')): RecordCursor {
  const builder = new BatchBuilder()
  builder.append(1, Buffer.from('before'), Buffer.from('before'))
  builder.append(2, key, value)
  const cursor = new BatchCursor([builder.finish(0, -1)], 1)
  cursor.next()
  return cursor
}
