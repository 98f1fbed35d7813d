import fc from 'fast-check'
import { COMPARATORS, CONCEPT_IDS, ENCOUNTER_ACTIONS, OBSERVATION_KINDS, QUALITIES, RESULT_STATUSES, SEXES, type BedsideEvent, type PatientKey } from '../../../streams/events/index.ts'

/** Text that a feed may send. */
export const text: fc.Arbitrary<string> = fc.string({ unit: 'grapheme', maxLength: 20 })
const time = fc.integer({ min: 0, max: 2 ** 45 })
const observation = fc.record({ concept: fc.constantFrom(...CONCEPT_IDS), value: fc.double(), comparator: fc.constantFrom(...COMPARATORS), eventTime: time, status: fc.constantFrom(...RESULT_STATUSES), quality: fc.constantFrom(...QUALITIES), resultId: text })
const pseudonym = text.map(t => t as PatientKey)
/** Everything that may stand on `latido.events`. */
export const event: fc.Arbitrary<BedsideEvent> = fc.oneof(
  fc.record({ type: fc.constant('observations' as const), kind: fc.constantFrom(...OBSERVATION_KINDS), source: text, observations: fc.array(observation, { maxLength: 6 }) }),
  fc.record({ type: fc.constant('encounter' as const), action: fc.constantFrom(...ENCOUNTER_ACTIONS), eventTime: time, source: text, ward: text, bed: text, ageYears: fc.double({ noNaN: true }), sex: fc.constantFrom(...SEXES), hoursSinceHospitalAdmission: fc.double({ noNaN: true }) }),
  fc.record({ type: fc.constant('acknowledgement' as const), alertId: text, by: text }),
  fc.record({ type: fc.constant('merge' as const), survivor: pseudonym, eventTime: time, source: text }),
  fc.record({ type: fc.constant('transfer' as const), from: pseudonym, via: fc.array(fc.record({ key: pseudonym, at: time }), { maxLength: 3 }), version: fc.nat(9), state: fc.uint8Array().map(bytes => Buffer.from(bytes)) }),
  fc.constant({ type: 'tick' as const }),
)
