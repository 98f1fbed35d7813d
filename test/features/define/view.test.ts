import { describe, expect, it } from 'vitest'
import { featuresMachine, planViews } from '../../../features/compute/index.ts'
import { banded, coalesce, conceptsOf, constant, countMissing, fact, featureView, greatest, last, least, max, maxOfPresent, mean, minus, patients, plus, ratio, rounded, slope, sumOfPresent, times, unitOf, variance, when, type Feature, type FeatureViewSpec } from '../../../features/define/index.ts'
import { ALL_VIEWS } from '../../../features/views/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import { TOPICS } from '../../../streams/events/index.ts'

const SPEC: FeatureViewSpec = { name: 'test', version: 1, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '1 m', on: ['charted'] }, features: { heartRateLast: last('heartRate') } }

/** Evaluates features over one charted set. */
function values (features: Readonly<Record<string, Feature>>, readings: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const view = featureView({ ...SPEC, features })
  const machine = new KeyedMachine(featuresMachine([view]))
  let answer: Readonly<Record<string, number>> = {}
  const observations = Object.entries(readings).map(([concept, value]) => ({ concept: concept as 'heartRate', value, comparator: '=' as const, eventTime: 1e12, status: 'final' as const, quality: 'valid' as const, resultId: '' }))
  machine.record(0, 1e12, 'p', { type: 'observations', kind: 'charted', source: TOPICS.events, observations }, ({ out }) => { if (out.type === 'vector') answer = Object.fromEntries(view.names.map((n, i) => [n, out.values[i]!])) })
  return answer
}
const valueOf = (feature: Feature, readings: Readonly<Record<string, number>> = {}): number => values({ it: feature }, readings)['it']!

describe('a mistake in a definition is refused, naming the view', () => {
  it.each<[string, Partial<FeatureViewSpec>]>([
    ['name is one word', { name: 'Two words' }], ['at most 63', { name: 'v'.repeat(64) }], ['version is a whole number', { version: 0 }], ['version is a whole number', { version: 1.5 }], ['no features', { features: {} }],
    ['onChange names nothing', { emit: { every: '1 m', onChange: ['nothing'] } }],
  ])('%s', (why, spec) => {
    expect(() => featureView({ ...SPEC, ...spec })).toThrow(expect.objectContaining({ code: 'VIEW_INVALID', message: expect.stringContaining(why) as string }) as Error)
  })
  it('a ward, which has no readings of its own to plan', () => {
    const wardView = featureView({ ...SPEC, entity: 'ward', features: { worst: patients.max(featureView(SPEC), 'heartRateLast') } })
    expect(() => planViews([wardView])).toThrow(expect.objectContaining({ code: 'VIEW_INVALID', message: expect.stringContaining('feature view test') as string }) as Error)
    expect(() => featureView({ ...SPEC, features: { worst: patients.max(featureView(SPEC), 'heartRateLast') } })).toThrow(expect.objectContaining({ code: 'VIEW_INVALID' }) as Error)
  })
  it('views of two entities in one machine', () => {
    expect(() => featuresMachine([featureView(SPEC), featureView({ ...SPEC, name: 'other', entity: 'device' })])).toThrow(expect.objectContaining({ code: 'VIEW_INVALID', message: expect.stringContaining('device') as string }) as Error)
  })
  it('a duration that is none', () => { expect(() => mean('heartRate').over('soon' as '1 m')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error) })
})

it('keeps the order of the features, and knows what it reads', () => {
  const view = featureView({ ...SPEC, features: { b: ratio(last('heartRate'), last('systolic')), a: when(last('spo2'), '<', 90, last('fio2'), constant(0, '%')) } })
  expect(view.names).toEqual(['b', 'a'])
  expect(view.concepts).toEqual(['heartRate', 'systolic', 'spo2', 'fio2'])
  expect(conceptsOf(view.expressions[0]!)).toEqual(['heartRate', 'systolic'])
})

it('gives every feature a unit', () => {
  expect([mean('systolic').over('5 m'), variance('systolic').over('5 m'), slope('systolic').over('5 m'), ratio(last('systolic'), last('heartRate')), ratio(last('systolic'), last('diastolic')), times(last('heartRate'), constant(2)), fact('ageYears'), fact('hoursInUnit')].map(f => unitOf(f.expression)))
    .toEqual(['mm[Hg]', 'mm[Hg]2', 'mm[Hg]/h', 'min.mm[Hg]', '1', '/min', 'a', 'h'])
})

describe('absence is never imputed', () => {
  const hr = last('heartRate')
  const absent = last('respiratoryRate')
  const READ = { heartRate: 80 }
  it('in arithmetic', () => { for (const join of [plus, minus, times, ratio, least, greatest]) expect([valueOf(join(hr, absent), READ), valueOf(join(absent, hr), READ)]).toEqual([NaN, NaN]) })
  it('in a division by zero', () => { expect(valueOf(ratio(hr, constant(0)), READ)).toBeNaN() })
  it('in bands and conditions', () => { expect([valueOf(banded(absent, [[1, 3]], 0), READ), valueOf(when(absent, '<', 1, hr, hr), READ), valueOf(rounded(absent), READ)]).toEqual([NaN, NaN, NaN]) })
  it('but what is present may be summed, chosen and counted', () => {
    expect([valueOf(sumOfPresent(hr, absent, constant(1, '/min')), READ), valueOf(maxOfPresent(absent, hr), READ), valueOf(coalesce(absent, hr), READ), valueOf(countMissing(hr, absent, absent), READ)]).toEqual([81, 80, 80, 2])
    expect([valueOf(sumOfPresent(absent), READ), valueOf(maxOfPresent(absent, absent), READ), valueOf(coalesce(absent, absent), READ)]).toEqual([NaN, NaN, NaN])
  })
})

it('closes bands above, and gives what lies beyond the last its own points', () => {
  const bands = banded(last('heartRate'), [[40, 3], [50, 1], [90, 0]], 2)
  expect([40, 40.5, 50, 90, 90.5].map(heartRate => valueOf(bands, { heartRate }))).toEqual([3, 1, 1, 0, 2])
})

it('compares as written', () => {
  const holds = (is: '<' | '<=' | '>' | '>=' | '='): readonly number[] => [79, 80, 81].map(heartRate => valueOf(when(last('heartRate'), is, 80, constant(1), constant(0)), { heartRate }))
  expect([holds('<'), holds('<='), holds('>'), holds('>='), holds('=')]).toEqual([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]])
})

it('rounds half up', () => { expect([[2.5, 0], [2.4999, 0], [-2.5, 0], [38.05, 1], [1.005, 2]].map(([x, d]) => valueOf(rounded(constant(x!), d)))).toEqual([3, 2, -2, 38.1, 1.01]) })

it('plans every view of the product, each under its own name, and shares what they keep', () => {
  expect(new Set(ALL_VIEWS.map(v => `${v.name}@${v.version}`)).size).toBe(ALL_VIEWS.length)
  const plan = planViews(ALL_VIEWS)
  expect(new Set(plan.series.map(s => s.concept)).size).toBe(plan.series.length)
  expect(max('heartRate').over('15 m').expression).toMatchObject({ op: 'window', kept: 'dense', windowMs: 900_000 })
  expect(plan.ringOf('heartRate', 30_000)).toBeGreaterThanOrEqual(0)
})
