import { createHash } from 'node:crypto'
import { note, type ArchivedInput, type Fault, type MapContext, type MappedEvent, type MappedMessage, type MessageMapper, type Notices, type RefusedPart } from '../../kit/index.ts'
import { deletionOf, envelopeOf, readEnvelope, type Envelope, type Said } from './envelope.ts'
import { readerOf, subjectOf } from './readers.ts'
import { patientOf } from './identity.ts'
import { isOwn } from './own.ts'
import { finder, isFault, type Scope, type Told } from './scope.ts'
import { list, text, type FhirResource } from './types.ts'

export interface FhirMapperOptions {
  /** After `fhir:` in the records' source; a short plain word. */
  readonly source?: string
  /** Event times may lead the log's clock by this much. */
  readonly futureToleranceMs?: number
  /** Largest message that is read. */
  readonly messageBytesMax?: number
  /** Resources that messages refer to without including them, by `Type/id`: for files that bring their patients along. A server's come as includes. */
  readonly known?: (reference: string) => FhirResource | undefined
}

export const FHIR_MAPPER_DEFAULTS: Required<Omit<FhirMapperOptions, 'known'>> = { source: 'ehr', futureToleranceMs: 5 * 60_000, messageBytesMax: 8 * 1024 * 1024 }

/**
 * FHIR R4 to events: raw is one resource as JSON, or a Bundle (`Envelope` says how it is read, with includes and deletions). Whatever is refused is a
 * message of its own: the resource, or the part of it, with what it refers to.
 */
export function fhirMapper (options: FhirMapperOptions = {}): MessageMapper {
  const { source: name, futureToleranceMs, messageBytesMax } = { ...FHIR_MAPPER_DEFAULTS, ...options }
  const source = `fhir:${name}`
  return (raw, context) => {
    if (raw.length > messageBytesMax) return { kind: 'rejected', source, fault: { cause: 'too-large', detail: `more than ${messageBytesMax} bytes` }, notices: new Map() }
    const read = readEnvelope(raw)
    if (read.kind === 'unreadable') return { kind: 'rejected', source, fault: { cause: 'malformed', detail: read.detail }, notices: new Map() }
    return mapEnvelope(raw, read.envelope, context, { source, futureToleranceMs, known: options.known })
  }
}

interface Settings { readonly source: string, readonly futureToleranceMs: number, readonly known: FhirMapperOptions['known'] }

function mapEnvelope (raw: Buffer, envelope: Envelope, context: MapContext, { source, futureToleranceMs, known }: Settings): MappedMessage {
  const notices: Notices = new Map()
  if (envelope.skipped > 0) note(notices, 'entries-skipped', envelope.skipped)
  const patients = envelope.said.flatMap(one => one.kind === 'resource' ? [one.resource] : [])
  const find = finder([...envelope.includes, ...patients], known) // a later one stands: what is said is newer than what is included
  const scope: Scope = { now: context.now, mapping: context.mapping, source, futureToleranceMs, notices, deleted: false, find, previous: of => envelope.includes.find(one => one.resourceType === of.resourceType && one.id === of.id && one !== of), unmapped: code => { context.unmapped(code) } }
  const events: MappedEvent[] = []
  const refusedParts: RefusedPart[] = []
  const kept = new Set<string>()
  for (const said of envelope.said) {
    const told = tell(said, envelope, scope)
    if (isFault(told)) return { kind: 'rejected', source, fault: told, notices }
    events.push(...told.events)
    refusedParts.push(...told.refused)
    if (told.archived !== undefined) kept.add(told.archived)
  }
  const content = contentOf(envelope)
  const [only] = refusedParts
  // The whole message is what was refused: its own bytes are kept, with the cause.
  if (only !== undefined && refusedParts.length === 1 && envelope.said.length === 1 && events.length === 0 && kept.size === 0) return { kind: 'rejected', source, fault: only.fault, notices }
  const archived: Omit<ArchivedInput, 'source'> | undefined = kept.size === 0 ? undefined : { type: [...kept].sort().join(',').slice(0, 64), raw }
  return { kind: 'mapped', source, id: messageIdOf(envelope, content), content, events, refused: refusedParts, notices, ...(archived === undefined ? {} : { archived }) }
}

