import type { EncounterAction, EncounterEvent } from '../../../streams/events/index.ts'
import { SOURCE } from './moments.ts'
import type { IcuStay } from './stays.ts'

export interface Encounter { readonly patient: number, readonly event: EncounterEvent }

/** Admissions and discharges in order of time; at the same moment a discharge first, so that the next stay begins after the last. */
export function encountersOf (stays: readonly IcuStay[], shiftMs: (patient: number) => number): Encounter[] {
  const encounters = stays.flatMap(stay => {
    const moved = shiftMs(stay.patient)
    const admission = encounter('admit', stay, stay.admittedAt + moved)
    return stay.dischargedAt === undefined ? [admission] : [admission, encounter('discharge', stay, stay.dischargedAt + moved)]
  })
  return encounters.sort((a, b) => a.event.eventTime - b.event.eventTime || rankOf(a) - rankOf(b) || a.patient - b.patient)
}

function rankOf ({ event }: Encounter): number { return event.action === 'discharge' ? 0 : 1 }

function encounter (action: EncounterAction, stay: IcuStay, eventTime: number): Encounter {
  const said = action === 'admit'
  return {
    patient: stay.patient,
    event: {
      type: 'encounter',
      action,
      eventTime,
      source: SOURCE,
      ward: said ? stay.ward : '',
      bed: '',
      ageYears: said ? stay.ageYears : -1,
      sex: said ? stay.sex : 'unknown',
      hoursSinceHospitalAdmission: said ? stay.hoursSinceHospitalAdmission : -1,
    },
  }
}
