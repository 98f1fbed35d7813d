import { isPossible, type Observation } from '../../../streams/events/index.ts'
import type { EventTimeMs } from '../../../streams/time/index.ts'
import { isCoded, parseAnswer, parseNumeric } from '../../hl7/index.ts'
import { canonicalValue, identifierOf, IGNORE, meaningOf, note, passOver, type CodeMapping, type Fault, type MapContext, type MappedMessage, type MessageMapper, type Notices, type RefusedPart, type ResultName } from '../../kit/index.ts'
import { onlyColumn, rowReader, type CsvRow } from './row.ts'
import type { CsvSpec } from './spec.ts'
import { parseTime } from './time.ts'

const SOURCE = 'file:csv'
/** How far the source's clock may be ahead of ours. */
const AHEAD_MS_MAX = 300_000
const EARLIEST_MS = Date.UTC(1971, 0, 1)

/** One row to what goes on the log. */
export function csvMapper (spec: CsvSpec): MessageMapper {
  const read = rowReader(spec.delimiter)
  const wide = Object.keys(spec.columns).length > 0
  return (raw, context) => {
    const row = read(raw)
    if (row === undefined) return rejected({ cause: 'malformed', detail: 'no row of a CSV file' })
    if (row.broken !== '') return rejected({ cause: 'malformed', detail: `line ${row.line}: ${row.broken}` })
    const [patient, time] = [patientOf(row, spec, context), timeOf(row, spec, context)]
    if (typeof patient !== 'string') return rejected(patient)
    if (typeof time !== 'number') return rejected(time)
    return wide ? mapWide(raw, row, spec, context, patient, time) : mapLong(row, spec, context, patient, time)
  }
}

/** The result that a row speaks of, whether it can be mapped or not. None of device numerics, which nobody corrects. */
export function csvResultNames (raw: Buffer, spec: CsvSpec, context: MapContext): readonly ResultName[] {
  const row = spec.kind === 'device' ? undefined : rowReader(spec.delimiter)(raw)
  if (row === undefined || row.broken !== '') return []
  const [patient, time] = [patientOf(row, spec, context), timeOf(row, spec, context)]
  return [{ patient: typeof patient === 'string' ? patient : undefined, resultId: numberIn(row, spec), row: { file: placeIn(row), ...typeof time === 'number' ? { at: time } : {} } }]
}

function rejected (fault: Fault): MappedMessage { return { kind: 'rejected', source: SOURCE, fault, notices: new Map() } }

function at (row: CsvRow, column: string): string { return `line ${row.line}, column ${column}` }

function field (row: CsvRow, column: string): string { return row.fields[row.header.indexOf(column)]?.trim() ?? '' }

function patientOf (row: CsvRow, { patient, authority }: CsvSpec, { mapping }: MapContext): string | Fault {
  const said = field(row, patient)
  if (said === '') return { cause: 'patient-missing', detail: at(row, patient) }
  return identifierOf(mapping, authority, said) ?? { cause: 'patient-missing', detail: `${at(row, patient)}: the identifiers of this authority are not taken` }
}

function timeOf (row: CsvRow, { time, timeFormat, zone }: CsvSpec, { mapping, now }: MapContext): EventTimeMs | Fault {
  const moment = parseTime(field(row, time), timeFormat, zone === '' ? mapping.zone : zone)
  if (moment === undefined) return { cause: 'time-unparsable', detail: at(row, time) }
  if (moment > now + AHEAD_MS_MAX) return { cause: 'time-in-future', detail: at(row, time) }
  if (moment < EARLIEST_MS) return { cause: 'time-implausible', detail: `${at(row, time)}: before 1971` }
  return Math.min(moment, now)
}

function mapLong (row: CsvRow, spec: CsvSpec, context: MapContext, patient: string, time: EventTimeMs): MappedMessage {
  const observation = observationOf(row, context, spec, { column: spec.value, code: field(row, spec.code), system: spec.system, unit: spec.unit === '' ? '' : field(row, spec.unit), time, resultId: resultOf(row, spec, spec.code) })
  const notices: Notices = new Map()
  if (observation === IGNORE) passOver(notices)
  else if ('cause' in observation) return rejected(observation)
  return mapped(row, spec, patient, observation === IGNORE ? [] : [observation], [], notices)
}

