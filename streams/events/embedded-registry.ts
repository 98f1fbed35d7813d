import { SchemaRegistryClient, type Client } from '@confluentinc/schemaregistry'
import { LatidoError } from '../errors/index.ts'
import { whyUnreadable } from './avro-type.ts'
import type { SchemaRegistry, SchemaStorage, StoredSchema } from './registry.ts'

/** The registry of one process: the `mock://` client, its registrations kept on disk and made again at each start, with the ids that stand in the log. */
export function embeddedRegistry (options: { readonly url: string, readonly storage: SchemaStorage }): SchemaRegistry {
  return new EmbeddedRegistry(SchemaRegistryClient.newClient({ baseURLs: [options.url] }), options.storage)
}

class EmbeddedRegistry implements SchemaRegistry {
  readonly #client: Client
  readonly #storage: SchemaStorage

  constructor (client: Client, storage: SchemaStorage) {
    this.#client = client
    this.#storage = storage
  }

  async known (): Promise<readonly StoredSchema[]> {
    const stored = this.#storage.load()
    for (const { id, subject, schema } of stored) {
      const now = await this.#register(subject, schema)
      if (now !== id) throw new LatidoError('SCHEMA_ID_CHANGED', `schema ${subject} has id ${now} in the registry and ${id} in the log`, 'connect the registry that the log was written with')
    }
    return stored
  }

  async idOf (subject: string, schema: string): Promise<{ readonly id: number, readonly older: readonly StoredSchema[] }> {
    const before = this.#storage.load().filter(s => s.subject === subject)
    for (const stored of before) {
      const why = whyUnreadable(schema, stored.schema)
      if (why !== undefined) throw new LatidoError('SCHEMA_INCOMPATIBLE', `the new schema of ${subject} cannot read what was written with id ${stored.id}: ${why}`, 'give new fields a default, or use a new record name')
    }
    const id = await this.#register(subject, schema)
    if (!before.some(s => s.id === id)) await this.#storage.add({ id, subject, schema })
    return { id, older: before }
  }

  async #register (subject: string, schema: string): Promise<number> { return await this.#client.register(subject, { schema, schemaType: 'AVRO' }, false) }
}
