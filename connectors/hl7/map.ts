import type { ConceptId, EncounterAction, Observation, ObservationSet } from '../../streams/events/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { InboundEvent, SourceIdentity, TimePolicy } from '../kit/port.ts'
import { isVital, type LocalCodes } from './code.ts'
import { actionOf, mapEncounter } from './encounter.ts'
import type { Message } from './message.ts'
import { mapRow, type ObservationContext } from './observation.ts'
import { faultAt, note, type Fault, type Notices } from './outcome.ts'
import { identityOf } from './patient.ts'
import type { Segment } from './segment.ts'
import { offsetOf } from './time.ts'

export interface MapContext {
  readonly now: ArrivalTimeMs
  readonly zone: string
  readonly policy: TimePolicy
  readonly localCodes?: LocalCodes | undefined
}

export interface MappedEvent { readonly patient: SourceIdentity, readonly event: InboundEvent }

/** A row that was refused while the rest of its message goes on: its lines, and those of the segments that it needs to be read. */
export interface RefusedRow { readonly fault: Fault, readonly rows: readonly number[], readonly needs: readonly number[] }

export type Mapped =
  | { readonly kind: 'rejected', readonly fault: Fault, readonly notices: Notices }
  /** `rows`: how many OBX carried something. One event, except where a message reports on several patients. */
  | { readonly kind: 'mapped', readonly events: readonly MappedEvent[], readonly refused: readonly RefusedRow[], readonly rows: number, readonly notices: Notices }

/** ORU triggers that report results; the same message structure each (R30 to R32: point of care). An empty trigger is v2.1's. */
const RESULT_TRIGGERS: ReadonlySet<string> = new Set(['', 'R01', 'R30', 'R31', 'R32'])

/** A message to what goes on the log. Pure: the same message, log time and settings give the same answer. */
export function mapMessage (message: Message, context: MapContext): Mapped {
  const notices: Notices = new Map()
  if (message.notice !== undefined) note(notices, message.notice)
  const { msh } = message
  const type = msh.said(9, 1).toUpperCase()
  const evn = message.segments.find(segment => segment.name === 'EVN')
  const trigger = (msh.said(9, 2) || (type === 'ADT' ? evn?.said(1) ?? '' : '')).toUpperCase()
  const rows: ObservationContext = {
    times: { zone: context.zone, messageOffsetMinutes: offsetOf(msh.said(7)) },
    now: context.now,
    futureToleranceMs: context.policy.futureToleranceMs,
    localCodes: localCodesOf(msh, context.localCodes),
    notices,
  }
  const action = type === 'ADT' ? actionOf(trigger) : undefined
  if (action === undefined && !(type === 'ORU' && RESULT_TRIGGERS.has(trigger))) {
    return { kind: 'rejected', fault: faultAt('unsupported-type', msh, 9), notices }
  }
  const source = sourceOf(msh)
  return action === undefined ? mapResults(message, source, rows) : mapAdt(message, action, source, rows)
}

function localCodesOf (msh: Segment, codes: LocalCodes | undefined): ReadonlyMap<string, ConceptId> | undefined { return codes?.get(msh.said(3)) }

/** `hl7:` and the sending application, or facility, as a short plain word. */
export function sourceOf (msh: Segment): string {
  const name = (msh.said(3) || msh.said(4)).toLowerCase().replace(/[^a-z0-9._-]+/g, '-').slice(0, 40)
  return `hl7:${name === '' ? 'unnamed' : name}`
}

function mapAdt (message: Message, action: EncounterAction, source: string, context: ObservationContext): Mapped {
  const find = (name: string): Segment | undefined => message.segments.find(segment => segment.name === name)
  const pid = find('PID')
  const patient = pid === undefined ? undefined : identityOf(pid)
  if (pid === undefined || patient === undefined) return missing(pid, context.notices)
  const event = mapEncounter(action, source, { pid, pv1: find('PV1'), evn: find('EVN') }, context)
  if ('cause' in event) return { kind: 'rejected', fault: event, notices: context.notices }
  return { kind: 'mapped', events: [{ patient, event }], refused: oddLines(message), rows: 0, notices: context.notices }
}

function missing (pid: Segment | undefined, notices: Notices): Mapped {
  return { kind: 'rejected', fault: faultAt('patient-missing', pid ?? { name: 'PID', number: 0 }, 3), notices }
}

interface Patient { readonly identity: SourceIdentity, readonly observations: Observation[] }

/** Walks the segments in order: PID opens a patient, ORC and OBR an order, and each OBX belongs to the last of them. */
function mapResults (message: Message, source: string, context: ObservationContext): Mapped {
  const patients = new Map<string, Patient>()
  const refused: RefusedRow[] = [...oddLines(message)]
  let patient: Patient | undefined
  let pid: Segment | undefined
  let order: { orc?: Segment | undefined, obr?: Segment | undefined } = {}
  let rows = 0
  for (const segment of message.segments) {
    switch (segment.name) {
      case 'PID': {
        const identity = identityOf(segment)
        if (identity === undefined) return missing(segment, context.notices)
        patient = patients.get(identity.id) ?? { identity, observations: [] }
        patients.set(identity.id, patient)
        pid = segment
        order = {}
        break
      }
      case 'ORC': order = { orc: segment }; break
      case 'OBR': order = { orc: order.obr === undefined ? order.orc : undefined, obr: segment }; break
      case 'OBX': {
        if (patient === undefined || pid === undefined) return missing(undefined, context.notices)
        const row = { obx: segment, ...order }
        const outcome = mapRow(row, context)
        if (outcome.kind === 'no-value') note(context.notices, 'no-value')
        else rows++
        if (outcome.kind === 'observation') patient.observations.push(outcome.observation)
        if (outcome.kind === 'refused') refused.push({ fault: outcome.fault, rows: [segment.number], needs: [pid, order.orc, order.obr].flatMap(one => one === undefined ? [] : [one.number]) })
      }
    }
  }
  if (patient === undefined) return missing(undefined, context.notices)
  const events = [...patients.values()].filter(one => one.observations.length > 0).map(one => ({ patient: one.identity, event: setOf(source, one.observations) }))
  if (events.length === 0) note(context.notices, 'no-observations')
  return { kind: 'mapped', events, refused, rows, notices: context.notices }
}

function setOf (source: string, observations: readonly Observation[]): ObservationSet {
  return { type: 'observations', kind: observations.some(one => isVital(one.concept)) ? 'charted' : 'laboratory', source, observations }
}

/** Lines without a segment name are one refusal together: they say nothing alone. */
function oddLines (message: Message): readonly RefusedRow[] {
  if (message.oddLines.length === 0) return []
  const shown = message.oddLines.slice(0, 8).join(', ')
  return [{ fault: { cause: 'malformed', detail: `no segment name on line ${shown}${message.oddLines.length > 8 ? ' and more' : ''}` }, rows: message.oddLines, needs: [] }]
}
