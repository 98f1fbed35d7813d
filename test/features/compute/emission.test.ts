import { beforeEach, expect, it } from 'vitest'
import { featuresMachine, type FeatureOutput, type PatientState } from '../../../features/compute/index.ts'
import { age, count, countSinceAdmission, delta, deviation, featureView, last, max, mean, min, slope, sum, type EmitPolicy, type FeatureView } from '../../../features/define/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { KeyedMachine, type Emitted } from '../../../streams/engine/index.ts'
import { CONCEPT_IDS, type BedsideEvent, type ConceptId, type EncounterEvent, type Observation, type ObservationKind } from '../../../streams/events/index.ts'

const START = Date.UTC(2030, 0, 7)
const S = 1_000
const HOUR = 3_600_000
let machine: KeyedMachine<PatientState, BedsideEvent, FeatureOutput>
let offset: number
let applied: string[]

const viewWith = (emit: EmitPolicy): FeatureView => featureView({ name: 'small', version: 1, owner: 'test', description: 'test', ttl: '5 m', emit, features: { heartRate: last('heartRate'), heartRateMax: max('heartRate').over('1 m'), lactate: last('lactate') } })

function use (...views: readonly FeatureView[]): void {
  applied = []
  offset = 0
  machine = new KeyedMachine(featuresMachine(views, a => { applied.push(a) }))
}
beforeEach(() => { use(viewWith({ every: '10 s', on: ['charted'], onChange: ['heartRateMax'] })) })

const reading = (concept: ConceptId, value: number, at: number, more: Partial<Observation> = {}): Observation => ({ concept, value, comparator: '=', eventTime: START + at, status: 'final', quality: 'valid', resultId: '', ...more })

/** What is said at `at` (ms after START), as `trigger@ms values`. */
function said (at: number, event?: BedsideEvent): readonly string[] {
  const out: string[] = []
  const say = (e: Emitted<FeatureOutput>): void => { out.push(e.out.type === 'vector' ? `${e.out.trigger}@${e.out.asOf - START} ${[...e.out.values].join(' ')}` : e.out.type) }
  if (event === undefined) machine.tick(offset++, START + at, say)
  else machine.record(offset++, START + at, 'p', event, say)
  return out
}
const set = (kind: ObservationKind, ...observations: readonly Observation[]): BedsideEvent => ({ type: 'observations', kind, source: 'test', observations })
const heart = (at: number, value: number): BedsideEvent => set('device', reading('heartRate', value, at))
const moved = (more: Partial<EncounterEvent>): EncounterEvent => ({ type: 'encounter', action: 'update', eventTime: START, source: 'test', ward: '', bed: '', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1, ...more })

it('says the first reading at once, and then at most every ten seconds', () => {
  expect(said(0, heart(0, 80))).toEqual(['device@0 80 80 NaN'])
  expect(said(S, heart(S, 79))).toEqual([])
  expect(said(2 * S, heart(2 * S, 78))).toEqual([])
  expect(said(15 * S)).toEqual(['timer@10000 78 80 NaN'])
  expect(said(60 * S)).toEqual([])
})

it('says at once that a watched feature has another value', () => {
  said(0, heart(0, 80))
  expect(said(S, heart(S, 90))).toEqual(['device@1000 90 90 NaN'])
})

it('says a charted set at once, even one without a value that counts', () => {
  said(0, heart(0, 80))
  expect(said(S, set('charted', reading('lactate', 2, 0, { quality: 'artefact', resultId: 'l' })))).toEqual(['charted@1000 80 80 NaN'])
})

it('says nothing for readings that the view does not read', () => { expect(said(0, set('device', reading('spo2', 97, 0)))).toEqual([]) })

it('says one last vector when nothing has come for the view\'s time to live', () => {
  said(0, heart(0, 80))
  expect(said(HOUR)).toEqual(['timer@300000 80 NaN NaN'])
  expect(said(2 * HOUR)).toEqual([])
})

