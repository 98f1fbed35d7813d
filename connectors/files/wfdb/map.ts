import { isPossible, type ConceptId, type Observation } from '../../../streams/events/index.ts'
import { zoneToUtc } from '../../../streams/time/index.ts'
import { canonicalValue, identifierOf, IGNORE, meaningOf, note, passOver, type CodeMeaning, type Fault, type MapContext, type MappedMessage, type MessageMapper, type Notices, type RefusedPart } from '../../kit/index.ts'
import { readBlock, writeBlock, type WfdbBlock, type WfdbValues } from './block.ts'
import type { WfdbOptions } from './options.ts'

const SOURCE = 'file:wfdb'
const AHEAD_MS_MAX = 300_000

/** Names of MIMIC's numerics that no table of short names has. The cuff's (NBP) are left to the feed's table: they would mix with the artery's. */
const NUMERICS: Readonly<Record<string, ConceptId>> = { ABPSYS: 'systolic', 'ABP SYS': 'systolic', ABPDIAS: 'diastolic', 'ABP DIAS': 'diastolic', ABPMEAN: 'meanPressure', 'ABP MEAN': 'meanPressure' }
/** MIMIC writes `pm` for a minute's. */
const UNITS: Readonly<Record<string, string>> = { pm: '/min', BPM: '/min', MMHG: 'mmHg' }

/** Some frames of a record to one set of device readings. What is missing is counted, and is never 0. */
export function wfdbMapper ({ authority }: WfdbOptions): MessageMapper {
  return (raw, context) => {
    const block = readBlock(raw)
    if (block === undefined) return rejected({ cause: 'malformed', detail: 'no frames of a WFDB record' })
    const patient = block.patient === '' ? undefined : identifierOf(context.mapping, authority, block.patient)
    if (patient === undefined) return rejected({ cause: 'patient-missing', detail: 'the record names no patient whose identifiers are taken' })
    const first = (block.zoned ? block.startsAt : zoneToUtc(block.startsAt, context.mapping.zone)) + block.firstMs
    const frames = block.signals.reduce((most, { values }) => Math.max(most, values.length), 0)
    if (first + (frames - 1) * block.everyMs > context.now + AHEAD_MS_MAX) return rejected({ cause: 'time-in-future', detail: `frames of block ${block.record}; say startAt where the header's date was shifted` })
    return mapBlock(block, patient, first, context)
  }
}

function rejected (fault: Fault): MappedMessage { return { kind: 'rejected', source: SOURCE, fault, notices: new Map() } }

function mapBlock (block: WfdbBlock, patient: string, first: number, context: MapContext): MappedMessage {
  const observations: Observation[] = []
  const refused: RefusedPart[] = []
  const notices: Notices = new Map()
  for (const signal of block.signals) {
    const read = mapSignal(signal, block, first, context, notices)
    if ('cause' in read) refused.push({ fault: read, raw: writeBlock({ ...block, signals: [signal], only: signal.name }) })
    else observations.push(...read)
  }
  if (refused[0] !== undefined && block.only !== undefined) return rejected(refused[0].fault)
  const events = observations.length === 0 ? [] : [{ patient: { id: patient }, event: { type: 'observations' as const, kind: 'device' as const, source: SOURCE, observations: observations.sort((a, b) => a.eventTime - b.eventTime) } }]
  return { kind: 'mapped', source: SOURCE, id: `${block.identity}#${block.record}${block.only === undefined ? '' : `#${block.only}`}`, content: writeBlock(block), events, refused, notices }
}

function mapSignal ({ name, unit, values }: WfdbValues, { everyMs }: WfdbBlock, first: number, { mapping, now, unmapped }: MapContext, notices: Notices): readonly Observation[] | Fault {
  const missing = values.filter(value => value === null).length
  if (missing > 0) note(notices, 'sample-missing', missing)
  if (missing === values.length) return []
  const meaning: CodeMeaning | undefined = meaningOf(mapping, '', name) ?? (NUMERICS[name.toUpperCase()] === undefined ? undefined : { concept: NUMERICS[name.toUpperCase()]! })
  if (meaning === undefined) {
    unmapped({ system: '', code: name, text: '', unit })
    return { cause: 'code-unknown', detail: 'no concept has the name of this signal' }
  }
  if (meaning === IGNORE) { passOver(notices); return [] }
  const observations: Observation[] = []
  for (const [i, sample] of values.entries()) {
    if (sample === null) continue
    const value = canonicalValue(mapping, meaning, sample, UNITS[unit] ?? unit)
    if (value === undefined) return { cause: 'unit-unknown', detail: 'the unit of this signal is not one of its concept' }
    if (!isPossible(meaning.concept, value)) { note(notices, 'value-impossible'); continue }
    observations.push({ concept: meaning.concept, value, comparator: '=', eventTime: Math.min(Math.round(first + i * everyMs), now), status: 'final', quality: 'valid', resultId: '' })
  }
  return observations
}
