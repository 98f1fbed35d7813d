import { compileFlyweight, KeyInterner, StringInterner, type Layout } from '../codec/index.ts'
import { isLatidoError } from '../errors/index.ts'
import type { RecordCursor } from '../log/index.ts'
import type { EventTimeMs } from '../time/index.ts'
import { decodeEvent, type Decoded } from './decode-event.ts'
import { CONCEPT_IDS, type ConceptId } from './concepts.ts'
import type { SchemaBook } from './schema-book.ts'
import {
  COMPARATORS, OBSERVATION_KINDS, QUALITIES, RESULT_STATUSES,
  type BedsideEvent, type Comparator, type ObservationKind, type PatientKey, type Quality, type ResultStatus,
} from './types.ts'

/** What is read of a set of observations; how its bytes lie says the writer's schema. */
const OBSERVATIONS = {
  type: 'record', name: 'Observations', fields: [
    { name: 'kind', type: 'int' },
    { name: 'source', type: 'string' },
    {
      name: 'observations', type: {
        type: 'array', items: {
          type: 'record', name: 'Observation', fields: [
            { name: 'concept', type: 'string' }, { name: 'value', type: 'double' }, { name: 'comparator', type: 'int' }, { name: 'eventTime', type: 'long' },
            { name: 'status', type: 'int' }, { name: 'quality', type: 'int' }, { name: 'resultId', type: 'string' },
          ],
        },
      },
    },
  ],
} as const
const Observations = compileFlyweight(OBSERVATIONS)

const FRAME_BYTES = 5
/** A longer set gets an array of its own. */
const POOLED_MAX = 64
const TICK: Decoded<BedsideEvent> = { kind: 'ok', value: { type: 'tick' } }
const OUT_OF_RANGE: Decoded<BedsideEvent> = { kind: 'refused', cause: 'payload-invalid', detail: 'a value out of range' }

interface Reading { concept: ConceptId, value: number, comparator: Comparator, eventTime: EventTimeMs, status: ResultStatus, quality: Quality, resultId: string }
interface Readings { readonly type: 'observations', kind: ObservationKind, source: string, observations: readonly Reading[] }
/** How the values of one schema id are read. `other`: as an object. */
type Way = { readonly kind: 'tick' } | { readonly kind: 'other' } | { readonly kind: 'observations', readonly layout: Layout }

/**
 * Reads bedside events without an object for each: a set of observations is the same object every time and holds until the next `read`, the
 * rest is decoded as `decodeEvent` does. Says the same as that, in about a sixth of the time.
 */
export class EventReader {
  readonly #book: SchemaBook
  readonly #ways = new Map<number, Way>()
  readonly #flyweight = new Observations()
  readonly #concepts = new KeyInterner()
  readonly #sources = new StringInterner('utf8', 4_096)
  readonly #patients = new StringInterner('latin1')
  readonly #pool: Reading[] = []
  /** By length; each holds the first of the pool. */
  readonly #lists: (readonly Reading[])[] = []
  readonly #set: Readings = { type: 'observations', kind: 'device', source: '', observations: [] }
  readonly #ok: Decoded<BedsideEvent> = { kind: 'ok', value: this.#set }
  #lastId = -1
  #last: Way = { kind: 'other' }

  constructor (book: SchemaBook) {
    this.#book = book
    for (const id of CONCEPT_IDS) this.#concepts.intern(Buffer.from(id), 0, Buffer.byteLength(id))
  }

  /** As `patientKeyOf`; a key that comes again is the same string. */
  keyOf (record: RecordCursor): PatientKey { return (record.keyStart < 0 ? '' : this.#patients.of(record.keyBuffer, record.keyStart, record.keyEnd)) as PatientKey }

  read (record: RecordCursor): Decoded<BedsideEvent> {
    const { valueBuffer, valueStart, valueEnd } = record
    const way = this.#wayOf(valueBuffer, valueStart, valueEnd)
    if (way.kind === 'tick') return TICK
    if (way.kind === 'other') return decodeEvent(this.#book, record)
    try {
      this.#flyweight.over(valueBuffer, valueStart + FRAME_BYTES, valueEnd, way.layout)
    } catch (e) {
      if (!isLatidoError(e)) throw e
      return { kind: 'refused', cause: 'payload-invalid', detail: e.message }
    }
    return this.#observations()
  }

  /** Concepts are their places in CONCEPT_IDS: no other bytes have a slot. */
  #observations (): Decoded<BedsideEvent> {
    const laid = this.#flyweight
    const { buffer, observationsCount: count, observations: items } = laid
    const kind = OBSERVATION_KINDS[laid.kind]
    if (kind === undefined) return OUT_OF_RANGE
    const list = this.#listOf(count)
    for (let i = 0; i < count; i++) {
      items.next()
      const concept = CONCEPT_IDS[this.#concepts.slotOf(buffer, items.conceptStart, items.conceptEnd)]
      const comparator = COMPARATORS[items.comparator]
      const status = RESULT_STATUSES[items.status]
      const quality = QUALITIES[items.quality]
      if (concept === undefined || comparator === undefined || status === undefined || quality === undefined) return OUT_OF_RANGE
      const reading = list[i]!
      reading.concept = concept
      reading.value = items.value
      reading.comparator = comparator
      reading.eventTime = items.eventTime
      reading.status = status
      reading.quality = quality
      reading.resultId = items.resultIdStart === items.resultIdEnd ? '' : items.resultId
    }
    this.#set.kind = kind
    this.#set.source = this.#sources.of(buffer, laid.sourceStart, laid.sourceEnd)
    this.#set.observations = list
    return this.#ok
  }

  #listOf (count: number): readonly Reading[] {
    const list = this.#lists[count]
    if (list !== undefined) return list
    if (count > POOLED_MAX) return Array.from({ length: count }, empty)
    while (this.#pool.length < count) this.#pool.push(empty())
    return this.#lists[count] = this.#pool.slice(0, count)
  }

  #wayOf (buffer: Buffer, start: number, end: number): Way {
    if (start < 0 || end - start < FRAME_BYTES || buffer[start] !== 0) return { kind: 'other' }
    const id = buffer[start + 1]! * 0x100_0000 + (buffer[start + 2]! << 16 | buffer[start + 3]! << 8 | buffer[start + 4]!)
    if (id === this.#lastId) return this.#last
    const way = this.#ways.get(id) ?? this.#find(id, buffer, start, end)
    if (way === undefined) return { kind: 'other' } // unknown as yet: it may be learnt
    this.#lastId = id
    this.#last = way
    return way
  }

  #find (id: number, buffer: Buffer, start: number, end: number): Way | undefined {
    const name = this.#book.nameOf(buffer, start, end)
    if (name === undefined) return undefined
    const way: Way = name === 'latido.Tick' ? { kind: 'tick' } : name === 'latido.Observations' ? this.#observationsOf(id) : { kind: 'other' }
    this.#ways.set(id, way)
    return way
  }

  #observationsOf (id: number): Way {
    try {
      return { kind: 'observations', layout: Observations.layoutOf(this.#book.schemaOf(id)) }
    } catch (e) {
      if (!isLatidoError(e)) throw e
      return { kind: 'other' } // it is refused there, with its reason
    }
  }
}

/** Its numbers begin as doubles, so that V8 keeps their boxes. */
function empty (): Reading { return { concept: 'heartRate', value: NaN, comparator: '=', eventTime: NaN, status: 'final', quality: 'valid', resultId: '' } }
