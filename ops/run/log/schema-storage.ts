import { openLmdb } from '../../../streams/lmdb/index.ts'
import type { SchemaStorage, StoredSchema } from '../../../streams/events/index.ts'

/** Schema registrations on disk, so that an embedded registry gives the same ids at the next start. */
export function openSchemaStorage (directory: string): SchemaStorage & AsyncDisposable {
  const root = openLmdb(directory, 'the schema store')
  const rows = root.openDB<StoredSchema, number>('schemas', { encoding: 'json', keyEncoding: 'uint32' })
  const schemas = [...rows.getRange({})].map(({ value }) => value)
  return {
    load: () => schemas,
    add: async schema => {
      schemas.push(schema)
      await rows.put(schemas.length, schema)
      await root.flushed
    },
    [Symbol.asyncDispose]: async () => { await root.flushed; await root.close() },
  }
}
