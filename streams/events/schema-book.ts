import type avro from 'avsc'
import { isLatidoError, LatidoError } from '../errors/index.ts'
import type { RecordCursor } from '../log/index.ts'
import { systemClock, type Clock, type DurationMs } from '../time/index.ts'
import { avroTypeOf } from './avro-type.ts'
import { boundsOf, type Bounds } from './bounds.ts'
import { embeddedRegistry } from './embedded-registry.ts'
import type { SchemaRegistry, SchemaStorage } from './registry.ts'
import type { RecordSchema } from './schemas.ts'
import type { RefusalCause } from './types.ts'

const MAGIC_BYTES = 5
/** Ids that are refused at one time; a topic of garbage names at most so many before the first is asked for again. */
const REFUSED_MAX = 1_000

/** Encodes one record type and decodes any compatible writer's version, synchronously, in Confluent's wire format (0, schema id, Avro). */
export interface Codec<T> {
  readonly subject: string
  readonly id: number
  encode (value: T): Buffer
}

/** What became of an id that no schema was known for: `away` is a registry that did not answer in time. */
export type Lookup = 'found' | 'unknown' | 'away'

export interface SchemaBookOptions {
  readonly clock: Clock
  /** Stands before each topic's name, also in the subject. */
  readonly topicPrefix: string
  /** How long an id that the registry does not know is refused before it is asked for again. */
  readonly refuseForMs: DurationMs
  readonly onLookup?: (id: number, became: Lookup) => void
}

const SCHEMA_BOOK_DEFAULTS: SchemaBookOptions = { clock: systemClock, topicPrefix: '', refuseForMs: 60_000 }

/**
 * The schemas in use, by id. Registries are asynchronous; encoding and decoding never wait: who meets an id that is not known here awaits
 * `learn` and decodes again. Subjects follow TopicRecordNameStrategy: `topic-namespace.Record`.
 */
export class SchemaBook {
  readonly #registry: SchemaRegistry
  readonly #options: SchemaBookOptions
  readonly #writers = new Map<number, avro.Type>()
  readonly #bounds = new Map<number, Bounds | undefined>()
  readonly #readers = new Map<string, avro.Type>()
  readonly #resolvers = new Map<number, { readonly reader: avro.Type, readonly resolver: avro.Resolver | null }>()
  readonly #learning = new Map<number, Promise<void>>()
  /** Until when an id is refused, by the monotonic clock. */
  readonly #refused = new Map<number, number>()

  private constructor (registry: SchemaRegistry, options: SchemaBookOptions) {
    this.#registry = registry
    this.#options = options
  }

  /** The book of an embedded registry: what was registered before must get the ids that stand in the log. */
  static async open (options: { readonly url: string, readonly storage: SchemaStorage }): Promise<SchemaBook> { return await SchemaBook.over(embeddedRegistry(options)) }

  /** The book of any registry. */
  static async over (registry: SchemaRegistry, options: Partial<SchemaBookOptions> = {}): Promise<SchemaBook> {
    const book = new SchemaBook(registry, { ...SCHEMA_BOOK_DEFAULTS, ...options })
    for (const { id, schema } of await registry.known()) book.#writers.set(id, avroTypeOf(schema))
    return book
  }

