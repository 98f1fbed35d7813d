import fc from 'fast-check'
import { expect, it } from 'vitest'
import { featuresMachine, type FeatureOutput, type PatientState } from '../../../features/compute/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import type { BedsideEvent, EncounterAction, EncounterEvent, PatientKey } from '../../../streams/events/index.ts'
import { START } from './lattice.ts'

const DAY = 24 * 3_600_000
const stay = (action: EncounterAction, visit: string, bed: string, more: Partial<EncounterEvent> = {}): EncounterEvent => ({
  type: 'encounter', action, eventTime: START, source: 'hl7:his', ward: bed === '' ? '' : 'W', bed, ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1, ...visit === '' ? {} : { visit }, ...more,
})
const move = (visit: string, to: string, more: Partial<EncounterEvent> = {}): EncounterEvent => stay('update', visit, '', { movedTo: to as PatientKey, ...more })
const lactate = (at: number, resultId: string): BedsideEvent => ({ type: 'observations', kind: 'laboratory', source: 'test', observations: [{ concept: 'lactate', value: 3, comparator: '=', eventTime: START + at, status: 'final', quality: 'valid', resultId }] })

interface Ward {
  readonly machine: KeyedMachine<PatientState, BedsideEvent, FeatureOutput>
  readonly said: string[]
  readonly applied: Map<string, number>
  /** What is on its way to another patient's partition. */
  readonly way: { readonly to: string, readonly event: EncounterEvent }[]
  tell (key: string, at: number, event: BedsideEvent): void
  arrive (at: number): void
  /** Who is there, and in which bed. */
  present (...keys: string[]): string
}

function ward (): Ward {
  const applied = new Map<string, number>()
  const machine = new KeyedMachine(featuresMachine(STANDARD_VIEWS, what => { applied.set(what, (applied.get(what) ?? 0) + 1) }))
  const said: string[] = []
  const way: Ward['way'] = []
  const say = ({ key, out }: { readonly key: string, readonly out: FeatureOutput }): void => {
    if (out.type === 'arrival') way.push({ to: out.to, event: out.event })
    if (out.type === 'encounter') said.push(`${key} ${out.action} ${out.bed} since ${out.eventTime - START}`)
  }
  let offset = 0
  const tell: Ward['tell'] = (key, at, event) => { machine.record(offset++, START + at, key, event, say) }
  return {
    machine, said, applied, way, tell,
    arrive: at => { for (let one = way.shift(); one !== undefined; one = way.shift()) tell(one.to, at, one.event) },
    present: (...keys) => keys.flatMap(key => { const state = machine.state(key); return state === undefined || state.admittedAt < 0 || state.dischargedAt >= 0 ? [] : [`${key} ${state.bed}`] }).join(', '),
  }
}

it('brings the stay of a moved visit to its patient, since its admission, and ends it where it was; readings stay and are counted', () => {
  const { said, applied, machine, tell, arrive, present } = ward()
  tell('wrong', 0, stay('admit', 'V', '4', { ageYears: 70, hoursSinceHospitalAdmission: 2 }))
  tell('wrong', 1, lactate(1, 'r1'))
  tell('wrong', 2, stay('transfer', '', '5'))
  said.length = 0
  tell('wrong', 10, move('V', 'right'))
  arrive(11)
  expect(said).toEqual(['wrong discharge 5 since 10', 'right admit 5 since 0'])
  expect(present('wrong', 'right')).toBe('right 5')
  expect(machine.state('right')).toMatchObject({ admittedAt: START, ageYears: NaN, hoursFromHospitalToUnit: 2, visit: 'V' })
  expect(machine.state('right')?.series.every(series => series === undefined)).toBe(true)
  expect(applied.get('left-behind')).toBe(1)
})

it('takes a move that is told again, and one of a visit that is nobody\'s, without any effect on who lies where', () => {
  const { tell, arrive, present } = ward()
  tell('wrong', 0, stay('admit', 'V', '4'))
  for (const at of [1, 2, 3]) { tell('wrong', at, move('V', 'right')); arrive(at) }
  tell('right', 4, move('unknown', 'third'))
  arrive(4)
  expect(present('wrong', 'right', 'third')).toBe('right 4')
})

it('leaves the stay of another visit alone: one that is over, one that the patient has had since', () => {
  const { tell, arrive, present, said } = ward()
  tell('wrong', 0, stay('admit', 'V', '4'))
  tell('wrong', 1, stay('discharge', 'V', ''))
  tell('wrong', 2, stay('admit', 'W', '6'))
  said.length = 0
  tell('wrong', 3, move('V', 'right'))
  arrive(3)
  expect([said, present('wrong', 'right')]).toEqual([[], 'wrong 6'])
})