it('takes a result away that was corrected into one that is not to be trusted', () => {
  said(0, set('charted', reading('lactate', 9, 0, { resultId: 'l' })))
  expect(said(S, set('charted', reading('lactate', 9, 0, { resultId: 'l', status: 'corrected', quality: 'questionable' })))).toEqual(['charted@1000 NaN NaN NaN'])
})

it('goes back to the monitor\'s value when a newer charted one is withdrawn', () => {
  said(0, heart(0, 80))
  said(S, set('charted', reading('heartRate', 140, S, { resultId: 'h' })))
  expect(said(2 * S, set('charted', reading('heartRate', 140, S, { resultId: 'h', status: 'withdrawn' })))).toEqual([expect.stringMatching(/^charted@2000 80 /) as string])
})

it('tells what became of each reading', () => {
  const lactate = (value: number, more: Partial<Observation> = {}): BedsideEvent => set('laboratory', reading('lactate', value, 0, { resultId: 'l', ...more }))
  for (const event of [heart(0, 80), heart(0, 80), heart(-HOUR, 70), lactate(2), lactate(2), lactate(3, { status: 'corrected' }), lactate(3, { status: 'withdrawn' })]) said(S, event)
  expect(applied).toEqual(['added', 'duplicate', expect.stringMatching(/added|late/) as string, 'added', 'duplicate', 'replaced', 'withdrawn'])
})

it('tells an encounter on, filled up with what was said before', () => {
  const out: FeatureOutput[] = []
  const tell = (event: EncounterEvent): void => { machine.record(offset++, START, 'p', event, e => { out.push(e.out) }) }
  tell(moved({ action: 'admit', ward: 'W', bed: '1', ageYears: 70, sex: 'female' }))
  tell(moved({ action: 'transfer', ward: 'W', bed: '2' }))
  expect(out[1]).toEqual({ ...moved({ action: 'transfer', ward: 'W', bed: '2' }), ageYears: 70, sex: 'female' })
})

it('passes acknowledgements on in their order', () => { expect(said(0, { type: 'acknowledgement', alertId: 'a', by: 'nurse' })).toEqual(['acknowledgement']) })

it('waits for late results a day after a discharge, and then forgets the patient', () => {
  said(0, heart(0, 80))
  said(S, moved({ action: 'discharge' }))
  expect(said(HOUR)).toEqual([])
  said(2 * HOUR, set('laboratory', reading('lactate', 2, 0, { resultId: 'l' })))
  expect(machine.state('p')!.series.filter(s => s !== undefined)).toHaveLength(2)
  said(24 * HOUR + S)
  expect(machine.state('p')!.series.filter(s => s !== undefined)).toHaveLength(0)
  expect(machine.earliestDue()).toBeUndefined()
})

it('keeps a baseline through a discharge for windows longer than a day alone, and lets it go when the last has passed it', () => {
  const creatinine = (value: number, at: number, resultId: string): BedsideEvent => set('laboratory', reading('creatinine', value, at, { resultId }))
  use(featureView({ name: 'kidney', version: 1, owner: 'test', description: 'test', ttl: '5 m', emit: { every: '1 m', on: ['laboratory'] }, features: { last: last('creatinine'), day: count('creatinine').overReadings('24 h'), week: min('creatinine').overReadings('7 d'), total: countSinceAdmission('creatinine') } }))
  expect(said(0, creatinine(0.8, 0, 'a'))).toEqual(['laboratory@0 0.8 1 0.8 1'])
  said(S, moved({ action: 'discharge' }))
  said(24 * HOUR, creatinine(2, 23 * HOUR, 'b'))
  said(24 * HOUR + S)
  expect(machine.state('p')!.series[0]).toMatchObject({ held: 2, count: 0, lastTime: -1 })
  expect(said(30 * HOUR, creatinine(3, 30 * HOUR, 'c'))).toEqual([`laboratory@${30 * HOUR} 3 1 0.8 1`])
  expect(said(31 * HOUR, creatinine(0.8, 0, 'a')).at(-1)).toBe(`laboratory@${31 * HOUR} 3 1 0.8 2`)
  said(9 * 24 * HOUR)
  expect(machine.state('p')!.series[0]!.held).toBe(2)
})

