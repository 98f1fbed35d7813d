import type { DeadLetterRow, EncounterRow, JsonRow, MergeRow, ObservationsRow, OfflineBatch, StatementRow, VectorRow } from '../port.ts'
import type { RowBinaryWriter } from './row-binary.ts'

/** How a port's rows become a table's: the columns in their order, and a function that writes them. */
export interface TableWriter<Row> {
  readonly table: string
  readonly columns: readonly string[]
  write (out: RowBinaryWriter, row: Row): void
}

const observations: TableWriter<ObservationsRow> = {
  table: 'observations',
  columns: ['patient', 'concept', 'event_time', 'arrival_time', 'value', 'comparator', 'status', 'quality', 'kind', 'source', 'result_id', 'partition', 'offset', 'index'],
  write (out, row) {
    let index = 0
    for (const observation of row.observations) {
      out.known(row.patient)
      out.known(observation.concept)
      out.time(observation.eventTime)
      out.time(row.arrival)
      out.float64(observation.value)
      out.known(observation.comparator)
      out.known(observation.status)
      out.known(observation.quality)
      out.known(row.kind)
      out.known(row.source)
      out.text(observation.resultId)
      out.uint32(row.partition)
      out.int64(row.offset)
      out.uint32(index++)
    }
  },
}

const encounters: TableWriter<EncounterRow> = {
  table: 'encounters',
  columns: ['patient', 'action', 'event_time', 'arrival_time', 'source', 'ward', 'bed', 'age_years', 'sex', 'hours_since_hospital_admission', 'partition', 'offset'],
  write (out, { patient, arrival, event, partition, offset }) {
    out.text(patient)
    out.known(event.action)
    out.time(event.eventTime)
    out.time(arrival)
    out.known(event.source)
    out.text(event.ward)
    out.text(event.bed)
    out.float64(event.ageYears)
    out.known(event.sex)
    out.float64(event.hoursSinceHospitalAdmission)
    out.uint32(partition)
    out.int64(offset)
  },
}

const statements: TableWriter<StatementRow> = {
  table: 'statements',
  columns: ['patient', 'kind', 'statement_id', 'status', 'system', 'code', 'event_time', 'end_time', 'arrival_time', 'value', 'unit', 'source', 'partition', 'offset'],
  write (out, { patient, arrival, event, partition, offset }) {
    out.text(patient)
    out.known(event.kind)
    out.text(event.statementId)
    out.known(event.status)
    out.known(event.system)
    out.text(event.code)
    out.time(event.eventTime)
    out.time(event.endTime)
    out.time(arrival)
    out.float64(event.value)
    out.known(event.unit)
    out.known(event.source)
    out.uint32(partition)
    out.int64(offset)
  },
}

const merges: TableWriter<MergeRow> = {
  table: 'merges',
  columns: ['patient', 'survivor', 'event_time', 'arrival_time', 'source', 'partition', 'offset'],
  write (out, { patient, arrival, event, partition, offset }) {
    out.text(patient)
    out.text(event.survivor)
    out.time(event.eventTime)
    out.time(arrival)
    out.known(event.source)
    out.uint32(partition)
    out.int64(offset)
  },
}

const features: TableWriter<VectorRow> = {
  table: 'features',
  columns: ['patient', 'view', 'version', 'as_of', 'arrival_time', 'trigger', 'values', 'times', 'through', 'entity', 'partition', 'offset'],
  write (out, { patient, arrival, vector, partition, offset }) {
    out.known(patient)
    out.known(vector.view)
    out.uint32(vector.version)
    out.time(vector.asOf)
    out.time(arrival)
    out.known(vector.trigger)
    out.float64s(vector.values)
    out.float64s(vector.times)
    out.int64(vector.through ?? -1)
    out.known(vector.entity ?? 'patient')
    out.uint32(partition)
    out.int64(offset)
  },
}

type ValueKind = 'text' | 'number' | 'count' | 'time' | 'flag' | 'texts' | 'json'
/** How one property of a plain record is written; what is missing or of another type is empty, NaN or 1970. */
const VALUES: Readonly<Record<ValueKind, (out: RowBinaryWriter, value: unknown) => void>> = {
  text: (out: RowBinaryWriter, value: unknown) => { out.text(typeof value === 'string' ? value : value === undefined || value === null ? '' : String(value)) },
  number: (out: RowBinaryWriter, value: unknown) => { out.float64(typeof value === 'number' ? value : NaN) },
  count: (out: RowBinaryWriter, value: unknown) => { out.int64(typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : 0) },
  time: (out: RowBinaryWriter, value: unknown) => { out.time(typeof value === 'number' ? value : NaN) },
  flag: (out: RowBinaryWriter, value: unknown) => { out.uint8(value === true ? 1 : 0) },
  texts: (out: RowBinaryWriter, value: unknown) => { out.texts(Array.isArray(value) ? value.map(String) : []) },
  json: (out: RowBinaryWriter, value: unknown) => { out.text(JSON.stringify(value ?? null)) },
}

/** A record's property, and how it is written; its column is the same name in snake case. */
export type RecordShape = Readonly<Record<string, ValueKind>>

const SCORE_SHAPE: RecordShape = {
  model: 'text', modelVersion: 'text', view: 'text', viewVersion: 'count', asOf: 'time', probability: 'number', presentShare: 'number', reasons: 'json',
}
export const ALERT_SHAPE: RecordShape = {
  alertId: 'text', rule: 'text', priority: 'text', state: 'text', raisedAt: 'time', changedAt: 'time', onsetEventTime: 'time', value: 'number', threshold: 'number',
  missing: 'texts', reasons: 'json', acknowledgedBy: 'text', basis: 'text',
}
export const DRIFT_SHAPE: RecordShape = {
  view: 'text', viewVersion: 'count', feature: 'text', windowStart: 'time', windowEnd: 'time', count: 'count', psi: 'number', threshold: 'number', alarm: 'flag',
  missingShare: 'number', referenceMissingShare: 'number',
}

export function columnOf (property: string): string { return property.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`) }

function records (table: string, shape: RecordShape): TableWriter<JsonRow> {
  const properties = Object.entries(shape)
  return {
    table,
    columns: [...properties.map(([name]) => columnOf(name)), 'patient', 'arrival_time', 'partition', 'offset'],
    write (out, row) {
      for (const [name, kind] of properties) VALUES[kind](out, row.value[name])
      out.text(row.patient)
      out.time(row.arrival)
      out.uint32(row.partition)
      out.int64(row.offset)
    },
  }
}

const scores: TableWriter<JsonRow> = records('scores', SCORE_SHAPE)
const alerts: TableWriter<JsonRow> = records('alerts', ALERT_SHAPE)
const drift: TableWriter<JsonRow> = records('drift', DRIFT_SHAPE)

/** Without the raw bytes: they may identify a person, and stay in the log. */
const deadLetters: TableWriter<DeadLetterRow> = {
  table: 'dead_letters',
  columns: ['cause', 'detail', 'source', 'met_partition', 'met_offset', 'refused_at', 'raw_bytes', 'partition', 'offset'],
  write (out, { letter, partition, offset }) {
    out.known(letter.cause)
    out.text(letter.detail)
    out.text(letter.source)
    out.int64(letter.partition)
    out.int64(letter.offset)
    out.time(letter.refusedAt)
    out.uint32(letter.raw.length)
    out.uint32(partition)
    out.int64(offset)
  },
}

export const TABLE_WRITERS: { readonly [K in keyof OfflineBatch]: TableWriter<OfflineBatch[K][number]> } = { observations, encounters, statements, merges, vectors: features, scores, alerts, drift, deadLetters }