it('gives a patient back the stay that a wrong admission had covered', () => {
  const { tell, arrive, present, said } = ward()
  tell('wrong', 0, stay('admit', 'U', '1'))
  tell('wrong', 5, stay('admit', 'V', '4', { eventTime: START + 5 }))
  said.length = 0
  tell('wrong', 10, move('V', 'right'))
  arrive(10)
  expect(said).toEqual(['wrong admit 1 since 0', 'right admit 4 since 5'])
  tell('wrong', 11, move('U', 'third')) // and that one can move as well
  arrive(11)
  expect(present('wrong', 'right', 'third')).toBe('right 4, third 1')
})

it('moves a covered stay without touching the newer one', () => {
  const { tell, arrive, present } = ward()
  tell('both', 0, stay('admit', 'U', '1'))
  tell('both', 5, stay('admit', 'V', '4'))
  tell('both', 10, move('U', 'right'))
  arrive(10)
  expect(present('both', 'right')).toBe('both 4, right 1')
  tell('both', 11, stay('discharge', 'V', ''))
  expect(present('both', 'right')).toBe('right 1')
})

it('lets what is said later of a moved visit under the old name follow it, with its new number', () => {
  const { tell, arrive, present, machine } = ward()
  tell('wrong', 0, stay('admit', 'V', '4'))
  tell('wrong', 1, move('V', 'right', { visitAfter: 'V2' }))
  arrive(1)
  tell('wrong', 2, stay('transfer', 'V', '7', { sex: 'male' }))
  arrive(2)
  expect([present('wrong', 'right'), machine.state('right')?.visit, machine.state('right')?.sex, machine.state('wrong')?.sex]).toEqual(['right 7', 'V2', 'unknown', 'male'])
  tell('wrong', 3, stay('discharge', 'V', ''))
  arrive(3)
  expect(present('wrong', 'right')).toBe('')
  tell('right', 4, stay('admit', 'V2', '7')) // A13
  tell('right', 5, move('V2', 'third'))
  arrive(5)
  expect(present('wrong', 'right', 'third')).toBe('third 7')
})

it('forgets where a visit went after three days, and is empty then', () => {
  const { tell, arrive, machine } = ward()
  tell('wrong', 0, move('V', 'right'))
  arrive(0)
  expect(machine.state('wrong')?.moved).toHaveLength(1)
  tell('other', 3 * DAY, lactate(0, 'r'))
  expect(machine.state('wrong')?.moved).toEqual([])
})

const PATIENTS = ['a', 'b', 'c'] as const
/** A visit goes from one patient to the next; admission and transfer are sent under the first name, at any time, and anything may come twice. */
const journeys = fc.record({
  hops: fc.array(fc.constantFrom(1, 2), { minLength: 1, maxLength: 5 }),
  admittedBefore: fc.integer({ min: 0, max: 5 }),
  again: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
  /** How many records pass before what crosses between partitions is there. */
  slowness: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 12, maxLength: 12 }),
})

it('lies in the end with the patient who was named last, and with nobody else, whatever comes late or twice', () => {
  fc.assert(fc.property(journeys, ({ hops, admittedBefore, again, slowness }) => {
    const { tell, way, present, machine } = ward()
    let at = 0
    let owner = 0
    const told: (readonly [key: string, event: EncounterEvent])[] = hops.map(hop => { const from = PATIENTS[owner]!; owner = (owner + hop) % 3; return [from, move('V', PATIENTS[owner]!)] as const })
    told.splice(Math.min(admittedBefore, told.length), 0, ['a', stay('admit', 'V', '4')])
    const steps = told.flatMap((one, i) => again[i] === true && one[1].movedTo === undefined ? [one, one] : [one])
    const under: { readonly to: string, readonly event: EncounterEvent, readonly due: number }[] = []
    steps.forEach(([key, event], n) => {
      for (const one of under.splice(0).filter(one => { if (one.due > n) under.push(one); return one.due <= n })) { tell(one.to, ++at, one.event); collect(n) }
      tell(key, ++at, event)
      collect(n)
    })
    function collect (n: number): void { for (const one of way.splice(0)) under.push({ ...one, due: n + (slowness[n % slowness.length] ?? 0) }) }
    for (let one = under.shift(); one !== undefined; one = under.shift()) { tell(one.to, ++at, one.event); for (const next of way.splice(0)) under.push({ ...next, due: 0 }) }
    expect(present(...PATIENTS)).toBe(`${PATIENTS[owner]!} 4`)
    expect(machine.state(PATIENTS[owner]!)?.moved.filter(one => one.visit === 'V').length ?? 0).toBe(0)
  }), { numRuns: 500 })
})