  async codec<T> (topic: string, schema: RecordSchema): Promise<Codec<T>> {
    const subject = subjectOf(this.#options.topicPrefix + topic, schema)
    const text = JSON.stringify(schema)
    const type = avroTypeOf(text)
    const { id, older } = await this.#registry.idOf(subject, text)
    for (const version of older) if (!this.#writers.has(version.id)) this.#writers.set(version.id, avroTypeOf(version.schema))
    this.#writers.set(id, type)
    this.#readers.set(type.name ?? '', type)
    return { subject, id, encode: value => frame(id, type.toBuffer(value)) }
  }

  /** The record name (`latido.Tick`) of a framed value; undefined for an unknown id or a foreign frame. Reads five bytes. */
  nameOf (buffer: Buffer, start: number, end: number): string | undefined {
    return isFramed(buffer, start, end) ? this.#writers.get(buffer.readUInt32BE(start + 1))?.name : undefined
  }

  /** The schema of an id; undefined: not known here. */
  schemaOf (id: number): unknown { return this.#writers.get(id)?.schema() }

  /** What to await before a framed value can be decoded or refused for good: its schema is being looked up. undefined: nothing. */
  pending (buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    if (!isFramed(buffer, start, end)) return undefined
    const id = buffer.readUInt32BE(start + 1)
    return this.#isSettled(id) ? undefined : this.#learn(id)
  }

  /** Resolves when each id is known or refused; never rejects. Ids that are known cost nothing. */
  async learn (ids: Iterable<number>): Promise<void> {
    await Promise.all([...new Set(ids)].filter(id => !this.#isSettled(id)).map(id => this.#learn(id)))
  }

  /** Decodes a framed value with the reader's schema of the same name. Throws SCHEMA_UNKNOWN or PAYLOAD_INVALID. */
  decode (buffer: Buffer, start: number, end: number): unknown {
    if (!isFramed(buffer, start, end)) throw new LatidoError('PAYLOAD_INVALID', 'a value is not in Confluent wire format', 'find the producer that writes other bytes to this topic')
    const id = buffer.readUInt32BE(start + 1)
    const writer = this.#writers.get(id)
    if (writer === undefined) throw new LatidoError('SCHEMA_UNKNOWN', `schema id ${id} is unknown`, 'register the schema, or find the producer that writes it')
    const reader = this.#readers.get(writer.name ?? '') ?? writer
    const resolver = this.#resolverOf(id, writer, reader)
    try {
      this.#boundsOf(id, writer)?.(buffer, start + MAGIC_BYTES, end)
      const { value, offset } = reader.decode(buffer, start + MAGIC_BYTES, resolver as avro.Resolver) as { value: unknown, offset: number }
      if (offset !== end) throw new RangeError('the value ends elsewhere than its record')
      return value
    } catch (cause) {
      throw new LatidoError('PAYLOAD_INVALID', `a value does not fit its schema ${id}`, 'find the producer that writes it', cause)
    }
  }

  #boundsOf (id: number, writer: avro.Type): Bounds | undefined {
    if (!this.#bounds.has(id)) this.#bounds.set(id, boundsOf(writer))
    return this.#bounds.get(id)
  }

  /** A refusal that has run out is forgotten here, so that the id is asked for once more. */
  #isSettled (id: number): boolean {
    if (this.#writers.has(id) || this.#registry.lookup === undefined) return true
    const until = this.#refused.get(id)
    if (until === undefined) return false
    if (until > this.#options.clock.monotonicMs()) return true
    this.#refused.delete(id)
    return false
  }

  #learn (id: number): Promise<void> {
    let work = this.#learning.get(id)
    if (work === undefined) {
      work = this.#lookup(id).then(became => {
        this.#learning.delete(id)
        if (became !== 'found') this.#refuse(id)
        this.#options.onLookup?.(id, became)
      })
      this.#learning.set(id, work)
    }
    return work
  }

  async #lookup (id: number): Promise<Lookup> {
    try {
      const schema = await this.#registry.lookup?.(id)
      if (schema === undefined) return 'unknown'
      this.#writers.set(id, avroTypeOf(schema))
      return 'found'
    } catch (e) {
      return isLatidoError(e) ? 'away' : 'unknown' // not ours: a text that is no Avro schema
    }
  }

  #refuse (id: number): void {
    if (this.#refused.size >= REFUSED_MAX) for (const oldest of this.#refused.keys()) { this.#refused.delete(oldest); break }
    this.#refused.set(id, this.#options.clock.monotonicMs() + this.#options.refuseForMs)
  }

  /** A newer writer's schema may lack what this reader must have: BACKWARD promises only that newer readers read older writers. */
  #resolverOf (id: number, writer: avro.Type, reader: avro.Type): avro.Resolver | null {
    const known = this.#resolvers.get(id)
    if (known?.reader === reader) return known.resolver
    try {
      const resolver = writer === reader ? null : reader.createResolver(writer)
      this.#resolvers.set(id, { reader, resolver }) // a reader that is registered again is another
      return resolver
    } catch (cause) {
      throw new LatidoError('PAYLOAD_INVALID', `this version cannot read schema ${id}`, 'upgrade this instance to the version of the producer', cause)
    }
  }
}

/** A refusal stands, unless the record's schema can still be looked up: then it is to be decoded again after that. */
export function unlessPending<R extends { readonly cause: string }> (book: SchemaBook, { valueBuffer, valueStart, valueEnd }: RecordCursor, refused: R): R | { readonly kind: 'wait', readonly ready: Promise<void> } {
  const ready = refused.cause === 'schema-unknown' ? book.pending(valueBuffer, valueStart, valueEnd) : undefined
  return ready === undefined ? refused : { kind: 'wait', ready }
}

/** What `read` makes of a record; where a LatidoError says that it cannot be read, its refusal. Any other error is a fault of ours. */
export function readOrRefuse<R> (book: SchemaBook, record: RecordCursor, read: () => R): R | { readonly kind: 'refused', readonly cause: RefusalCause, readonly detail: string } | { readonly kind: 'wait', readonly ready: Promise<void> } {
  try {
    return read()
  } catch (e) {
    if (!isLatidoError(e)) throw e
    const cause = e.code === 'SCHEMA_UNKNOWN' ? 'schema-unknown' as const : 'payload-invalid' as const
    return unlessPending(book, record, { kind: 'refused' as const, cause, detail: e.message })
  }
}

/** TopicRecordNameStrategy. */
export function subjectOf (topic: string, schema: RecordSchema): string { return `${topic}-${schema.namespace}.${schema.name}` }

function isFramed (buffer: Buffer, start: number, end: number): boolean { return end - start >= MAGIC_BYTES && buffer[start] === 0 }

function frame (id: number, payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(MAGIC_BYTES + payload.length)
  framed[0] = 0
  framed.writeUInt32BE(id, 1)
  payload.copy(framed, MAGIC_BYTES)
  return framed
}
