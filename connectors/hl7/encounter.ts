import type { EncounterAction } from '../../streams/events/index.ts'
import type { InboundEncounter } from '../kit/index.ts'
import { isFault, momentOf, type Hl7Context, type Place } from './context.ts'
import { note, type Hl7Fault } from './outcome.ts'
import { ageAt, birthDateOf, sexOf } from './patient.ts'
import type { Segment } from './segment.ts'
import { parseTime } from './time.ts'
import { visitNumberOf } from './visit-number.ts'

/**
 * A06: an outpatient becomes an inpatient, who is admitted. A07: an inpatient becomes an outpatient and is where PV1-3 says until an A03.
 * A11 cancels an admission: the patient is not there. A12 cancels a transfer: PV1-3 is the bed before it (HL7 v2.5.1, 3.3.12).
 * A13 cancels a discharge: back in PV1-3. A17 swaps two beds. A28, A31: news of a person, wherever they are.
 */
const ACTIONS: Readonly<Record<string, EncounterAction>> = {
  A01: 'admit', A04: 'admit', A06: 'admit', A13: 'admit', A02: 'transfer', A07: 'transfer', A12: 'transfer', A17: 'transfer', A03: 'discharge', A11: 'discharge', A08: 'update', A28: 'update', A31: 'update',
}
const PERSON: ReadonlySet<string> = new Set(['A28', 'A31'])

export interface EncounterSegments { readonly pid: Segment, readonly pv1?: Segment | undefined, readonly evn?: Segment | undefined }

/** ADT to an encounter event. Event time: EVN-6 (occurred), else EVN-2 (recorded), else PV1-44 or PV1-45, else now (counted). */
export function mapEncounter (trigger: string, { pid, pv1, evn }: EncounterSegments, context: Hl7Context): InboundEncounter | Hl7Fault {
  const action = ACTIONS[trigger] ?? 'update'
  const moment = momentOf([...eventPlaces(evn), ...(action === 'admit' ? [{ segment: pv1, field: 44 }] : action === 'discharge' ? [{ segment: pv1, field: 45 }] : [])], context)
  if (moment !== undefined && isFault(moment)) return moment
  if (moment === undefined) note(context.notices, 'time-missing')
  const time = moment?.at ?? context.now
  const stay = PERSON.has(trigger) ? undefined : pv1
  noteOrder(stay, context)
  const visitNumber = visitNumberOf(stay)
  return {
    type: 'encounter', action, eventTime: time, source: context.source,
    ...locationOf(stay, trigger === 'A12' ? [3, 6] : [3]),
    ageYears: ageAt(birthDateOf(pid), time),
    sex: sexOf(pid),
    hoursSinceHospitalAdmission: hoursSinceAdmission(action, stay, time, context),
    ...visitNumber === undefined ? {} : { visitNumber },
  }
}

/** EVN-6, else EVN-2. */
export function eventPlaces (evn: Segment | undefined): readonly Place[] { return [{ segment: evn, field: 6 }, { segment: evn, field: 2 }] }

export interface BedPlace { readonly ward: string, readonly bed: string }

/** Point of care and bed (else room) of the first field that names a place. */
export function locationOf (pv1: Segment | undefined, fields: readonly number[] = [3]): BedPlace {
  for (const field of fields) {
    const [ward, bed] = [pv1?.said(field, 1) ?? '', pv1 === undefined ? '' : pv1.said(field, 3) || pv1.said(field, 2)]
    if (ward !== '' || bed !== '') return { ward, bed }
  }
  return { ward: '', bed: '' }
}

const HOUR_MS = 3_600_000

/** Only an admission to the unit or a transfer into it says how long the patient had been in the hospital (PV1-44). */
function hoursSinceAdmission (action: EncounterAction, pv1: Segment | undefined, at: number, context: Hl7Context): number {
  if (pv1 === undefined || (action !== 'admit' && action !== 'transfer')) return -1
  const admitted = parseTime(pv1.said(44), context.times)
  if (admitted.kind === 'unparsable') note(context.notices, 'admit-time-unparsable')
  return admitted.kind === 'time' && admitted.start <= at ? (at - admitted.start) / HOUR_MS : -1
}

/** A stay that ends before it begins is taken as told, and counted: which of the two is wrong nobody here can say. */
function noteOrder (pv1: Segment | undefined, context: Hl7Context): void {
  const [admitted, discharged] = [44, 45].map(field => parseTime(pv1?.said(field) ?? '', context.times))
  if (admitted?.kind === 'time' && discharged?.kind === 'time' && discharged.end <= admitted.start) note(context.notices, 'discharge-before-admission')
}
