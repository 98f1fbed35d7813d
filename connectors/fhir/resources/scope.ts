import { boundedId, note, type Fault, type FeedMapping, type InboundEvent, type MappedEvent, type Notices, type SourceIdentity, type UnmappedCode } from '../../kit/index.ts'
import type { ArrivalTimeMs, EventTimeMs } from '../../../streams/time/index.ts'
import { localReference } from './envelope.ts'
import type { FhirTime } from './time.ts'
import { list, type CodeableConcept, type FhirResource, type Reference, text } from './types.ts'

/** What every resource is read with. */
export interface Scope {
  readonly now: ArrivalTimeMs
  readonly mapping: FeedMapping
  /** What stands in the records: `fhir:ehr`. */
  readonly source: string
  readonly futureToleranceMs: number
  readonly notices: Notices
  /** True where the resource was deleted: what it said is withdrawn. */
  readonly deleted: boolean
  /** The resource that a reference of `holder` means: contained in it, included in the message, or known to whoever built the mapper. */
  find (reference: Reference | undefined, holder: FhirResource): FhirResource | undefined
  /** The version that was seen before, where the message has it. */
  previous (resource: FhirResource): FhirResource | undefined
  unmapped (code: UnmappedCode): void
}

/** A part that cannot be taken, as a resource of its own. */
export interface RefusedResource { readonly fault: Fault, readonly part: FhirResource }

/** What a resource says. `archived`: nothing that is computed with, or some of it not: the whole is kept. */
export interface Told {
  readonly events: readonly InboundEvent[]
  readonly refused?: readonly RefusedResource[]
  readonly archived?: boolean
  /** Of other patients than the subject: the loser of a merge that the survivor's record tells of. */
  readonly others?: readonly MappedEvent[]
}

export const ARCHIVED: Told = { events: [], archived: true }
export function nothing (scope: Scope, why: string): Told { note(scope.notices, why); return { events: [] } }
export function refused (part: FhirResource, fault: Fault): Told { return { events: [], refused: [{ fault, part }] } }

/** Finds contained, included and known resources. */
export function finder (includes: readonly FhirResource[], known?: (reference: string) => FhirResource | undefined): Scope['find'] {
  const byReference = new Map(includes.map(one => [`${one.resourceType}/${one.id ?? ''}`, one]))
  return (reference, holder) => {
    const said = text(reference?.reference)
    if (said.startsWith('#')) return list((holder as { contained?: FhirResource[] }).contained).find(one => `#${one.id ?? ''}` === said || one.id === said)
    const local = localReference(said)
    return local === undefined ? undefined : byReference.get(local) ?? known?.(local)
  }
}

/** A moment that a statement or value may stand at, or why not. Ahead of the log's clock by no more than the tolerance it is clock skew and becomes the log's. */
export function plausible (parsed: FhirTime, where: string, scope: Scope, coarse: 'refused' | 'taken'): EventTimeMs | Fault {
  if (parsed.kind === 'empty') return { cause: 'time-unparsable', detail: `${where} is missing` }
  if (parsed.kind === 'unparsable') return { cause: 'time-unparsable', detail: `${where} is no dateTime` }
  const { start, precision } = parsed
  if (coarse === 'refused' && (precision === 'year' || precision === 'month')) return { cause: 'time-unparsable', detail: `${where} is less precise than a day` }
  if (precision === 'year' || precision === 'month' || precision === 'day') note(scope.notices, 'time-imprecise')
  if (!parsed.zoned && precision !== 'year' && precision !== 'month' && precision !== 'day') note(scope.notices, 'time-without-offset')
  if (coarse === 'refused' && start < IMPLAUSIBLE_BEFORE_MS) return { cause: 'time-implausible', detail: `${where} is before 1971: a clock that was never set` }
  if (start > scope.now + scope.futureToleranceMs) return { cause: 'time-in-future', detail: `${where} is ahead of the log's clock` }
  if (start > scope.now) note(scope.notices, 'time-clamped')
  return Math.min(start, scope.now)
}

const IMPLAUSIBLE_BEFORE_MS = Date.UTC(1971, 0, 1)

export function isFault (value: unknown): value is Fault { return typeof value === 'object' && value !== null && 'cause' in value }

/** Counts each coding of a concept that nothing maps. */
export function tellUnmapped (scope: Scope, code: CodeableConcept | undefined, unit: string = ''): void {
  const codings = list(code?.coding).filter(one => text(one.code) !== '')
  const shown = codings[0]
  scope.unmapped({ system: text(shown?.system), code: text(shown?.code), text: (text(shown?.display) || text(code?.text)).slice(0, 80), unit })
}

/** `Type/id|part`, or its hash where it is long. A server's logical id names a record, never a person. */
export function resultIdOf (resource: FhirResource, ...parts: readonly string[]): string {
  const id = [`${resource.resourceType}/${resource.id ?? ''}`, ...parts].join('|')
  return boundedId(id)
}

export type { SourceIdentity }
