import type { EncounterAction, EncounterEvent } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'

/** What a data set says of the person and the place at the beginning of a stay. */
export type StayFacts = Pick<EncounterEvent, 'ward' | 'ageYears' | 'sex' | 'hoursSinceHospitalAdmission'>

/** An admission with all that is known of the stay, or a discharge, which says nothing new. */
export function stayEvent (action: EncounterAction, stay: StayFacts, eventTime: EventTimeMs, source: string): EncounterEvent {
  const said: StayFacts = action === 'admit' ? stay : { ward: '', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 }
  return { type: 'encounter', action, eventTime, source, ward: said.ward, bed: '', ageYears: said.ageYears, sex: said.sex, hoursSinceHospitalAdmission: said.hoursSinceHospitalAdmission }
}
