import type { MapContext, MappedEvent } from '../kit/index.ts'
import { mapAlarm } from './alarm.ts'
import { contextOf, type Hl7Context } from './context.ts'
import { mapEncounter } from './encounter.ts'
import type { Mapped, RefusedRow } from './mapped.ts'
import { mapMerges } from './merge.ts'
import type { Message } from './message.ts'
import { mapOrders } from './orders.ts'
import { faultAt, note } from './outcome.ts'
import { identityOf } from './patient.ts'
import { HL7_PROFILE, type Hl7Profile } from './profile.ts'
import { mapResults } from './results.ts'
import type { Segment } from './segment.ts'
import { handlingOf } from './types.ts'
import { mapVisitMoves, mapLinks } from './visit.ts'

/** `ADT`, `A40`: MSH-9, and of an old ADT without a trigger EVN-1. */
export interface MessageType { readonly type: string, readonly trigger: string }

export function typeOf ({ msh, segments }: Message): MessageType {
  const type = msh.said(9, 1).toUpperCase()
  const evn = type === 'ADT' ? segments.find(segment => segment.name === 'EVN') : undefined
  return { type, trigger: (msh.said(9, 2) || (evn?.said(1) ?? '')).toUpperCase() }
}

/** A message to what goes on the log. Pure: the same message, moment, mapping, beds and profile give the same answer. */
export function mapMessage (message: Message, kit: MapContext, profile: Hl7Profile = HL7_PROFILE): Mapped {
  const context = contextOf(message, kit, profile)
  if (message.notice !== undefined) note(context.notices, message.notice)
  const mapped = handle(message, context)
  // A message that is kept whole keeps them too.
  return mapped.kind === 'mapped' && message.oddLines.length > 0 && !mapped.archived ? { ...mapped, refused: [...oddLines(message), ...mapped.refused] } : mapped
}

function handle (message: Message, context: Hl7Context): Mapped {
  const { notices } = context
  if (message.segments.length === 1 && message.oddLines.length > 0) return { kind: 'rejected', fault: oddLines(message)[0]!.fault, notices }
  const processingId = message.msh.said(11, 1).toUpperCase()
  if (processingId !== '' && !context.profile.processingIds.some(id => id === processingId)) return { kind: 'rejected', fault: faultAt('unsupported-type', message.msh, 11, 'is no processing id of this feed'), notices }
  const { type, trigger } = typeOf(message)
  const handling = handlingOf(type, trigger)
  switch (handling) {
    case 'encounter': case 'swap': return mapAdt(message, trigger, context)
    case 'merge': return mapMerges(message, context)
    case 'visit-move': return mapVisitMoves(message, context)
    case 'link': case 'unlink': return mapLinks(message, context, handling === 'link')
    case 'results': case 'specimen-results': return mapResults(message, context, handling === 'specimen-results')
    case 'alarm': return mapAlarm(message, context)
    case 'orders': return mapOrders(message, context)
    case 'archive': return { kind: 'mapped', events: [], refused: [], archived: true, notices }
    case undefined: return { kind: 'rejected', fault: faultAt('unsupported-type', message.msh, 9), notices }
  }
}

/** One encounter event a PID: two where patients swap beds (A17). */
function mapAdt (message: Message, trigger: string, context: Hl7Context): Mapped {
  const { notices } = context
  const evn = message.segments.find(segment => segment.name === 'EVN')
  const stays = staysOf(message).slice(0, trigger === 'A17' ? 2 : 1)
  const events: MappedEvent[] = []
  for (const { pid, pv1 } of stays) {
    const found = identityOf(pid, context)
    if (found.kind !== 'patient') return { kind: 'rejected', fault: found.kind === 'fault' ? found.fault : faultAt('patient-missing', pid, 3), notices }
    const event = mapEncounter(trigger, { pid, pv1, evn }, context)
    if ('cause' in event) return { kind: 'rejected', fault: event, notices }
    if (trigger === 'A03' && event.bed !== '' && context.patientInBed(event.ward, event.bed) !== found.identity.id) note(notices, 'discharge-unknown')
    events.push({ patient: found.identity, event })
  }
  if (events.length === 0) return { kind: 'rejected', fault: faultAt('patient-missing', { name: 'PID', number: 0 }, 3), notices }
  return { kind: 'mapped', events, refused: [], archived: false, notices }
}

interface Stay { readonly pid: Segment, readonly pv1: Segment | undefined }

/** The first PV1 after each PID. */
function staysOf ({ segments }: Message): readonly Stay[] {
  const pids = segments.filter(segment => segment.name === 'PID')
  return pids.map((pid, i) => ({ pid, pv1: segments.find(one => one.name === 'PV1' && one.number > pid.number && one.number < (pids[i + 1]?.number ?? Infinity)) }))
}

/** Lines without a segment name are one refusal together: they say nothing alone. */
function oddLines (message: Message): readonly RefusedRow[] {
  const shown = message.oddLines.slice(0, 8).join(', ')
  return [{ fault: { cause: 'malformed', detail: `no segment name on line ${shown}${message.oddLines.length > 8 ? ' and more' : ''}` }, rows: message.oddLines, needs: [] }]
}
