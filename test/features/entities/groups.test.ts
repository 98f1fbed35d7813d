import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { constant, featureView, last, minus, patients, ratio, type FeatureView } from '../../../features/define/index.ts'
import { groupMachine, membersMachine, nameOf, sourceFeatures, type MemberUpdate } from '../../../features/entities/index.ts'
import type { FeatureVector } from '../../../features/vector.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import type { EncounterAction, EncounterEvent, MergeEvent, PatientKey } from '../../../streams/events/index.ts'
import { stateMachineSuite, type Story } from '../../kit/state-machine-suite.ts'

const START = Date.UTC(2030, 0, 7)
const patientView: FeatureView = featureView({
  name: 'toy', version: 3, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '1 m' },
  features: { unread: last('spo2'), score: last('heartRate'), pressure: last('systolic') },
})
const features = {
  scored: patients.count(patientView, 'score'), total: patients.sum(patientView, 'score'), mean: patients.mean(patientView, 'score'), least: patients.min(patientView, 'score'), most: patients.max(patientView, 'score'),
  ill: patients.countAtLeast(patientView, 'score', 5), pressed: patients.mean(patientView, 'pressure'), spread: minus(patients.max(patientView, 'score'), patients.min(patientView, 'score')),
  share: ratio(patients.countAtLeast(patientView, 'score', 5), patients.count(patientView, 'score')),
}
const spec = { name: 'acuity', version: 1, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '10 s', onChange: ['ill'] }, features } as const
const bare = { ...spec, emit: { every: '10 s' } } as const
const wardView: FeatureView = featureView({ ...spec, entity: 'ward' })
const bedView: FeatureView = featureView({ ...spec, name: 'bedside', entity: 'bed' })
const VIEWS = [wardView, bedView]
const SOURCES = sourceFeatures(VIEWS)

type Told = FeatureVector | EncounterEvent | MergeEvent
interface Moment { readonly patient: string, readonly wait: number, readonly told: Told }

const vector = (score: number, pressure: number): FeatureVector => ({ type: 'vector', view: 'toy', version: 3, asOf: START, trigger: 'timer', values: Float64Array.of(9, score, pressure), times: Float64Array.of(0, score * 10, pressure * 10) })
const encounter = (action: EncounterAction, ward: string, bed: string): EncounterEvent => ({ type: 'encounter', action, eventTime: START, source: 'test', ward, bed, ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 })

const value = fc.oneof({ weight: 4, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant(NaN) })
const told: fc.Arbitrary<Told> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(value, value).map(([score, pressure]) => vector(score, pressure)) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom<EncounterAction>('admit', 'transfer', 'update'), fc.constantFrom('W', 'X'), fc.constantFrom('1', '2', '')).map(([action, ward, bed]) => encounter(action, ward, bed)) },
  { weight: 1, arbitrary: fc.constant(encounter('discharge', 'W', '1')) },
  { weight: 1, arbitrary: fc.constant<MergeEvent>({ type: 'merge', survivor: 'other' as PatientKey, eventTime: START, source: 'test' }) },
)
const moments: fc.Arbitrary<readonly Moment[]> = fc.array(fc.record({ patient: fc.constantFrom('p', 'q', 'r', 's'), wait: fc.constantFrom(0, 1_000, 5_000, 15_000), told }), { maxLength: 40 })

/** Runs the patients' machine, and the groups' behind it; answers each group's vectors with the moment that had passed. */
function run (of: readonly Moment[]): readonly { readonly group: string, readonly out: FeatureVector, readonly after: number }[] {
  const members = new KeyedMachine(membersMachine([patientView], SOURCES, new Set(['ward', 'bed'])))
  const groups = new KeyedMachine(groupMachine(VIEWS))
  const said: { group: string, out: FeatureVector, after: number }[] = []
  let at = START
  let offset = 0
  of.forEach((m, i) => {
    at += m.wait
    const hear = (after: number) => ({ key, out }: { readonly key: string, readonly out: FeatureVector }): void => { said.push({ group: key, out, after }) }
    groups.tick(offset++, at, hear(i - 1))
    members.record(i, at, m.patient, m.told, ({ key, out: { group, ...update } }) => { groups.record(offset++, at, group, { ...update, patient: key }, hear(i)) })
  })
  return said
}

/** Who lies where, with what, after so many moments: remembered naively. */
function patientsIn (group: string, of: readonly Moment[], after: number): readonly (readonly [score: number, pressure: number])[] {
  const known = new Map<string, { place: readonly string[], values: readonly [number, number] }>()
  for (const { patient, told: t } of of.slice(0, after + 1)) {
    const now = known.get(patient) ?? { place: [], values: [NaN, NaN] as const }
    if (t.type === 'vector') known.set(patient, { ...now, values: [t.values[1]!, t.values[2]!] })
    else if (t.type === 'encounter' && t.action !== 'discharge') known.set(patient, { ...now, place: [`ward:${t.ward}`, ...(t.bed === '' ? [] : [`bed:${t.ward}/${t.bed}`])] })
    else known.delete(patient)
  }
  return [...known.values()].filter(({ place }) => place.includes(group)).map(({ values }) => values)
}

