import type { EncounterAction, EncounterEvent } from '../../streams/events/index.ts'
import type { ObservationContext } from './observation.ts'
import { faultAt, note, type Fault } from './outcome.ts'
import { ageAt, birthDateOf, sexOf } from './patient.ts'
import type { Segment } from './segment.ts'
import { parseTime } from './time.ts'

/** A11 cancels an admission: the patient is not there. A12 cancels a transfer: PV1-3 is the bed before it. A13 cancels a discharge: back in PV1-3. */
const ACTIONS: Readonly<Record<string, EncounterAction>> = {
  A01: 'admit', A04: 'admit', A13: 'admit', A02: 'transfer', A12: 'transfer', A03: 'discharge', A11: 'discharge', A08: 'update',
}

export function actionOf (trigger: string): EncounterAction | undefined { return Object.hasOwn(ACTIONS, trigger) ? ACTIONS[trigger] : undefined }

export interface EncounterSegments { readonly pid: Segment, readonly pv1?: Segment | undefined, readonly evn?: Segment | undefined }

/** ADT to an encounter event. Event time: EVN-6 (occurred), else EVN-2 (recorded), else PV1-44 or PV1-45, else now (counted). */
export function mapEncounter (action: EncounterAction, source: string, { pid, pv1, evn }: EncounterSegments, context: ObservationContext): EncounterEvent | Fault {
  const time = timeOf(action, pv1, evn, context)
  if (typeof time !== 'number') return time
  return {
    type: 'encounter',
    action,
    eventTime: time,
    source,
    ward: pv1?.said(3, 1) ?? '',
    bed: pv1 === undefined ? '' : pv1.said(3, 3) || pv1.said(3, 2),
    ageYears: ageAt(birthDateOf(pid), time),
    sex: sexOf(pid),
    hoursSinceHospitalAdmission: hoursSinceAdmission(action, pv1, time, context),
  }
}

function timeOf (action: EncounterAction, pv1: Segment | undefined, evn: Segment | undefined, context: ObservationContext): number | Fault {
  const places: readonly (readonly [Segment | undefined, number])[] = [[evn, 6], [evn, 2], ...(action === 'admit' ? [[pv1, 44] as const] : action === 'discharge' ? [[pv1, 45] as const] : [])]
  for (const [segment, field] of places) {
    if (segment === undefined) continue
    const parsed = parseTime(segment.said(field), context.times)
    if (parsed.kind === 'empty') continue
    if (parsed.kind === 'unparsable') return faultAt('time-unparsable', segment, field)
    if (parsed.start > context.now + context.futureToleranceMs) return faultAt('time-in-future', segment, field)
    if (parsed.start > context.now) note(context.notices, 'time-clamped')
    return Math.min(parsed.start, context.now)
  }
  note(context.notices, 'time-missing')
  return context.now
}

const HOUR_MS = 3_600_000

/** Only an admission to the unit or a transfer into it says how long the patient had been in the hospital (PV1-44). */
function hoursSinceAdmission (action: EncounterAction, pv1: Segment | undefined, at: number, context: ObservationContext): number {
  if (pv1 === undefined || (action !== 'admit' && action !== 'transfer')) return -1
  const admitted = parseTime(pv1.said(44), context.times)
  if (admitted.kind === 'unparsable') note(context.notices, 'admit-time-unparsable')
  return admitted.kind === 'time' && admitted.start <= at ? (at - admitted.start) / HOUR_MS : -1
}
