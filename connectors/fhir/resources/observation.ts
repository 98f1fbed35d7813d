import type { Observation as Reading, ObservationKind, ResultStatus } from '../../../streams/events/index.ts'
import type { EventTimeMs } from '../../../streams/time/index.ts'
import { isVital } from '../../hl7/index.ts'
import { IGNORE, note, passOver, type CodeMapping, type Fault } from '../../kit/index.ts'
import type { Observation, ObservationComponent } from 'fhir/r4.js'
import { conceptIn, simpleCode } from './coding.ts'
import { summariesOf } from './sampled-data.ts'
import { isFault, nothing, plausible, resultIdOf, tellUnmapped, type RefusedResource, type Scope, type Told } from './scope.ts'
import { momentOf } from './time.ts'
import { list, text, type CodeableConcept } from './types.ts'
import { hasValue, valueOf, type Valued } from './value.ts'

/** R4 ObservationStatus. `none`: registered, no result yet. */
const STATUSES: Readonly<Record<string, ResultStatus | 'none'>> = {
  registered: 'none', preliminary: 'preliminary', final: 'final', amended: 'corrected', corrected: 'corrected', cancelled: 'withdrawn', 'entered-in-error': 'withdrawn',
  unknown: 'preliminary',
}

/** One of the values of an Observation: its own, or a component's. */
interface Item extends Valued {
  readonly code: CodeableConcept | undefined
  readonly dataAbsentReason?: CodeableConcept | undefined
  readonly valueSampledData?: Observation['valueSampledData'] | undefined
  /** The Observation with this value alone, for a refusal. */
  readonly part: Observation
}

/**
 * One Observation, with its components, to one set. A result's identity is the resource's id and the code, so a newer version replaces and
 * `entered-in-error` retracts. `effective[x]` is its time; `issued` and `meta.lastUpdated` never are. A component without a value is no result.
 */
export function observation (resource: Observation, scope: Scope): Told {
  const status = scope.deleted ? 'withdrawn' : Object.hasOwn(STATUSES, text(resource.status)) ? STATUSES[text(resource.status)]! : undefined
  if (status === undefined) return { events: [], refused: [{ fault: { cause: 'payload-invalid', detail: 'Observation.status is not of its value set' }, part: resource }] }
  if (status === 'none') return nothing(scope, 'no-value')
  if (text(resource.status) === 'unknown') note(scope.notices, 'status-unknown')
  const readings: Reading[] = []
  const refused: RefusedResource[] = []
  for (const item of itemsOf(resource)) {
    const said = readingsOf(item, resource, status, scope)
    if (isFault(said)) refused.push({ fault: said, part: item.part })
    else readings.push(...said)
  }
  if (readings.length === 0) return { events: [], refused }
  return { events: [{ type: 'observations', kind: kindOf(resource, readings), source: scope.source, observations: readings }], refused }
}

function itemsOf (resource: Observation): readonly Item[] {
  const components = list(resource.component)
  const { component: _, ...alone } = resource
  const own: Item = { ...alone, code: resource.code, part: alone }
  const parts = components.map((one: ObservationComponent): Item => ({ ...one, part: { ...shellOf(resource), component: [one] } }))
  return components.length > 0 && !hasValue(resource) ? parts : [own, ...parts]
}

/** Identities of the values that it has, whether they can be read or not; of samples those of all their minutes. */
export function observationNames (resource: Observation, minutesMax: number): readonly string[] {
  return itemsOf(resource).filter(hasValue).flatMap(item => {
    const code = codeOf(item)
    return item.valueSampledData === undefined ? [resultIdOf(resource, code)] : Array.from({ length: minutesMax }, (_, minute) => resultIdOf(resource, code, String(minute)))
  })
}

function codeOf ({ code }: Item): string { return text(list(code?.coding)[0]?.code) }

/** The Observation without values. */
function shellOf (resource: Observation): Observation {
  const shell: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(resource)) if (name !== 'component' && name !== 'dataAbsentReason' && !name.startsWith('value')) shell[name] = value
  return shell as unknown as Observation
}

function readingsOf (item: Item, resource: Observation, status: ResultStatus, scope: Scope): readonly Reading[] | Fault {
  const meaning = conceptIn(scope.mapping, item.code, resource.method)
  if (meaning === IGNORE) { passOver(scope.notices); return [] }
  const empty = !hasValue(item)
  if (meaning === undefined) {
    if (empty) { note(scope.notices, 'no-value'); return [] }
    tellUnmapped(scope, item.code, text(item.valueQuantity?.code) || text(item.valueQuantity?.unit))
    return { cause: 'code-unknown', detail: 'no concept has the code of the Observation' }
  }
  const code = codeOf(item)
  const resultId = resultIdOf(resource, code)
  // A value that is gone in a newer version was taken back; in a first one it never was.
  const gone = empty && (status === 'corrected' || isLaterVersion(resource))
  if (empty && status !== 'withdrawn' && !gone) { note(scope.notices, absentNotice(item)); return [] }
  const where = item.part === resource || item.part.component === undefined ? 'Observation' : 'a component'
  if (item.valueSampledData !== undefined) return summariesOf(item.valueSampledData, resource, meaning, { status, code, where }, scope)
  const time = timeOf(resource, status === 'withdrawn' || gone, scope)
  if (isFault(time)) return time
  const value = valueOf(item, meaning, scope.mapping, where)
  if (isFault(value)) {
    if (status !== 'withdrawn' && !gone) return value
    return [readingOf(meaning, 0, time, 'withdrawn', resultId)] // retracting needs no value: 0 stands for none, and nothing is computed from it
  }
  return [{ ...readingOf(meaning, value.value, time, status, resultId), comparator: value.comparator }]
}

function readingOf (meaning: CodeMapping, value: number, eventTime: EventTimeMs, status: ResultStatus, resultId: string): Reading {
  return { concept: meaning.concept, value, comparator: '=', eventTime, status, quality: 'valid', resultId }
}

/** A retraction is found by its identity, so an unusable time does not keep it out. */
function timeOf (resource: Observation, retracts: boolean, scope: Scope): EventTimeMs | Fault {
  const time = plausible(effectiveOf(resource, scope), 'Observation.effective[x]', scope, 'refused')
  return isFault(time) && retracts ? scope.now : time
}

export function effectiveOf (resource: Observation, scope: Scope): ReturnType<typeof momentOf> {
  return momentOf({ dateTime: resource.effectiveDateTime, instant: resource.effectiveInstant, period: resource.effectivePeriod, timing: resource.effectiveTiming }, scope.mapping.zone)
}

function isLaterVersion (resource: Observation): boolean {
  const version = Number(resource.meta?.versionId)
  return Number.isInteger(version) && version > 1
}

/** R4 data-absent-reason; what a sensor could not measure is counted apart. */
function absentNotice (item: Item): string {
  const reason = simpleCode(item.dataAbsentReason)
  return reason === 'error' || reason === 'not-a-number' ? 'no-value-error' : reason === 'not-performed' ? 'no-value-not-performed' : 'no-value'
}

/** A device that nobody vouches for is `device`; otherwise the category decides, and where there is none, the concepts. */
function kindOf (resource: Observation, readings: readonly Reading[]): ObservationKind {
  const categories = list(resource.category).flatMap(one => list(one.coding)).map(one => text(one.code))
  if (resource.device !== undefined && list(resource.performer).length === 0 && readings.some(one => isVital(one.concept))) return 'device'
  if (categories.includes('laboratory')) return 'laboratory'
  if (categories.includes('vital-signs')) return 'charted'
  return readings.some(one => isVital(one.concept)) ? 'charted' : 'laboratory'
}
