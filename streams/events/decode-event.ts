import { isLatidoError } from '../errors/index.ts'
import type { RecordCursor } from '../log/index.ts'
import { isConceptId } from './concepts.ts'
import type { SchemaBook } from './schema-book.ts'
import {
  COMPARATORS, ENCOUNTER_ACTIONS, OBSERVATION_KINDS, QUALITIES, RESULT_STATUSES, SEXES, STATEMENT_KINDS, STATEMENT_STATUSES, type BedsideEvent, type EncounterEvent, type Observation, type PatientKey, type RefusalCause, type StatementEvent,
} from './types.ts'

/** A record decoded, or why it cannot be. */
export type Decoded<T> = { readonly kind: 'ok', readonly value: T } | { readonly kind: 'refused', readonly cause: RefusalCause, readonly detail: string }

interface RawObservation { concept: string, value: number, comparator: number, eventTime: number, status: number, quality: number, resultId: string }
type RawRecord = Record<string, unknown>

const TICK_EVENT: BedsideEvent = { type: 'tick' }

/** An event as an object of its own. `EventReader` is for streams: it says the same, and bounds what a damaged count of items can cost. */
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
      const { action, sex, ...rest } = raw as { action: number, sex: number, eventTime: number, source: string, ward: string, bed: string, ageYears: number, hoursSinceHospitalAdmission: number, visit: string, movedTo: string, visitAfter: string, movedAt: number }
      return { type: 'encounter', action: member(ENCOUNTER_ACTIONS, action), sex: member(SEXES, sex), eventTime: rest.eventTime, source: rest.source, ward: rest.ward, bed: rest.bed, ageYears: rest.ageYears, hoursSinceHospitalAdmission: rest.hoursSinceHospitalAdmission, ...visitOf(rest) }
    }
    case 'latido.Statement': {
      const { kind, status, ...rest } = raw as Omit<StatementEvent, 'type' | 'kind' | 'status'> & { readonly kind: number, readonly status: number }
      return { type: 'statement', kind: member(STATEMENT_KINDS, kind), status: member(STATEMENT_STATUSES, status), source: rest.source, statementId: rest.statementId, system: rest.system, code: rest.code, eventTime: rest.eventTime, endTime: rest.endTime, value: rest.value, unit: rest.unit }
    }
    case 'latido.Acknowledgement': {
      const { alertId, by } = raw as { alertId: string, by: string }
      return { type: 'acknowledgement', alertId, by }
    }
    case 'latido.Merge': {
      const { survivor, eventTime, source } = raw as { survivor: PatientKey, eventTime: number, source: string }
      return { type: 'merge', survivor, eventTime, source }
    }
    case 'latido.Transfer': {
      const { from, via, version, state } = raw as { from: PatientKey, via: { key: string, at: number }[], version: number, state: Buffer }
      return { type: 'transfer', from, via: via.map(({ key, at }) => ({ key, at })), version, state: Buffer.from(state) }
    }
    default: return undefined
  }
}

function visitOf ({ visit, movedTo, visitAfter, movedAt }: { readonly visit: string, readonly movedTo: string, readonly visitAfter: string, readonly movedAt: number }): Pick<EncounterEvent, 'visit' | 'movedTo' | 'visitAfter' | 'movedAt'> {
  return { ...visit === '' ? {} : { visit }, ...movedTo === '' ? {} : { movedTo: movedTo as PatientKey }, ...visitAfter === '' ? {} : { visitAfter }, ...movedAt < 0 ? {} : { movedAt } }
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
