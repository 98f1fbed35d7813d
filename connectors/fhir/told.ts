import type { ConceptId, Observation, ObservationKind, RefusalCause, StatementKind } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import type { InboundEvent, MappedEvent, MappedMessage } from '../kit/index.ts'
import { namesOf, readEnvelope } from './resources/index.ts'

/** Something that a version of a resource said and that stands: a result, or a statement. Names and codes, no value. */
export type ToldPart =
  | readonly [what: 'result', id: string, concept: ConceptId, kind: ObservationKind, eventTime: EventTimeMs]
  | readonly [what: 'statement', id: string, kind: StatementKind, system: string, code: string, eventTime: EventTimeMs]

/** What stands of a resource, and of whom. */
export interface Standing { readonly patient?: string, readonly told?: readonly ToldPart[] }

/** What a newer version does to what stands. */
export interface Change {
  /** What it no longer says of the patient of whom it was said. */
  readonly gone: readonly ToldPart[]
  /** It is of another patient: what was said is withdrawn of the first, before anything is said of the second. */
  readonly moved: boolean
  /** What stands when the version is taken. */
  readonly after: Standing
}

/** These refuse a value, and the rest of its resource can be read; of other causes nothing is known of what the version says. */
const OF_A_PART: ReadonlySet<RefusalCause> = new Set<RefusalCause>(['code-unknown', 'unit-unknown', 'value-unparsable', 'value-impossible', 'time-unparsable', 'time-implausible', 'time-in-future'])

/** A part that a version names and that was refused stays as it was: what it says now is not known. `deleted`: the version says nothing any more. */
export function changeOf (before: Standing, mapped: MappedMessage, raw: Buffer, deleted: boolean): Change {
  const stood = before.told ?? []
  if (mapped.kind === 'rejected') return ofRejected(before, stood, namesIn(mapped.fault.cause, raw), deleted)
  const now = toldIn(mapped.events)
  const patient = now.patient ?? before.patient
  const moved = stood.length > 0 && patient !== before.patient
  const refused = deleted || moved ? NONE : new Set(mapped.refused.flatMap(part => [...namesIn('code-unknown', part.raw) ?? []]))
  const said = moved ? NONE : now.said
  const gone = stood.filter(part => !said.has(identityOf(part)) && !refused.has(part[1]))
  const kept = moved ? [] : stood.filter(part => !said.has(identityOf(part)) && refused.has(part[1]))
  return { gone, moved, after: { ...patient === undefined ? {} : { patient }, told: [...now.told, ...kept] } }
}

function ofRejected (before: Standing, stood: readonly ToldPart[], names: ReadonlySet<string> | undefined, deleted: boolean): Change {
  const stays = deleted ? NONE : names
  if (stays === undefined) return { gone: [], moved: false, after: before }
  return { gone: stood.filter(([, id]) => !stays.has(id)), moved: false, after: { ...before, told: stood.filter(([, id]) => stays.has(id)) } }
}

/** A part of a version that was told already: it adds to what stands. */
export function added (before: Standing, mapped: MappedMessage): Standing {
  if (mapped.kind === 'rejected') return before
  const { patient = before.patient, said, told } = toldIn(mapped.events)
  return { ...patient === undefined ? {} : { patient }, told: [...(before.told ?? []).filter(part => !said.has(identityOf(part))), ...told] }
}

/** The same events, and what is gone withdrawn: of one patient in one record, so that a message takes effect whole. */
export function withWithdrawn (events: readonly MappedEvent[], gone: readonly ToldPart[], patient: string, source: string): readonly MappedEvent[] {
  if (gone.length === 0) return events
  const readings = gone.flatMap(part => part[0] === 'result' ? [withdrawnReading(part)] : [])
  const statements = gone.flatMap(part => part[0] === 'statement' ? [{ patient: { id: patient }, event: withdrawnStatement(part, source) }] : [])
  const set = events.findIndex(one => one.event.type === 'observations' && one.patient.id === patient)
  const kind = gone.find(part => part[0] === 'result')?.[3]
  if (set < 0) return [...events, ...kind === undefined ? [] : [{ patient: { id: patient }, event: { type: 'observations' as const, kind, source, observations: readings } }], ...statements]
  return [...events.map((one, i) => i === set && one.event.type === 'observations' ? { ...one, event: { ...one.event, observations: [...one.event.observations, ...readings] } } : one), ...statements]
}

/** At the time that it was of, so that whoever counts by time finds it. 0 stands for no value, and nothing is computed from it. */
function withdrawnReading ([, resultId, concept, , eventTime]: Extract<ToldPart, readonly ['result', ...unknown[]]>): Observation {
  return { concept, value: 0, comparator: '=', eventTime, status: 'withdrawn', quality: 'valid', resultId }
}

function withdrawnStatement ([, statementId, kind, system, code, eventTime]: Extract<ToldPart, readonly ['statement', ...unknown[]]>, source: string): InboundEvent {
  return { type: 'statement', kind, source, statementId, status: 'withdrawn', system, code, eventTime, endTime: -1, value: NaN, unit: '' }
}

interface Told { readonly patient: string | undefined, readonly told: readonly ToldPart[], /** The withdrawn ones too. */ readonly said: ReadonlySet<string> }

function toldIn (events: readonly MappedEvent[]): Told {
  const told = new Map<string, ToldPart>()
  const said = new Set<string>()
  let patient: string | undefined
  const tell = (part: ToldPart, stands: boolean): void => {
    const identity = identityOf(part)
    said.add(identity)
    if (stands) told.set(identity, part)
    else told.delete(identity)
  }
  for (const { event, patient: { id } } of events) {
    if (event.type === 'observations') for (const one of event.observations) tell(['result', one.resultId, one.concept, event.kind, one.eventTime], one.status !== 'withdrawn')
    else if (event.type === 'statement') tell(['statement', event.statementId, event.kind, event.system, event.code, event.eventTime], event.status !== 'withdrawn')
    else continue
    patient ??= id
  }
  return { patient, told: [...told.values()], said }
}

/** A result is one of its concept: where the table of codes has another meaning for its code now, the old one is gone. */
function identityOf (part: ToldPart): string { return part[0] === 'result' ? `${part[2]}\n${part[1]}` : part[1] }

/** What a message that was refused names. undefined: nobody knows. */
function namesIn (cause: RefusalCause, raw: Buffer): ReadonlySet<string> | undefined {
  const read = OF_A_PART.has(cause) ? readEnvelope(raw) : undefined
  const [only, ...others] = read?.kind === 'ok' ? read.envelope.said : []
  return only?.kind !== 'resource' || others.length > 0 ? undefined : namesOf(only.resource)
}

const NONE: ReadonlySet<string> = new Set()