describe('views of wards and beds', () => {
  it('say what a count of the patients in them by hand says, at every vector', () => {
    let compared = 0
    fc.assert(fc.property(moments, of => {
      for (const { group, out, after } of run(of)) {
        const scores = patientsIn(group, of, after).map(([score]) => score).filter(s => !Number.isNaN(s))
        const total = scores.reduce((a, b) => a + b, 0)
        const none = scores.length === 0
        const ill = scores.filter(s => s >= 5).length
        const pressures = patientsIn(group, of, after).map(([, p]) => p).filter(p => !Number.isNaN(p))
        expect([...out.values]).toEqual([
          scores.length, total === 0 && none ? NaN : total, none ? NaN : total / scores.length, none ? NaN : Math.min(...scores), none ? NaN : Math.max(...scores), ill,
          pressures.length === 0 ? NaN : pressures.reduce((a, b) => a + b, 0) / pressures.length, none ? NaN : Math.max(...scores) - Math.min(...scores), none ? NaN : ill / scores.length,
        ])
        expect(out.times[2]).toBe(none ? NaN : Math.max(...scores) * 10)
        compared++
      }
    }), { numRuns: 300 })
    expect(compared).toBeGreaterThan(500)
  })

  it('speak at once when a watched feature changes, else at most every ten seconds', () => {
    const admitted = [{ patient: 'p', wait: 0, told: encounter('admit', 'W', '') }, { patient: 'q', wait: 0, told: encounter('admit', 'W', '') }]
    const times = (more: readonly Moment[]): readonly number[] => run([...admitted, ...more]).filter(s => s.group === 'ward:W').map(s => s.out.asOf - START)
    expect(times([{ patient: 'p', wait: 1_000, told: vector(2, 1) }, { patient: 'p', wait: 1_000, told: vector(3, 1) }, { patient: 'q', wait: 20_000, told: encounter('update', 'W', '') }])).toEqual([0, 10_000])
    expect(times([{ patient: 'p', wait: 1_000, told: vector(2, 1) }, { patient: 'p', wait: 1_000, told: vector(6, 1) }])).toEqual([0, 2_000])
  })

  it('name the features that they read once', () => {
    expect(SOURCES.map(nameOf)).toEqual(['toy@3:pressure', 'toy@3:score'])
  })

  it('are refused where a patient\'s own readings are mixed in, and the other way round', () => {
    expect(() => featureView({ ...bare, entity: 'ward', features: { own: last('heartRate') } })).toThrow('feature own: a ward view aggregates its patients (patients.mean(...)) and reads no last of its own')
    expect(() => featureView({ ...bare, features: { foreign: patients.count(patientView, 'score') } })).toThrow('feature foreign: a patient view has no patients to aggregate; a ward or bed view has')
    expect(() => featureView({ ...bare, entity: 'ward', features: { mixed: minus(patients.mean(patientView, 'score'), patients.mean(patientView, 'pressure')), one: constant(1) } })).toThrow('feature mixed: minus of /min and mm[Hg]: units differ')
  })
})

const ofKey = fc.array(fc.record({ patient: fc.constantFrom('p', 'q'), wait: fc.constantFrom(0, 1_000, 5_000, 15_000), told }), { maxLength: 25 })
const laid = <In>(of: readonly Moment[], inputOf: (m: Moment) => readonly { readonly key: string, readonly value: In }[]): Story<In> => {
  let arrival = START
  return of.flatMap(m => { arrival += m.wait; return inputOf(m).map(i => ({ arrival, ...i })) })
}
stateMachineSuite({ name: 'members', machine: () => membersMachine([patientView], SOURCES, new Set(['ward', 'bed'])), stories: ofKey.map(of => laid<Told>(of, m => [{ key: m.patient, value: m.told }])), runs: 40 })
stateMachineSuite({
  name: 'groups', machine: () => groupMachine(VIEWS), runs: 40,
  stories: ofKey.map(of => laid<MemberUpdate>(of, m => m.told.type === 'vector'
    ? [{ key: 'ward:W', value: { patient: m.patient, present: true, names: SOURCES.map(nameOf), values: [m.told.values[2]!, m.told.values[1]!], times: [m.told.times[2]!, m.told.times[1]!] } }]
    : [{ key: 'bed:W/1', value: { patient: m.patient, present: m.told.type === 'encounter' && m.told.action !== 'discharge', names: [], values: [], times: [] } }])),
})
