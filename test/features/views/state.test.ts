import { expect, it } from 'vitest'
import { featuresMachine } from '../../../features/compute/index.ts'
import { STANDARD_VIEWS, kidneyView } from '../../../features/views/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import { CONCEPT_IDS, type ConceptId, type Observation, type ObservationKind } from '../../../streams/events/index.ts'
import { AT } from './kit.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const MONITORED: readonly ConceptId[] = ['heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure', 'temperature']
const CHARTED: readonly ConceptId[] = ['urineOutput', 'gcs', 'fio2', 'oxygenTherapy', 'consciousness']

const reading = (concept: ConceptId, value: number, eventTime: number, resultId = ''): Observation => ({ concept, value, comparator: '=', eventTime, status: 'final', quality: 'valid', resultId })

it('a patient with forty creatinine results of the past year, after two days of monitor, charting and six panels a day, is within 64 KB', () => {
  const definition = featuresMachine(STANDARD_VIEWS)
  const machine = new KeyedMachine(definition)
  let offset = 0
  const tell = (at: number, kind: ObservationKind, observations: readonly Observation[]): void => { machine.record(offset++, at, 'p', { type: 'observations', kind, source: 'test', observations }, () => undefined) }
  for (let n = 0; n < 40; n++) tell(AT - 364 * DAY_MS + n * 9 * DAY_MS, 'laboratory', [reading('creatinine', 1, AT - 364 * DAY_MS + n * 9 * DAY_MS, `2029-${n}-ORDER-1234567|2160-0|1`)])
  for (let at = AT; at < AT + 2 * DAY_MS; at += 20_000) {
    tell(at, 'device', MONITORED.map(c => reading(c, 50 + at % 7, at)))
    if (at % HOUR_MS === 0) tell(at, 'charted', CHARTED.map(c => reading(c, 1, at)))
    if (at % (4 * HOUR_MS) === 0) tell(at, 'laboratory', CONCEPT_IDS.filter(c => !MONITORED.includes(c) && !CHARTED.includes(c)).map(c => reading(c, 5, at, `ORDER-${at}|${c}|1`)))
  }
  expect(definition.codec.encode(machine.state('p')!).length).toBeLessThan(64 * 1024)
})

it('a baseline creatinine survives a discharge: who comes back half a year later is compared with it', () => {
  const machine = new KeyedMachine(featuresMachine([kidneyView]))
  let offset = 0
  let ratio = NaN
  const tell = (at: number, value: number, resultId: string): void => {
    machine.record(offset++, at, 'p', { type: 'observations', kind: 'laboratory', source: 'test', observations: [reading('creatinine', value, at, resultId)] }, ({ out }) => { if (out.type === 'vector') ratio = out.values[kidneyView.names.indexOf('creatinineRatioYear')]! })
  }
  const encounter = (at: number, action: 'admit' | 'discharge'): void => { machine.record(offset++, at, 'p', { type: 'encounter', action, eventTime: at, source: 'test', ward: 'W', bed: '1', ageYears: 70, sex: 'unknown', hoursSinceHospitalAdmission: -1 }, () => undefined) }
  encounter(AT, 'admit')
  tell(AT, 0.8, 'first')
  encounter(AT + HOUR_MS, 'discharge')
  machine.tick(offset++, AT + 26 * HOUR_MS, () => undefined)
  encounter(AT + 180 * DAY_MS, 'admit')
  tell(AT + 180 * DAY_MS, 2, 'second')
  expect(ratio).toBe(2.5)
})
