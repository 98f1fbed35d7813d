import type { EncounterEvent } from '../../../streams/events/index.ts'
import { stayEvent } from '../stay-event.ts'
import { SOURCE } from './moments.ts'
import type { IcuStay } from './stays.ts'

export interface Encounter { readonly patient: number, readonly event: EncounterEvent }

/** Admissions and discharges in order of time; at the same moment a discharge first, so that the next stay begins after the last. */
export function encountersOf (stays: readonly IcuStay[], shiftMs: (patient: number) => number): Encounter[] {
  const encounters = stays.flatMap(stay => {
    const moved = shiftMs(stay.patient)
    const admission = { patient: stay.patient, event: stayEvent('admit', stay, stay.admittedAt + moved, SOURCE) }
    return stay.dischargedAt === undefined ? [admission] : [admission, { patient: stay.patient, event: stayEvent('discharge', stay, stay.dischargedAt + moved, SOURCE) }]
  })
  return encounters.sort((a, b) => a.event.eventTime - b.event.eventTime || rankOf(a) - rankOf(b) || a.patient - b.patient)
}

function rankOf ({ event }: Encounter): number { return event.action === 'discharge' ? 0 : 1 }
