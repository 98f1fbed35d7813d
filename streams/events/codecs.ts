import { isLatidoError } from '../errors/index.ts'
import type { RecordCursor } from '../log/index.ts'
import { isConceptId } from './concepts.ts'
import { ACKNOWLEDGEMENT, DEAD_LETTER, ENCOUNTER, IDENTITY, OBSERVATIONS, TICK } from './schemas.ts'
import { SchemaBook, type Codec } from './schema-book.ts'
import { TOPICS } from './topics.ts'
import {
  COMPARATORS, ENCOUNTER_ACTIONS, OBSERVATION_KINDS, QUALITIES, REFUSAL_CAUSES, RESULT_STATUSES, SEXES,
  type BedsideEvent, type DeadLetter, type Observation, type PatientKey, type RefusalCause,
} from './types.ts'

/** A record decoded, or why it cannot be. */
export type Decoded<T> = { readonly kind: 'ok', readonly value: T } | { readonly kind: 'refused', readonly cause: RefusalCause, readonly detail: string }

export interface EventCodecs {
  encode (event: BedsideEvent): Buffer
  decode (record: RecordCursor): Decoded<BedsideEvent>
  /** Same record types on another topic: the features topic carries encounters, acknowledgements and ticks on. */
  on (topic: string): Promise<Pick<EventCodecs, 'encode'>>
  encodeDeadLetter (letter: DeadLetter): Buffer
  decodeDeadLetter (record: RecordCursor): DeadLetter
  encodeIdentity (sealed: Buffer): Buffer
  decodeIdentity (record: RecordCursor): Buffer
  readonly book: SchemaBook
}

interface RawObservation { concept: string, value: number, comparator: number, eventTime: number, status: number, quality: number, resultId: string }
type RawRecord = Record<string, unknown>

export async function openEventCodecs (book: SchemaBook): Promise<EventCodecs> {
  const encode = await encoderOn(book, TOPICS.events)
  const letters = await book.codec<RawRecord>(TOPICS.deadLetters, DEAD_LETTER)
  const identities = await book.codec<RawRecord>(TOPICS.identity, IDENTITY)
  return {
    book,
    encode,
    decode: record => decodeEvent(book, record),
    on: async topic => ({ encode: await encoderOn(book, topic) }),
    encodeDeadLetter: letter => letters.encode({ ...letter, cause: REFUSAL_CAUSES.indexOf(letter.cause), raw: Buffer.from(letter.raw) }),
    decodeDeadLetter: record => {
      const raw = book.decode(record.valueBuffer, record.valueStart, record.valueEnd) as Omit<DeadLetter, 'cause'> & { cause: number }
      return { ...raw, cause: REFUSAL_CAUSES[raw.cause] ?? 'payload-invalid' }
    },
    encodeIdentity: sealed => identities.encode({ sealed }),
    decodeIdentity: record => (book.decode(record.valueBuffer, record.valueStart, record.valueEnd) as { sealed: Buffer }).sealed,
  }
}

async function encoderOn (book: SchemaBook, topic: string): Promise<EventCodecs['encode']> {
  const observations: Codec<RawRecord> = await book.codec(topic, OBSERVATIONS)
  const encounter: Codec<RawRecord> = await book.codec(topic, ENCOUNTER)
  const acknowledgement: Codec<RawRecord> = await book.codec(topic, ACKNOWLEDGEMENT)
  const tick = (await book.codec<RawRecord>(topic, TICK)).encode({})
  return event => {
    switch (event.type) {
      case 'observations': return observations.encode({ kind: OBSERVATION_KINDS.indexOf(event.kind), source: event.source, observations: event.observations.map(rawObservation) })
      case 'encounter': return encounter.encode({ ...event, action: ENCOUNTER_ACTIONS.indexOf(event.action), sex: SEXES.indexOf(event.sex) })
      case 'acknowledgement': return acknowledgement.encode({ ...event })
      case 'tick': return tick
    }
  }
}

function rawObservation (o: Observation): RawObservation {
  return { ...o, comparator: COMPARATORS.indexOf(o.comparator), status: RESULT_STATUSES.indexOf(o.status), quality: QUALITIES.indexOf(o.quality) }
}

const TICK_EVENT: BedsideEvent = { type: 'tick' }

export function decodeEvent (book: SchemaBook, record: RecordCursor): Decoded<BedsideEvent> {
  const { valueBuffer, valueStart, valueEnd } = record
  const name = book.nameOf(valueBuffer, valueStart, valueEnd)
  if (name === 'latido.Tick') return { kind: 'ok', value: TICK_EVENT }
  try {
    const raw = book.decode(valueBuffer, valueStart, valueEnd) as RawRecord
    const value = name === undefined ? undefined : fromRaw(name, raw)
    return value === undefined ? { kind: 'refused', cause: 'payload-invalid', detail: 'a record type that is not a bedside event' } : { kind: 'ok', value }
  } catch (e) {
    return { kind: 'refused', cause: isLatidoError(e) && e.code === 'SCHEMA_UNKNOWN' ? 'schema-unknown' : 'payload-invalid', detail: isLatidoError(e) ? e.message : 'a value out of range' }
  }
}

function fromRaw (name: string, raw: RawRecord): BedsideEvent | undefined {
  switch (name) {
    case 'latido.Observations': {
      const { kind, source, observations } = raw as { kind: number, source: string, observations: RawObservation[] }
      return { type: 'observations', kind: member(OBSERVATION_KINDS, kind), source, observations: observations.map(observation) }
    }
    case 'latido.Encounter': {
      const { action, sex, ...rest } = raw as { action: number, sex: number, eventTime: number, source: string, ward: string, bed: string, ageYears: number, hoursSinceHospitalAdmission: number }
      return { type: 'encounter', action: member(ENCOUNTER_ACTIONS, action), sex: member(SEXES, sex), eventTime: rest.eventTime, source: rest.source, ward: rest.ward, bed: rest.bed, ageYears: rest.ageYears, hoursSinceHospitalAdmission: rest.hoursSinceHospitalAdmission }
    }
    case 'latido.Acknowledgement': {
      const { alertId, by } = raw as { alertId: string, by: string }
      return { type: 'acknowledgement', alertId, by }
    }
    default: return undefined
  }
}

function observation (raw: RawObservation): Observation {
  if (!isConceptId(raw.concept)) throw new RangeError('unknown concept')
  return { concept: raw.concept, value: raw.value, comparator: member(COMPARATORS, raw.comparator), eventTime: raw.eventTime, status: member(RESULT_STATUSES, raw.status), quality: member(QUALITIES, raw.quality), resultId: raw.resultId }
}

function member<T> (members: readonly T[], place: number): T {
  const found = members[place]
  if (found === undefined) throw new RangeError('an enumeration is out of range')
  return found
}

/** The key of a record: the patient's pseudonym; empty for a tick. */
export function patientKeyOf (record: RecordCursor): PatientKey {
  return (record.keyStart < 0 ? '' : record.keyBuffer.toString('latin1', record.keyStart, record.keyEnd)) as PatientKey
}
