import fc from 'fast-check'
import { expect, it } from 'vitest'
import { featuresMachine, type FeatureOutput, type PatientState } from '../../../features/compute/index.ts'
import { age, count, countSinceAdmission, deviation, featureView, last, max, mean, min, range, slope, sum, variance, type Feature, type FeatureView } from '../../../features/define/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { KeyedMachine, type Transfer } from '../../../streams/engine/index.ts'
import type { BedsideEvent, ConceptId, Observation, ObservationKind, ObservationSet } from '../../../streams/events/index.ts'
import { arrivals, START, type Arrival } from './lattice.ts'

const CONCEPTS: readonly ConceptId[] = ['heartRate', 'lactate']
const EXACT = /Last|Before|Age|Total|Count|(?:Dense|Sparse)(?:Min|Max|Range)/
const cap = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

function viewOf (): FeatureView {
  const features: Record<string, Feature> = {}
  for (const c of CONCEPTS) {
    Object.assign(features, { [`${c}Last`]: last(c), [`${c}Before`]: { expression: { op: 'last', concept: c, withinMs: undefined, back: 1 } }, [`${c}Age`]: age(c), [`${c}Total`]: countSinceAdmission(c) })
    for (const [name, build] of Object.entries({ count, sum, mean, min, max, range, variance, deviation, slope })) {
      Object.assign(features, { [`${c}Dense${cap(name)}`]: build(c).over('2 m'), [`${c}Sparse${cap(name)}`]: build(c).overReadings('2 m'), [`${c}Sampled${cap(name)}`]: build(c).overSamples('1 m', '10 s') })
    }
  }
  return featureView({ name: 'everything', version: 1, owner: 'test', description: 'every aggregate', ttl: '1 m', emit: { every: '5 s', on: ['device', 'charted', 'laboratory'] }, features })
}

/** What one of the two keys gets: its event times lie half a second off the other's and its results have other identities, so that no tie and no repetition is between them. */
function ofOne (who: 'a' | 'b', set: ObservationSet): ObservationSet {
  return { ...set, observations: set.observations.map((o): Observation => ({ ...o, eventTime: o.eventTime + (who === 'a' ? -500 : 0), resultId: o.resultId === '' ? '' : `${who}${o.resultId}` })) }
}

interface Told { readonly arrival: number, readonly who: 'a' | 'b', readonly set: ObservationSet }
const stories = (kinds: readonly ObservationKind[], identities: number): fc.Arbitrary<readonly Told[]> => arrivals({ concepts: CONCEPTS, kinds, identities, records: 24 })
  .chain((arrived: readonly Arrival[]) => fc.array(fc.constantFrom<'a' | 'b'>('a', 'b'), { minLength: arrived.length, maxLength: arrived.length })
    .map(whose => arrived.map(({ arrival, set }, i): Told => ({ arrival, who: whose[i]!, set: ofOne(whose[i]!, set) }))))

type Vector = Extract<FeatureOutput, { type: 'vector' }>

/** Both histories on two keys, then the merge; and on one key. Answers the survivor's last vector, and that of the one key as of the same time. */
function both (view: FeatureView, story: readonly Told[], after: readonly Told[]): readonly (Vector | undefined)[] {
  const end = story.at(-1)!.arrival + 1_000
  const twoKeys = new KeyedMachine(featuresMachine([view]))
  const oneKey = new KeyedMachine(featuresMachine([view]))
  let merged: Vector | undefined
  let whole: Vector | undefined
  const keep = ({ key, out }: { readonly key: string, readonly out: FeatureOutput }): void => { if (key === 'b' && out.type === 'vector') merged = out }
  const keepWhole = ({ out }: { readonly out: FeatureOutput }): void => { if (out.type === 'vector') whole = out }
  story.forEach(({ arrival, who, set }, i) => {
    twoKeys.record(i, arrival, who, set, keep)
    oneKey.record(i, arrival, 'b', set, keepWhole)
  })
  let transfer: Transfer | undefined
  twoKeys.merge(story.length, end, 'a', 'b', keep, move => { if (move.kind === 'transfer') transfer = move.transfer })
  twoKeys.transfer(story.length + 1, end, transfer!, keep)
  // The one key is asked at the same time, by a reading that both get.
  const probe = (arrival: number): BedsideEvent => ({ type: 'observations', kind: 'device', source: 'test', observations: [{ concept: 'heartRate', value: 60, comparator: '=', eventTime: arrival - 250, status: 'final', quality: 'valid', resultId: '' }] })
  let offset = story.length + 2
  for (const { arrival, set } of [...after, { arrival: 0, set: undefined }]) {
    const at = end + 1_000 + arrival
    const value = set ?? probe(end + 900_000)
    twoKeys.record(offset, set === undefined ? end + 900_000 : at, 'b', value, keep)
    oneKey.record(offset++, set === undefined ? end + 900_000 : at, 'b', value, keepWhole)
    compare(view, merged, whole)
  }
  return [merged, whole]
}

function compare (view: FeatureView, merged: Vector | undefined, whole: Vector | undefined): void {
  expect(merged === undefined).toBe(whole === undefined)
  view.names.forEach((name, i) => {
    const [is, ought] = [merged?.values[i] ?? NaN, whole?.values[i] ?? NaN]
    const near = Object.is(is, ought) || is === ought || (!EXACT.test(name) && Math.abs(is - ought) <= 1e-9 * Math.max(1, Math.abs(is), Math.abs(ought)))
    if (!near || !Object.is(merged?.times[i], whole?.times[i])) throw new Error(`${name}: ${is} at ${merged?.times[i]}, with one key ${ought} at ${whole?.times[i]}`)
  })
}

const later = (story: readonly Told[]): readonly Told[] => story.map(t => ({ ...t, who: 'b', arrival: t.arrival - START, set: { ...t.set, observations: t.set.observations.map(o => ({ ...o, eventTime: o.eventTime + 700_250, resultId: o.resultId === '' ? '' : `later${o.resultId}` })) } }))

it.each([
  ['device numerics', ['device'] as const, 0],
  ['results, corrected and withdrawn', ['laboratory', 'charted'] as const, 6],
  ['both', ['device', 'charted'] as const, 5],
] as const)('knows after a merge what it would know if all had come under one key: %s', (_name, kinds, identities) => {
  const view = viewOf()
  let seen = 0
  fc.assert(fc.property(stories(kinds, identities), story => { if (both(view, story, [])[0] !== undefined) seen++ }), { numRuns: 150 })
  expect(seen).toBeGreaterThan(100)
})

it('goes on after the merge as one key does', () => {
  const view = viewOf()
  fc.assert(fc.property(stories(['laboratory', 'charted'], 6), stories(['device', 'charted'], 5), (story, more) => { both(view, story, later(more)) }), { numRuns: 150 })
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