function mapWide (raw: Buffer, row: CsvRow, spec: CsvSpec, context: MapContext, patient: string, time: EventTimeMs): MappedMessage {
  const observations: Observation[] = []
  const refused: RefusedPart[] = []
  const notices: Notices = new Map()
  for (const [column, { code, system, unit }] of Object.entries(spec.columns)) {
    const place = row.header.indexOf(column)
    if (row.column !== undefined && row.column !== place || isMissing(field(row, column))) continue
    const observation = observationOf(row, context, spec, { column, code, system, unit, time, resultId: resultOf(row, spec, column) })
    if (observation === IGNORE) passOver(notices)
    else if ('cause' in observation) refused.push({ fault: observation, raw: onlyColumn(raw, place) })
    else observations.push(observation)
  }
  const [only] = refused
  if (only !== undefined && row.column !== undefined) return rejected(only.fault)
  if (observations.length === 0 && notices.size === 0 && refused.length === 0) note(notices, 'row-without-values')
  return mapped(row, spec, patient, observations, refused, notices)
}

function mapped (row: CsvRow, { kind }: CsvSpec, patient: string, observations: readonly Observation[], refused: readonly RefusedPart[], notices: Notices): MappedMessage {
  const id = `${row.identity}#${row.record}${row.column === undefined ? '' : `#${row.column}`}`
  const events = observations.length === 0 ? [] : [{ patient: { id: patient }, event: { type: 'observations' as const, kind, source: SOURCE, observations } }]
  return { kind: 'mapped', source: SOURCE, id, content: Buffer.from(JSON.stringify([row.header, row.fields])), events, refused, notices }
}

interface Said { readonly column: string, readonly code: string, readonly system: string, readonly unit: string, readonly time: EventTimeMs, readonly resultId: string }

function observationOf (row: CsvRow, { mapping, unmapped }: MapContext, { decimal }: CsvSpec, { column, code, system, unit, time, resultId }: Said): Observation | Fault | typeof IGNORE {
  const meaning = meaningOf(mapping, system, code)
  if (meaning === IGNORE) return IGNORE
  if (meaning === undefined) {
    unmapped({ system, code, text: '', unit })
    return { cause: 'code-unknown', detail: `${at(row, column)}: no concept has this code` }
  }
  const text = field(row, column)
  const number = numberOf(meaning, text, decimal)
  if (number === undefined) return { cause: 'value-unparsable', detail: at(row, column) }
  const value = isCoded(meaning.concept) ? number.value : canonicalValue(mapping, meaning, number.value, unit)
  if (value === undefined) return { cause: 'unit-unknown', detail: `${at(row, column)}: the unit is not one of this code` }
  if (!isPossible(meaning.concept, value)) return { cause: 'value-impossible', detail: at(row, column) }
  return { concept: meaning.concept, value, comparator: number.comparator, eventTime: time, status: 'final', quality: 'valid', resultId }
}

function numberOf ({ concept }: CodeMapping, text: string, decimal: CsvSpec['decimal']): ReturnType<typeof parseNumeric> {
  const answer = parseAnswer(concept, [text])
  if (answer !== undefined) return { value: answer, comparator: '=' }
  if (decimal === '.') return text.includes(',') ? undefined : parseNumeric(text)
  return text.includes('.') ? undefined : parseNumeric(text.replace(',', '.'))
}

/** How tables write that nothing was recorded. */
function isMissing (text: string): boolean { return text === '' || text === 'NA' || text === 'NaN' || text === 'NULL' }

/** Of device numerics there is none; else the row's own, or its place in the file. */
function resultOf (row: CsvRow, spec: CsvSpec, column: string): string {
  return spec.kind === 'device' ? '' : numberIn(row, spec) || `${placeIn(row)}${row.record}#${column}`
}

function numberIn (row: CsvRow, { result }: CsvSpec): string { return result === '' ? '' : field(row, result) }

/** How the identities of those results begin that have no number, of one file. */
function placeIn ({ identity }: CsvRow): string { return `${identity.slice(0, 16)}#` }
