import { compileFlyweight, type AvroRecord, type FlyweightOf, type Layout } from '../codec/index.ts'
import { isLatidoError } from '../errors/index.ts'
import type { RecordCursor } from '../log/index.ts'
import type { Writers } from './schemas.ts'

/** What a record is. */
export const RECORD = 0
export const TICK = 1
export const REFUSED = 2
export const WAIT = 3
export type Kind = typeof RECORD | typeof TICK | typeof REFUSED | typeof WAIT

/** A record that moves the clock and is nothing else has no key, and no value or this schema's. */
const TICK_SCHEMA = 'latido.Tick'
const FRAME_BYTES = 5

interface Way { readonly kind: Kind, readonly side: number, readonly layout: Layout | undefined, readonly cause: string, readonly detail: string }

/** Lays one flyweight a schema over the values of a topic: the reader's schema is found by the record's name, the writer's by the id in the frame. */
export class AvroReader<S extends AvroRecord> {
  readonly #schemas: readonly S[]
  readonly #writers: Writers
  readonly #classes: readonly ReturnType<typeof compileFlyweight<S>>[]
  readonly #flyweights: readonly FlyweightOf<S>[]
  readonly #ways = new Map<number, Way>()
  #lastId = -1
  #last: Way = NOT_FRAMED
  /** The flyweight of the record just read, and its place among the schemas. */
  flyweight: FlyweightOf<S>
  side = 0
  /** Of a record that was refused. */
  cause = ''
  detail = ''
  /** Of a record that waits. */
  ready: Promise<void> = Promise.resolve()

  constructor (schemas: readonly S[], writers: Writers) {
    this.#schemas = schemas
    this.#writers = writers
    this.#classes = schemas.map(schema => compileFlyweight(schema))
    this.#flyweights = this.#classes.map(Class => new Class())
    this.flyweight = this.#flyweights[0]!
  }

  read (r: RecordCursor): Kind {
    return r.keyStart < 0 && r.valueEnd - r.valueStart <= 0 ? TICK : this.lay(r.valueBuffer, r.valueStart, r.valueEnd)
  }

  /** The same for a value. */
  lay (buffer: Buffer, start: number, end: number): Kind {
    const way = this.#wayOf(buffer, start, end)
    if (way.kind !== RECORD) return this.#not(way)
    const flyweight = this.#flyweights[way.side]!
    try {
      flyweight.over(buffer, start + FRAME_BYTES, end, way.layout)
    } catch (e) {
      if (!isLatidoError(e)) throw e
      this.cause = 'payload-invalid'
      this.detail = e.message
      return REFUSED
    }
    this.flyweight = flyweight
    this.side = way.side
    return RECORD
  }

  /** What to await before a value of this writer can be laid out; undefined: nothing. */
  learn (value: Buffer): Promise<void> | undefined { return this.#wayOf(value, 0, value.length).kind === WAIT ? this.ready : undefined }

  #not (way: Way): Kind {
    this.cause = way.cause
    this.detail = way.detail
    return way.kind
  }

  #wayOf (buffer: Buffer, start: number, end: number): Way {
    if (start < 0 || end - start < FRAME_BYTES || buffer[start] !== 0) return NOT_FRAMED
    const id = buffer[start + 1]! * 0x100_0000 + (buffer[start + 2]! << 16 | buffer[start + 3]! << 8 | buffer[start + 4]!)
    if (id === this.#lastId) return this.#last
    const way = this.#ways.get(id) ?? this.#find(id)
    if (way.kind === WAIT || way.cause === UNKNOWN.cause) return way
    this.#ways.set(id, way)
    this.#lastId = id
    this.#last = way
    return way
  }

  #find (id: number): Way {
    const writer = this.#writers.of(id)
    if (writer === 'unknown') return UNKNOWN
    if (writer === undefined) { this.ready = this.#writers.learn(id); return WAITS }
    const { name, namespace } = writer as { readonly name?: string, readonly namespace?: string }
    const full = name === undefined || namespace === undefined || name.includes('.') ? name ?? '' : `${namespace}.${name}`
    if (full === TICK_SCHEMA) return { ...PLAIN, kind: TICK }
    const side = this.#schemas.findIndex(s => last(s.name) === last(full))
    if (side < 0) return { ...PLAIN, kind: REFUSED, cause: 'schema-other', detail: 'a record of another name' }
    try {
      return { ...PLAIN, side, layout: this.#classes[side]!.layoutOf(writer) }
    } catch (e) {
      if (!isLatidoError(e)) throw e
      return { ...PLAIN, kind: REFUSED, cause: 'schema-incompatible', detail: e.message }
    }
  }
}

const PLAIN: Way = { kind: RECORD, side: 0, layout: undefined, cause: '', detail: '' }
const NOT_FRAMED: Way = { ...PLAIN, kind: REFUSED, cause: 'payload-invalid', detail: 'a value is not in Confluent wire format' }
const UNKNOWN: Way = { ...PLAIN, kind: REFUSED, cause: 'schema-unknown', detail: 'no schema is known for the id of a value' }
const WAITS: Way = { ...PLAIN, kind: WAIT }

function last (name: string): string { return name.slice(name.lastIndexOf('.') + 1) }
