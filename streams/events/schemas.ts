import { COMPARATORS, DISPOSITION_ACTIONS, DISPOSITION_OUTCOMES, ENCOUNTER_ACTIONS, OBSERVATION_KINDS, QUALITIES, REFUSAL_CAUSES, RESULT_STATUSES, SEXES, STATEMENT_KINDS, STATEMENT_STATUSES } from './types.ts'

type AvroSchema = string | readonly unknown[] | { readonly [key: string]: unknown }
export interface RecordSchema { readonly type: 'record', readonly name: string, readonly namespace: string, readonly doc: string, readonly fields: readonly { readonly name: string, readonly type: AvroSchema, readonly default?: unknown, readonly doc?: string }[] }

const namespace = 'latido'
const millis = { type: 'long', logicalType: 'timestamp-millis' }
/** Enumerations travel as their place in the list of types.ts: a byte, and new members are added at the end. */
const placeIn = (members: readonly string[]): AvroSchema => ({ type: 'int', members })

export const OBSERVATIONS: RecordSchema = {
  type: 'record', name: 'Observations', namespace, doc: 'One source message with its values: takes effect whole or not at all.',
  fields: [
    { name: 'kind', type: placeIn(OBSERVATION_KINDS) },
    { name: 'source', type: 'string' },
    {
      name: 'observations', type: {
        type: 'array', items: {
          type: 'record', name: 'Observation', fields: [
            { name: 'concept', type: 'string', doc: 'Id in the table of concepts' },
            { name: 'value', type: 'double', doc: 'In the canonical unit of the concept' },
            { name: 'comparator', type: placeIn(COMPARATORS) },
            { name: 'eventTime', type: millis },
            { name: 'status', type: placeIn(RESULT_STATUSES) },
            { name: 'quality', type: placeIn(QUALITIES) },
            { name: 'resultId', type: 'string' },
          ],
        },
      },
    },
  ],
}

export const ENCOUNTER: RecordSchema = {
  type: 'record', name: 'Encounter', namespace, doc: 'An admission, transfer, discharge or update.',
  fields: [
    { name: 'action', type: placeIn(ENCOUNTER_ACTIONS) },
    { name: 'eventTime', type: millis },
    { name: 'source', type: 'string' },
    { name: 'ward', type: 'string' },
    { name: 'bed', type: 'string' },
    { name: 'ageYears', type: 'double', doc: '-1 unknown; over 89 is 90' },
    { name: 'sex', type: placeIn(SEXES) },
    { name: 'hoursSinceHospitalAdmission', type: 'double', doc: '-1 unknown' },
    { name: 'visit', type: 'string', default: '', doc: 'Pseudonym of the visit number' },
    { name: 'movedTo', type: 'string', default: '', doc: 'Pseudonym of the patient whose the visit is from here on' },
    { name: 'visitAfter', type: 'string', default: '', doc: 'Pseudonym of the number that the visit has from then on' },
    { name: 'movedAt', type: millis, default: -1, doc: 'When the move was said that it follows; -1 none' },
  ],
}

export const STATEMENT: RecordSchema = {
  type: 'record', name: 'Statement', namespace, doc: 'What is known of a patient that is no reading, coded.',
  fields: [
    { name: 'kind', type: placeIn(STATEMENT_KINDS) },
    { name: 'source', type: 'string' },
    { name: 'statementId', type: 'string' },
    { name: 'status', type: placeIn(STATEMENT_STATUSES) },
    { name: 'system', type: 'string' },
    { name: 'code', type: 'string' },
    { name: 'eventTime', type: millis },
    { name: 'endTime', type: millis, doc: '-1 unknown or still going on' },
    { name: 'value', type: 'double', doc: 'NaN: none' },
    { name: 'unit', type: 'string' },
  ],
}

export const ACKNOWLEDGEMENT: RecordSchema = {
  type: 'record', name: 'Acknowledgement', namespace, doc: 'A person acknowledged an alert.',
  fields: [{ name: 'alertId', type: 'string' }, { name: 'by', type: 'string', doc: 'Role or pseudonym, never a name' }],
}

export const MERGE: RecordSchema = {
  type: 'record', name: 'Merge', namespace, doc: 'The key and the survivor are one patient; the survivor keeps what both have.',
  fields: [{ name: 'survivor', type: 'string', doc: 'Pseudonym' }, { name: 'eventTime', type: millis }, { name: 'source', type: 'string' }],
}

export const TRANSFER: RecordSchema = {
  type: 'record', name: 'Transfer', namespace, doc: 'The state of a merged key, for the key of this record.',
  fields: [
    { name: 'from', type: 'string', doc: 'Pseudonym' },
    { name: 'via', type: { type: 'array', items: { type: 'record', name: 'Hop', fields: [{ name: 'key', type: 'string' }, { name: 'at', type: millis }] } }, doc: 'Merges that it has followed' },
    { name: 'version', type: 'int', doc: 'Of the codec that wrote the state' },
    { name: 'state', type: 'bytes' },
  ],
}

export const TICK: RecordSchema = { type: 'record', name: 'Tick', namespace, doc: 'Nothing happened: moves the clock of the partition.', fields: [] }

export const DEAD_LETTER: RecordSchema = {
  type: 'record', name: 'DeadLetter', namespace, doc: 'A refused message or value, its raw bytes sealed.',
  fields: [
    { name: 'cause', type: placeIn(REFUSAL_CAUSES) },
    { name: 'detail', type: 'string' },
    { name: 'source', type: 'string' },
    { name: 'partition', type: 'int' },
    { name: 'offset', type: 'long' },
    { name: 'refusedAt', type: millis },
    { name: 'raw', type: 'bytes' },
    { name: 'feed', type: 'string', default: '', doc: 'The feed that can read the bytes again' },
  ],
}

export const DISPOSITION: RecordSchema = {
  type: 'record', name: 'Disposition', namespace, doc: 'What somebody did with a dead letter of this topic.',
  fields: [
    { name: 'letter', type: 'long', doc: 'Its offset' },
    { name: 'action', type: placeIn(DISPOSITION_ACTIONS) },
    { name: 'outcome', type: placeIn(DISPOSITION_OUTCOMES) },
    { name: 'cause', type: 'string', doc: 'Of being refused again; empty otherwise' },
    { name: 'detail', type: 'string' },
    { name: 'at', type: millis },
    { name: 'by', type: 'string', doc: 'Role or pseudonym, never a name' },
  ],
}

export const ARCHIVED: RecordSchema = {
  type: 'record', name: 'Archived', namespace, doc: 'A message that was taken and carries nothing that is computed with, sealed.',
  fields: [{ name: 'source', type: 'string' }, { name: 'type', type: 'string' }, { name: 'at', type: millis }, { name: 'raw', type: 'bytes' }],
}

/** The identity record: what names a patient, sealed for that patient alone. */
export const IDENTITY: RecordSchema = {
  type: 'record', name: 'Identity', namespace, doc: 'Who a pseudonym is, encrypted with a key of that patient.',
  fields: [{ name: 'sealed', type: 'bytes' }, { name: 'key', type: 'bytes', default: '', doc: 'The key of that patient, wrapped by the installation; empty where one instance alone reads it' }],
}
