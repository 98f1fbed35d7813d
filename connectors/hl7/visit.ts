import type { EncounterEvent, Sex } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import type { MappedEvent } from '../kit/index.ts'
import { isFault, momentOf, type Hl7Context } from './context.ts'
import { eventPlaces } from './encounter.ts'
import type { Mapped } from './mapped.ts'
import { overPairs } from './merge.ts'
import type { Message } from './message.ts'
import { note } from './outcome.ts'
import { ageAt, birthDateOf, identityOf, sexOf } from './patient.ts'
import { visitNumberOf } from './visit-number.ts'

/**
 * A45: the visit of MRG-5 (else MRG-6) was the wrong patient's, MRG-1, and is PID-3's; behind each MRG, PV1-19 may give it a new number (HL7 v2.5.1, 3.3.45).
 * Where only its account changed (MRG-1 is PID-3, or empty), or no visit is named, there is nothing to move.
 */
export function mapVisitMoves (message: Message, context: Hl7Context): Mapped {
  const { notices, source } = context
  return overPairs(message, context, ({ pid, mrg, pv1 }, { losers, survivor }, eventTime) => {
    const visitNumber = mrg?.said(5) || mrg?.said(6) || ''
    if (visitNumber === '') { note(notices, 'visit-missing'); return [] }
    if (losers.length === 0) { note(notices, 'visit-move-of-itself'); return [] }
    note(notices, 'visits-moved')
    const numberAfter = visitNumberOf(pv1)
    const move = { to: survivor, ...numberAfter === undefined || numberAfter === visitNumber ? {} : { numberAfter } }
    const moves = losers.map((id): MappedEvent => ({ patient: { id }, event: { ...update(eventTime, source), visitNumber, move } }))
    const [ageYears, sex] = pid === undefined ? [-1, 'unknown' as const] : [ageAt(birthDateOf(pid), eventTime), sexOf(pid)]
    return ageYears < 0 && sex === 'unknown' ? moves : [...moves, { patient: survivor, event: update(eventTime, source, ageYears, sex) }]
  }, 'own')
}

function update (eventTime: EventTimeMs, source: string, ageYears = -1, sex: Sex = 'unknown'): EncounterEvent {
  return { type: 'encounter', action: 'update', eventTime, source, ward: '', bed: '', ageYears, sex, hoursSinceHospitalAdmission: -1 }
}

/**
 * A24 links two records, A37 unlinks them. A link can be taken back and a merge cannot, and the linked may have kept records of their own on purpose: so
 * it is a statement of each that names the other, and moves nothing.
 */
export function mapLinks (message: Message, context: Hl7Context, holds: boolean): Mapped {
  const { notices, source } = context
  const moment = momentOf(eventPlaces(message.segments.find(segment => segment.name === 'EVN')), context)
  if (moment !== undefined && isFault(moment)) return { kind: 'rejected', fault: moment, notices }
  const found = message.segments.filter(segment => segment.name === 'PID').map(pid => identityOf(pid, context))
  for (const one of found) if (one.kind === 'fault') return { kind: 'rejected', fault: one.fault, notices }
  const [one, other] = found
  if (one?.kind !== 'patient' || other?.kind !== 'patient' || one.identity.id === other.identity.id) { note(notices, 'link-of-one'); return { kind: 'mapped', events: [], refused: [], archived: true, notices } }
  if (moment === undefined) note(notices, 'time-missing')
  note(notices, holds ? 'patients-linked' : 'patients-unlinked')
  const link = (patient: typeof one.identity, linkedWith: typeof one.identity): MappedEvent => ({
    patient, event: {
      type: 'statement', kind: 'link', source, statementId: 'link', status: holds ? 'active' : 'withdrawn', system: 'latido:patient', code: '', eventTime: moment?.at ?? context.now, endTime: -1, value: NaN, unit: '', linkedWith,
    },
  })
  return { kind: 'mapped', events: [link(one.identity, other.identity), link(other.identity, one.identity)], refused: [], archived: false, notices }
}
