import type { RecordCursor } from '../log/index.ts'
import type { Decoded } from './decode-event.ts'
import { EventReader } from './event-reader.ts'
import { ACKNOWLEDGEMENT, ARCHIVED, DEAD_LETTER, DISPOSITION, ENCOUNTER, IDENTITY, MERGE, OBSERVATIONS, STATEMENT, TICK, TRANSFER } from './schemas.ts'
import { SchemaBook, type Codec } from './schema-book.ts'
import { TOPICS } from './topics.ts'
import {
  COMPARATORS, DISPOSITION_ACTIONS, DISPOSITION_OUTCOMES, ENCOUNTER_ACTIONS, OBSERVATION_KINDS, QUALITIES, REFUSAL_CAUSES, RESULT_STATUSES, SEXES, STATEMENT_KINDS, STATEMENT_STATUSES,
  type ArchivedMessage, type BedsideEvent, type DeadLetter, type DeadLetterRecord, type Disposition, type Observation, type RefusalCause, type SealedIdentity,
} from './types.ts'

export interface EventCodecs {
  encode (event: BedsideEvent): Buffer
  decode (record: RecordCursor): Decoded<BedsideEvent>
  /** Same record types on another topic: the features topic carries encounters, acknowledgements and ticks on. */
  on (topic: string): Promise<Pick<EventCodecs, 'encode'>>
  encodeDeadLetter (letter: DeadLetter): Buffer
  /** Of a record that is known to be a letter; the topic also has dispositions. */
  decodeDeadLetter (record: RecordCursor): DeadLetter
  encodeDisposition (disposition: Disposition): Buffer
  /** Whatever stands on the topic of dead letters. */
  decodeDeadLetterRecord (record: RecordCursor): DeadLetterRecord
  encodeArchived (message: ArchivedMessage): Buffer
  decodeArchived (record: RecordCursor): ArchivedMessage
  encodeIdentity (identity: SealedIdentity): Buffer
  decodeIdentity (record: RecordCursor): SealedIdentity
  readonly book: SchemaBook
}

interface RawObservation { concept: string, value: number, comparator: number, eventTime: number, status: number, quality: number, resultId: string }
type RawRecord = Record<string, unknown>

export async function openEventCodecs (book: SchemaBook): Promise<EventCodecs> {
  const encode = await encoderOn(book, TOPICS.events)
  const letters = await book.codec<RawRecord>(TOPICS.deadLetters, DEAD_LETTER)
  const dispositions = await book.codec<RawRecord>(TOPICS.deadLetters, DISPOSITION)
  const reader = new EventReader(book)
  const archived = await book.codec<RawRecord>(TOPICS.archive, ARCHIVED)
  const identities = await book.codec<RawRecord>(TOPICS.identity, IDENTITY)
  return {
    book,
    encode,
    decode: record => kept(reader.read(record)),
    on: async topic => ({ encode: await encoderOn(book, topic) }),
    encodeDeadLetter: letter => letters.encode({ ...letter, cause: REFUSAL_CAUSES.indexOf(letter.cause), raw: Buffer.from(letter.raw) }),
    decodeDeadLetter: record => letterOf(book, record),
    encodeDisposition: disposition => dispositions.encode({ ...disposition, action: DISPOSITION_ACTIONS.indexOf(disposition.action), outcome: DISPOSITION_OUTCOMES.indexOf(disposition.outcome) }),
    decodeDeadLetterRecord: record => isDisposition(book, record) ? { kind: 'disposition', disposition: dispositionOf(book, record) } : { kind: 'letter', letter: letterOf(book, record) },
    encodeArchived: message => archived.encode({ ...message, raw: Buffer.from(message.raw) }),
    decodeArchived: record => book.decode(record.valueBuffer, record.valueStart, record.valueEnd) as ArchivedMessage,
    encodeIdentity: ({ sealed, key }) => identities.encode({ sealed, key }),
    decodeIdentity: record => book.decode(record.valueBuffer, record.valueStart, record.valueEnd) as SealedIdentity,
  }
}

function isDisposition (book: SchemaBook, { valueBuffer, valueStart, valueEnd }: RecordCursor): boolean { return book.nameOf(valueBuffer, valueStart, valueEnd) === `${DISPOSITION.namespace}.${DISPOSITION.name}` }

function letterOf (book: SchemaBook, record: RecordCursor): DeadLetter {
  const raw = book.decode(record.valueBuffer, record.valueStart, record.valueEnd) as Omit<DeadLetter, 'cause'> & { cause: number }
  return { ...raw, cause: REFUSAL_CAUSES[raw.cause] ?? 'payload-invalid' }
}

/** A word that this version does not know is read as the one that leaves the letter open. */
function dispositionOf (book: SchemaBook, record: RecordCursor): Disposition {
  const raw = book.decode(record.valueBuffer, record.valueStart, record.valueEnd) as Omit<Disposition, 'action' | 'outcome' | 'cause'> & { action: number, outcome: number, cause: string }
  const cause = raw.cause === '' ? '' : REFUSAL_CAUSES.find((one): one is RefusalCause => one === raw.cause) ?? 'payload-invalid'
  return { ...raw, cause, action: DISPOSITION_ACTIONS[raw.action] ?? 'retried', outcome: DISPOSITION_OUTCOMES[raw.outcome] ?? 'refused' }
}

async function encoderOn (book: SchemaBook, topic: string): Promise<EventCodecs['encode']> {
  const observations: Codec<RawRecord> = await book.codec(topic, OBSERVATIONS)
  const encounter: Codec<RawRecord> = await book.codec(topic, ENCOUNTER)
  const statement: Codec<RawRecord> = await book.codec(topic, STATEMENT)
  const acknowledgement: Codec<RawRecord> = await book.codec(topic, ACKNOWLEDGEMENT)
  const merge: Codec<RawRecord> = await book.codec(topic, MERGE)
  const transfer: Codec<RawRecord> = await book.codec(topic, TRANSFER)
  const tick = (await book.codec<RawRecord>(topic, TICK)).encode({})
  return event => {
    switch (event.type) {
      case 'observations': return observations.encode({ kind: OBSERVATION_KINDS.indexOf(event.kind), source: event.source, observations: event.observations.map(rawObservation) })
      case 'encounter': return encounter.encode({ ...event, action: ENCOUNTER_ACTIONS.indexOf(event.action), sex: SEXES.indexOf(event.sex), visit: event.visit ?? '', movedTo: event.movedTo ?? '', visitAfter: event.visitAfter ?? '', movedAt: event.movedAt ?? -1 })
      case 'statement': return statement.encode({ ...event, kind: STATEMENT_KINDS.indexOf(event.kind), status: STATEMENT_STATUSES.indexOf(event.status) })
      case 'acknowledgement': return acknowledgement.encode({ ...event })
      case 'merge': return merge.encode({ ...event })
      case 'transfer': return transfer.encode({ ...event })
      case 'tick': return tick
    }
  }
}

function rawObservation (o: Observation): RawObservation {
  return { ...o, comparator: COMPARATORS.indexOf(o.comparator), status: RESULT_STATUSES.indexOf(o.status), quality: QUALITIES.indexOf(o.quality) }
}

/** A copy that lives on when the reader has gone to the next record. */
function kept (decoded: Decoded<BedsideEvent>): Decoded<BedsideEvent> {
  if (decoded.kind === 'refused' || decoded.value.type !== 'observations') return decoded
  return { kind: 'ok', value: { ...decoded.value, observations: decoded.value.observations.map(o => ({ ...o })) } }
}
