import { isLatidoError, LatidoError } from '../errors/index.ts'
import type { SchemaRegistry, SchemaStorage, StoredSchema } from './registry.ts'

/** A shared registry, and on disk the ids that this instance had from it: another registry behind the same address is found out before anything is written. */
export function rememberedRegistry (registry: SchemaRegistry, storage: SchemaStorage): SchemaRegistry { return new RememberedRegistry(registry, storage) }

class RememberedRegistry implements SchemaRegistry {
  readonly #registry: SchemaRegistry
  readonly #storage: SchemaStorage

  constructor (registry: SchemaRegistry, storage: SchemaStorage) {
    this.#registry = registry
    this.#storage = storage
  }

  async known (): Promise<readonly StoredSchema[]> {
    const stored = this.#storage.load()
    for (const { id, subject, schema } of stored) {
      const now = await this.#idNow(subject, schema)
      if (now !== id) throw new LatidoError('SCHEMA_ID_CHANGED', `schema ${subject} has ${now === undefined ? 'no id' : `id ${now}`} in the registry and ${id} in the log`, 'connect the registry that the log was written with')
    }
    return [...stored, ...await this.#registry.known()]
  }

  async idOf (subject: string, schema: string): Promise<{ readonly id: number, readonly older: readonly StoredSchema[] }> {
    const found = await this.#registry.idOf(subject, schema)
    if (!this.#storage.load().some(s => s.id === found.id && s.subject === subject)) await this.#storage.add({ id: found.id, subject, schema })
    return found
  }

  async lookup (id: number): Promise<string | undefined> { return await this.#registry.lookup?.(id) }

  async #idNow (subject: string, schema: string): Promise<number | undefined> {
    try {
      return (await this.#registry.idOf(subject, schema)).id
    } catch (e) {
      if (isLatidoError(e) && e.code === 'NOT_PROVISIONED') return undefined
      throw e
    }
  }
}
