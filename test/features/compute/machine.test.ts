import fc from 'fast-check'
import { featuresMachine } from '../../../features/compute/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { ENCOUNTER_ACTIONS, type BedsideEvent, type ConceptId, type EncounterAction, type EncounterEvent, type PatientKey } from '../../../streams/events/index.ts'
import { stateMachineSuite, type Story } from '../../kit/state-machine-suite.ts'
import { everyFeature } from './every-feature.ts'
import { arrivals, START } from './lattice.ts'

const CONCEPTS: readonly ConceptId[] = ['heartRate', 'systolic', 'spo2', 'lactate', 'respiratoryRate']
const HOUR_MS = 3_600_000

const encounter = (action: EncounterAction): EncounterEvent => ({ type: 'encounter', action, eventTime: START, source: 'test', ward: 'W', bed: '1', ageYears: action === 'admit' ? 60 : -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 })
/** A visit that comes, goes to somebody else, and comes back. */
const VISITS: readonly EncounterEvent[] = [{ visit: 'V' }, { visit: 'W' }, { visit: 'V', movedAt: START + 1 }].map(more => ({ ...encounter('admit'), ...more })).concat({ ...encounter('update'), ward: '', bed: '', visit: 'V', movedTo: 'somebody' as PatientKey })

interface Extra { readonly key: 'p' | 'q', readonly pause: number, readonly event: BedsideEvent | undefined }
const extra: fc.Arbitrary<Extra> = fc.record({
  key: fc.constantFrom('p', 'q'),
  // Long silences too: views go stale, and a discharged patient's state is dropped.
  pause: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(HOUR_MS, 13 * HOUR_MS, 25 * HOUR_MS) }),
  event: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom<BedsideEvent>(...ENCOUNTER_ACTIONS.map(encounter), ...VISITS, { type: 'acknowledgement', alertId: 'a', by: 'nurse' }) }),
})

const stories: fc.Arbitrary<Story<BedsideEvent>> = arrivals({ concepts: CONCEPTS, kinds: ['device', 'device', 'charted', 'laboratory'], identities: 4, records: 25 })
  .chain(arrived => fc.array(extra, { minLength: arrived.length, maxLength: arrived.length }).map(extras => {
    let later = 0
    return arrived.map(({ arrival, set }, i) => {
      const { key, pause, event } = extras[i]!
      later += pause
      return { arrival: arrival + later, key, value: event ?? set }
    })
  }))

stateMachineSuite({ name: 'features, standard views', machine: () => featuresMachine(STANDARD_VIEWS), stories, runs: 30 })
stateMachineSuite({ name: 'features, every operator', machine: () => featuresMachine([everyFeature(['heartRate', 'lactate'])]), stories, runs: 12 })
