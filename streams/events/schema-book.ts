import { SchemaRegistryClient, type Client } from '@confluentinc/schemaregistry'
import avro from 'avsc'
import { LatidoError, messageOf } from '../errors/index.ts'
import type { RecordSchema } from './schemas.ts'

/** Where registrations are kept, so that an embedded registry gives the same ids at the next start. */
export interface SchemaStorage {
  load (): readonly StoredSchema[]
  add (schema: StoredSchema): Promise<void>
}
export interface StoredSchema { readonly id: number, readonly subject: string, readonly schema: string }

const MAGIC_BYTES = 5

/** Encodes one record type and decodes any compatible writer's version, synchronously, in Confluent's wire format (0, schema id, Avro). */
export interface Codec<T> {
  readonly subject: string
  readonly id: number
  encode (value: T): Buffer
}

/**
 * The schemas in use, by id. Registration goes through `@confluentinc/schemaregistry` (its `mock://` registry when embedded, a real one's URL
 * otherwise) and is asynchronous; encoding and decoding never wait. Subjects follow TopicRecordNameStrategy: `topic-namespace.Record`.
 */
export class SchemaBook {
  readonly #client: Client
  readonly #storage: SchemaStorage
  readonly #writers = new Map<number, avro.Type>()
  readonly #readers = new Map<string, avro.Type>()
  readonly #resolvers = new Map<string, avro.Resolver | null>()

  private constructor (client: Client, storage: SchemaStorage) {
    this.#client = client
    this.#storage = storage
  }

  /** Opens the book: what was registered before is registered again, and must get the ids that stand in the log. */
  static async open (options: { readonly url: string, readonly storage: SchemaStorage }): Promise<SchemaBook> {
    const book = new SchemaBook(SchemaRegistryClient.newClient({ baseURLs: [options.url] }), options.storage)
    for (const stored of options.storage.load()) {
      const id = await book.#register(stored.subject, stored.schema)
      if (id !== stored.id) throw new LatidoError('SCHEMA_ID_CHANGED', `schema ${stored.subject} has id ${id} in the registry and ${stored.id} in the log`, 'connect the registry that the log was written with')
      book.#writers.set(id, typeOf(stored.schema))
    }
    return book
  }

  async codec<T> (topic: string, schema: RecordSchema): Promise<Codec<T>> {
    const subject = `${topic}-${schema.namespace}.${schema.name}`
    const text = JSON.stringify(schema)
    const type = typeOf(text)
    this.#checkCompatible(subject, type)
    const id = await this.#register(subject, text)
    if (!this.#storage.load().some(s => s.id === id && s.subject === subject)) await this.#storage.add({ id, subject, schema: text })
    this.#writers.set(id, type)
    this.#readers.set(type.name ?? '', type)
    return { subject, id, encode: value => frame(id, type.toBuffer(value)) }
  }

  /** The record name (`latido.Tick`) of a framed value; undefined for an unknown id or a foreign frame. Reads five bytes. */
  nameOf (buffer: Buffer, start: number, end: number): string | undefined {
    return end - start < MAGIC_BYTES || buffer[start] !== 0 ? undefined : this.#writers.get(buffer.readUInt32BE(start + 1))?.name
  }

  /** Decodes a framed value with the reader's schema of the same name. Throws SCHEMA_UNKNOWN or PAYLOAD_INVALID. */
  decode (buffer: Buffer, start: number, end: number): unknown {
    if (end - start < MAGIC_BYTES || buffer[start] !== 0) throw new LatidoError('PAYLOAD_INVALID', 'a value is not in Confluent wire format', 'find the producer that writes other bytes to this topic')
    const id = buffer.readUInt32BE(start + 1)
    const writer = this.#writers.get(id)
    if (writer === undefined) throw new LatidoError('SCHEMA_UNKNOWN', `schema id ${id} is unknown`, 'register the schema, or find the producer that writes it')
    const reader = this.#readers.get(writer.name ?? '') ?? writer
    const resolver = this.#resolverOf(id, writer, reader)
    try {
      const { value, offset } = reader.decode(buffer, start + MAGIC_BYTES, resolver as avro.Resolver) as { value: unknown, offset: number }
      if (offset !== end) throw new RangeError('the value ends elsewhere than its record')
      return value
    } catch (cause) {
      throw new LatidoError('PAYLOAD_INVALID', `a value does not fit its schema ${id}`, 'find the producer that writes it', cause)
    }
  }

  /** A subject's new schema must read what its old ones wrote (BACKWARD). Throws SCHEMA_INCOMPATIBLE. */
  #checkCompatible (subject: string, reader: avro.Type): void {
    for (const stored of this.#storage.load().filter(s => s.subject === subject)) {
      try {
        reader.createResolver(typeOf(stored.schema))
      } catch (cause) {
        throw new LatidoError('SCHEMA_INCOMPATIBLE', `the new schema of ${subject} cannot read what was written with id ${stored.id}: ${messageOf(cause)}`, 'give new fields a default, or use a new record name', cause)
      }
    }
  }

  #resolverOf (id: number, writer: avro.Type, reader: avro.Type): avro.Resolver | null {
    const key = `${id}|${reader.name}`
    let resolver = this.#resolvers.get(key)
    if (resolver === undefined) {
      resolver = writer === reader ? null : reader.createResolver(writer)
      this.#resolvers.set(key, resolver)
    }
    return resolver
  }

  async #register (subject: string, schema: string): Promise<number> {
    return await this.#client.register(subject, { schema, schemaType: 'AVRO' }, false)
  }
}

function typeOf (schema: string): avro.Type { return avro.Type.forSchema(JSON.parse(schema) as avro.Schema) }

function frame (id: number, payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(MAGIC_BYTES + payload.length)
  framed[0] = 0
  framed.writeUInt32BE(id, 1)
  payload.copy(framed, MAGIC_BYTES)
  return framed
}
