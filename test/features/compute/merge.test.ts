import fc from 'fast-check'
import { expect, it } from 'vitest'
import { featuresMachine, type FeatureOutput, type PatientState } from '../../../features/compute/index.ts'
import { count, delta, featureView, first, last } from '../../../features/define/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import type { BedsideEvent } from '../../../streams/events/index.ts'
import { everyFeature } from './every-feature.ts'
import { patientStories, START } from './lattice.ts'
import { compareMerge, type MergeStory } from './merge-story.ts'

const mergeStories: fc.Arbitrary<MergeStory> = fc.record({
  story: patientStories({ concepts: ['heartRate', 'baseExcess'], kinds: ['device', 'charted', 'laboratory'], identities: 6, records: 30 }),
  mine: fc.array(fc.boolean(), { minLength: 5, maxLength: 9 }),
  mergedAfter: fc.integer({ min: 5, max: 30 }),
})

it('knows after a merge what the naive twin knows: results with one identity, device readings that both have, stays, discharges', () => {
  const view = everyFeature(['heartRate', 'baseExcess'])
  let vectors = 0
  fc.assert(fc.property(mergeStories, story => { vectors += compareMerge(view, story) }), { numRuns: 100 })
  expect(vectors).toBeGreaterThan(100)
})

interface Ward { readonly machine: KeyedMachine<PatientState, BedsideEvent, FeatureOutput>, readonly said: string[], tell (key: string, at: number, event: BedsideEvent): void, merge (key: string, survivor: string, at: number): void }

function ward (): Ward {
  const machine = new KeyedMachine(featuresMachine(STANDARD_VIEWS))
  const said: string[] = []
  const say = ({ key, out }: { readonly key: string, readonly out: FeatureOutput }): void => { said.push(`${key} ${out.type === 'vector' ? out.view : out.type === 'encounter' ? `${out.action} ${out.ward} ${out.bed}` : out.type}`) }
  let offset = 0
  return {
    machine, said,
    tell: (key, at, event) => { machine.record(offset++, START + at, key, event, say) },
    merge: (key, survivor, at) => { machine.merge(offset++, START + at, key, survivor, say, move => { if (move.kind === 'transfer') machine.transfer(offset++, START + at, move.transfer, say) }) },
  }
}

const admit = (bed: string, ageYears: number): BedsideEvent => ({ type: 'encounter', action: 'admit', eventTime: START, source: 'test', ward: 'W', bed, ageYears, sex: 'unknown', hoursSinceHospitalAdmission: -1 })
const lactate = (value: number, at: number, resultId: string): BedsideEvent => ({ type: 'observations', kind: 'laboratory', source: 'test', observations: [{ concept: 'lactate', value, comparator: '=', eventTime: START + at, status: 'final', quality: 'valid', resultId }] })

it('tells those behind who goes on, empties the bed of the other, and keeps what the survivor knew of itself', () => {
  const { machine, said, tell, merge } = ward()
  tell('loser', 0, admit('1', 70))
  tell('survivor', 0, admit('2', -1))
  tell('loser', 1, lactate(3, 0, 'r1'))
  said.length = 0
  merge('loser', 'survivor', 10)
  expect(said.slice(0, 3)).toEqual(['loser merge', 'loser discharge W 1', 'survivor update W 2'])
  expect(said.slice(3).every(s => s.startsWith('survivor '))).toBe(true)
  expect(said.slice(3)).toContain('survivor labs')
  expect(machine.state('loser')).toBeUndefined()
  expect(machine.state('survivor')).toMatchObject({ ageYears: 70, bed: '2' })
})

it('lets the survivor\'s result stand where both have one of the same identity', () => {
  const { machine, tell, merge } = ward()
  tell('loser', 0, lactate(9, -5, 'r1'))
  tell('survivor', 0, lactate(2, -5, 'r1'))
  merge('loser', 'survivor', 1)
  const series = machine.state('survivor')!.series.filter(s => s !== undefined)
  expect(series).toHaveLength(1)
  expect([series[0]!.held, series[0]!.readings[1], series[0]!.count, series[0]!.lastValue]).toEqual([1, 2, 1, 2])
})

it('takes the stay, sex and bed of the other where it knows none', () => {
  const { machine, tell, merge } = ward()
  tell('loser', 0, admit('7', 41))
  merge('loser', 'survivor', 5)
  expect(machine.state('survivor')).toMatchObject({ admittedAt: START, bed: '7', ageYears: 41 })
})

it('is nothing like a patient when nothing was ever told', () => {
  const machine = featuresMachine(STANDARD_VIEWS)
  expect(machine.isEmpty!(machine.empty('x'))).toBe(true)
  const { machine: keyed, tell } = ward()
  tell('p', 0, lactate(1, 0, 'r'))
  expect(machine.isEmpty!(keyed.state('p')!)).toBe(false)
})

it('takes of two device readings of one moment the survivor\'s as the newer one, and counts both', () => {
  const view = featureView({ name: 'tie', version: 1, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '1 m', on: ['device'] }, features: { first: first('heartRate').over('1 m'), last: last('heartRate').over('1 m'), before: delta('heartRate'), n: count('heartRate').over('1 m') } })
  const machine = new KeyedMachine(featuresMachine([view]))
  const heart = (value: number): BedsideEvent => ({ type: 'observations', kind: 'device', source: 'test', observations: [{ concept: 'heartRate', value, comparator: '=', eventTime: START, status: 'final', quality: 'valid', resultId: '' }] })
  let values: readonly number[] = []
  const keep = ({ key, out }: { readonly key: string, readonly out: FeatureOutput }): void => { if (key === 'survivor' && out.type === 'vector') values = [...out.values] }
  machine.record(0, START, 'survivor', heart(70), keep)
  machine.record(1, START, 'loser', heart(90), keep)
  machine.merge(2, START, 'loser', 'survivor', keep, move => { if (move.kind === 'transfer') machine.transfer(3, START, move.transfer, keep) })
  expect(values).toEqual([90, 70, -20, 2])
})