interface Entry { readonly events: readonly MappedEvent[], readonly refused: readonly RefusedPart[], readonly archived?: string }

function tell (said: Said, envelope: Envelope, scope: Scope): Entry | Fault {
  if (said.kind === 'resource') return tellResource(said.resource, envelope, scope)
  const last = envelope.includes.find(one => one.resourceType === said.type && one.id === said.id)
  if (last === undefined) {
    if (readerOf(said.type) === undefined) { note(scope.notices, 'deletion-of-nothing'); return { events: [], refused: [] } }
    return { events: [], refused: [{ fault: { cause: 'patient-missing', detail: `${said.type} was deleted, and no version of it is known` }, raw: deletionOf(said.type, said.id, said.at, undefined, []) }] }
  }
  note(scope.notices, 'deleted')
  return tellResource(last, envelope, { ...scope, deleted: true }, said.at)
}

function tellResource (resource: FhirResource, envelope: Envelope, scope: Scope, deletedAt: string = ''): Entry {
  if (isOwn(resource)) { note(scope.notices, 'own-writing'); return { events: [], refused: [] } }
  const reader = readerOf(resource.resourceType)
  if (reader === undefined) return { events: [], refused: [], archived: text(resource.resourceType).slice(0, 40) }
  const includes = (): readonly FhirResource[] => [...envelope.includes, ...envelope.said.flatMap(one => one.kind === 'resource' && one.resource.resourceType === 'Patient' && one.resource !== resource ? [one.resource] : [])]
  const part = (fault: Fault, of: FhirResource): RefusedPart => ({ fault, raw: scope.deleted ? deletionOf(of.resourceType, of.id ?? '', deletedAt, of, includes().filter(one => one.resourceType !== of.resourceType || one.id !== of.id)) : envelopeOf(of, includes()) })
  try {
    const subject = subjectOf(resource)
    if (subject.kind === 'other') { note(scope.notices, 'subject-is-no-patient'); return { events: [], refused: [], archived: resource.resourceType } }
    const who = patientOf(subject.reference, resource, scope)
    if (isFault(who)) return { events: [], refused: [part(who, resource)] }
    const told: Told = reader(resource, scope, who.patient)
    return {
      events: [...told.events.map(event => ({ patient: who.identity, event })), ...list(told.others)],
      refused: list(told.refused).map(one => part(one.fault, one.part)),
      ...(told.archived === true ? { archived: resource.resourceType } : {}),
    }
  } catch (e) {
    if (!(e instanceof TypeError || e instanceof RangeError)) throw e // an element of another shape than R4 has: theirs
    return { events: [], refused: [part({ cause: 'payload-invalid', detail: `${text(resource.resourceType).slice(0, 40)} is not as R4 has it` }, resource)] }
  }
}

/** Without `meta` and the narrative, which servers write anew at each reading, and without includes: what they say may have changed since. */
function contentOf ({ said }: Envelope): Buffer {
  return Buffer.from(JSON.stringify(said.map(one => {
    if (one.kind === 'deletion') return one
    const { meta: _, text: __, ...rest } = one.resource as FhirResource & { text?: unknown }
    return rest
  })))
}

/** Type, id and version, or the time at which it was written where the server does not number: what is said again later is no duplicate. Parts of a resource are told apart by content. */
function messageIdOf ({ said }: Envelope, content: Buffer): string {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16)
  const [only] = said
  if (only === undefined || said.length > 1) return `bundle|${hash}`
  return only.kind === 'deletion' ? `${only.type}/${only.id}|deleted|${only.at}` : `${only.resource.resourceType}/${only.resource.id ?? ''}/_history/${only.resource.meta?.versionId ?? only.resource.meta?.lastUpdated ?? ''}|${hash}`
}
