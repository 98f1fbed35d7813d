import { LatidoError } from '../errors/index.ts'
import { systemClock, type Clock, type DurationMs } from '../time/index.ts'

/** Where schemas have their ids from; the product's schema registries are such. */
export interface Schemas {
  /** What is known from the start. */
  known (): Promise<readonly { readonly id: number, readonly schema: string }[]>
  /** The schema of an id; undefined: there is none. Throws where the registry does not answer. */
  lookup? (id: number): Promise<string | undefined>
  /** The id under which a schema is written. */
  idOf (subject: string, schema: string): Promise<{ readonly id: number }>
}

/** Schemas with fixed ids and no registry: for tests, and for topics whose one schema everybody knows. */
export function fixedSchemas (schemas: Readonly<Record<number, unknown>> = {}): Schemas {
  const byId = new Map(Object.entries(schemas).map(([id, schema]) => [Number(id), typeof schema === 'string' ? schema : JSON.stringify(schema)]))
  return {
    known: () => Promise.resolve([...byId].map(([id, schema]) => ({ id, schema }))),
    idOf: (_subject, schema) => {
      const found = [...byId].find(([, known]) => known === schema)
      const id = found?.[0] ?? Math.max(0, ...byId.keys()) + 1
      byId.set(id, schema)
      return Promise.resolve({ id })
    },
  }
}

/** How long an id that nobody knows is refused before it is asked for again. */
const REFUSE_FOR_MS: DurationMs = 60_000
/** So many refused ids are kept; more of them means a topic of garbage, and the oldest are asked for again. */
const REFUSED_MAX = 1_000

/** The writers' schemas by id. Answers at once; who meets an id that is not here awaits `learn` and asks again. */
export class Writers {
  readonly #schemas: Schemas
  readonly #clock: Clock
  readonly #known = new Map<number, unknown>()
  readonly #refusedUntil = new Map<number, number>()

  private constructor (schemas: Schemas, clock: Clock) {
    this.#schemas = schemas
    this.#clock = clock
  }

  static async open (schemas: Schemas, clock: Clock = systemClock): Promise<Writers> {
    const writers = new Writers(schemas, clock)
    for (const { id, schema } of await schemas.known()) writers.#known.set(id, JSON.parse(schema))
    return writers
  }

  /** The schema of an id, 'unknown' if there is none, or undefined: it has to be learnt first. */
  of (id: number): unknown {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    if (this.#schemas.lookup === undefined || (this.#refusedUntil.get(id) ?? -1) > this.#clock.monotonicMs()) return 'unknown'
    return undefined
  }

  /** Never rejects: an id that cannot be learnt is refused for a while. */
  async learn (id: number): Promise<void> {
    try {
      const schema = await this.#schemas.lookup?.(id)
      if (schema === undefined) { this.#refuse(id); return }
      this.#known.set(id, JSON.parse(schema))
    } catch {
      this.#refuse(id) // away, or no schema: its records are dead letters until it is
    }
  }

  /** Subjects follow TopicRecordNameStrategy: `topic-namespace.Record`. */
  async idOf (topic: string, schema: { readonly name: string, readonly namespace?: unknown }): Promise<number> {
    const name = typeof schema.namespace === 'string' ? `${schema.namespace}.${schema.name}` : schema.name
    const text = JSON.stringify(schema)
    const { id } = await this.#schemas.idOf(`${topic}-${name}`, text)
    if (!Number.isInteger(id) || id < 0) throw new LatidoError('SCHEMA_UNKNOWN', `the schema of ${topic} has no id`, 'register it')
    this.#known.set(id, JSON.parse(text))
    return id
  }

  #refuse (id: number): void {
    if (this.#refusedUntil.size >= REFUSED_MAX) for (const oldest of this.#refusedUntil.keys()) { this.#refusedUntil.delete(oldest); break }
    this.#refusedUntil.set(id, this.#clock.monotonicMs() + REFUSE_FOR_MS)
  }
}