it('forgets all of a discharged patient once every window has passed what was kept', () => {
  use(featureView({ name: 'kidney', version: 1, owner: 'test', description: 'test', ttl: '5 m', emit: { every: '1 m', on: ['laboratory'] }, features: { week: min('creatinine').overReadings('7 d') } }))
  said(0, set('laboratory', reading('creatinine', 1, 0, { resultId: 'a' })))
  said(S, moved({ action: 'discharge' }))
  said(7 * 24 * HOUR)
  expect(machine.state('p')!.series[0]!.held).toBe(1)
  said(7 * 24 * HOUR + 1)
  expect(machine.state('p')!.series[0]).toBeUndefined()
  expect(machine.earliestDue()).toBeUndefined()
})

it('changes by a late reading the features that reach it, and no other by a bit; by one too late nothing', () => {
  const windows = { m5: sum('heartRate').over('5 m'), h1: sum('heartRate').over('1 h'), h1Max: max('heartRate').over('1 h'), h2: sum('heartRate').over('2 h'), h1Min: min('heartRate').over('1 h'), samples: deviation('heartRate').overSamples('6 h'), last: last('heartRate'), age: age('heartRate'), before: delta('heartRate'), spo2: deviation('spo2').over('1 h'), slope: slope('spo2').over('2 h'), total: countSinceAdmission('heartRate') }
  const view = featureView({ name: 'late', version: 1, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '1 m', on: ['charted'] }, features: windows })
  const run = (late: number | undefined): Readonly<Record<string, number>> => {
    use(view)
    for (let s = 0; s < 9_000; s += 20) said(s * S, set('device', reading('heartRate', 80.1 + s % 7, s * S), reading('spo2', 95.3 + s % 3, s * S)))
    if (late !== undefined) said(9_000 * S, heart(late * S + 500, 80.05))
    let vector: readonly number[] = []
    machine.record(offset++, START + 9_001 * S, 'p', set('charted', reading('lactate', 1, 0)), ({ out }) => { if (out.type === 'vector') vector = [...out.values] })
    return Object.fromEntries(view.names.map((name, i) => [name, vector[i]!]))
  }
  const calm = run(undefined)
  const changed = (late: number): readonly string[] => { const now = run(late); return view.names.filter(name => !Object.is(now[name], calm[name])) }
  expect(changed(9_000 - 600)).toEqual(['h1', 'h2', 'h1Min', 'samples', 'total'])
  expect(changed(9_000 - 3_590)).toEqual(['h2', 'samples', 'total'])
  expect(changed(9_000 - 3_660)).toEqual([])
})

it('keeps a patient of the standard views, after a day of monitor and laboratory, within 64 KB', () => {
  use(...STANDARD_VIEWS)
  const { codec } = featuresMachine(STANDARD_VIEWS)
  const monitored: readonly ConceptId[] = ['heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure', 'temperature']
  for (let at = 0; at < 24 * HOUR; at += 20 * S) said(at, set('device', ...monitored.map(c => reading(c, 50 + at % 7, at))))
  for (let n = 0; n < 12; n++) said(24 * HOUR, set('laboratory', ...CONCEPT_IDS.filter(c => !monitored.includes(c)).map(c => reading(c, n, n * 2 * HOUR, { resultId: `order ${n} ${c}` }))))
  expect(codec.encode(machine.state('p')!).length).toBeLessThan(64 * 1024)
})

it('refuses to mix the states of other views: the name of the machine holds them all', () => {
  const other = featureView({ name: 'other', version: 2, owner: 'test', description: 'test', ttl: '5 m', emit: { every: '10 s' }, features: { m: mean('heartRate').over('5 m') } })
  expect(featuresMachine([other]).name).toBe('features other@2')
})
