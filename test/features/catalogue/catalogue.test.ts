import { describe, expect, it } from 'vitest'
import { catalogueOf, explainFeature, lintViews, planSummary, type Linted } from '../../../features/catalogue/index.ts'
import {
  age, banded, coalesce, constant, count, countMissing, countSinceAdmission, delta, deviation, fact, featureView, first, greatest, last, least, max, maxOfPresent, mean, min, minus, missingRate, patients, plus, quantile, ratio, rounded, slope, sumOfPresent,
  timeAbove, times, timeSinceBelow, when, type Feature, type FeatureView,
} from '../../../features/define/index.ts'
import { ALL_VIEWS, news2View, STANDARD_GROUP_VIEWS } from '../../../features/views/index.ts'

describe('a feature in words', () => {
  it.each<readonly [string, Feature]>([
    ['mean of heart rate over 5 m (tiles of 10 s)', mean('heartRate').over('5 m')],
    ['min of lactate over 8 d of kept readings, up to 1 d before now', min('lactate').overReadings('8 d', { until: '1 d' })],
    ['standard deviation of oxygen saturation over 6 h in samples of 1 h', deviation('spo2').overSamples('6 h')],
    ['quantile 0.95 of heart rate over 1 h (tiles of 2 m)', quantile('heartRate', 0.95).over('1 h')],
    ['hours above 110 of heart rate over 1 d of kept readings', timeAbove('heartRate', 110).overReadings('24 h')],
    ['hours since below 90 of oxygen saturation over 1 h (tiles of 2 m)', timeSinceBelow('spo2', 90).over('1 h')],
    ['slope per hour of arterial pH over 1 d of kept readings', slope('ph').overReadings('24 h')],
    ['newest reading of SpO2 scale prescribed for NEWS2', last('spo2Scale')],
    ['newest reading of lactate within 1 d', last('lactate').within('24 h')],
    ['newest reading of lactate - the reading before the newest of lactate', delta('lactate')],
    ['hours since the newest reading of lactate', age('lactate')],
    ['readings of lactate since admission', countSinceAdmission('lactate')],
    ['share of 1 m without a reading of oxygen saturation, over 1 h', missingRate('spo2', '1 m').over('1 h')],
    ['age in years x (newest reading of heart rate / newest reading of systolic pressure)', times(fact('ageYears'), ratio(last('heartRate'), last('systolic')))],
    ['the first present of newest reading of lactate or 1 mmol/L', coalesce(last('lactate'), constant(1, 'mmol/L'))],
    ['points of (newest reading of heart rate rounded to whole numbers): 3 up to 40, 0 up to 90, 1 above', banded(rounded(last('heartRate')), [[40, 3], [90, 0]], 1)],
    ['if newest reading of inspired oxygen fraction > 21 then 1 else 0', when(last('fio2'), '>', 21, constant(1), constant(0))],
    ['the lesser of (the greater of 1 and 2) and 3', least(greatest(constant(1), constant(2)), constant(3))],
    ['sum of what is present of 1, 2 and 3', sumOfPresent(constant(1), constant(2), constant(3))],
    ['highest of what is present of 1 and (how many are absent of 2)', maxOfPresent(constant(1), countMissing(constant(2)))],
    ['max over the patients of news2@1:news2', patients.max(news2View, 'news2')],
    ['number of patients with at least 7 of news2@1:news2', patients.countAtLeast(news2View, 'news2', 7)],
    ['(1 + 2) - count of lactate over 1 d of kept readings', minus(plus(constant(1), constant(2)), count('lactate').overReadings('24 h'))],
    ['oldest reading of lactate over 1 d of kept readings', first('lactate').overReadings('24 h')],
  ])('%s', (says, { expression }) => { expect(explainFeature(expression)).toBe(says) })

  it('every feature of the product has words, and none says undefined', () => {
    for (const view of [...ALL_VIEWS, ...STANDARD_GROUP_VIEWS]) for (const e of view.expressions) expect(explainFeature(e)).not.toMatch(/undefined|NaN|\[object/)
  })
})

const view = (features: Readonly<Record<string, Feature>>, more: Partial<Parameters<typeof featureView>[0]> = {}): FeatureView =>
  featureView({ name: 'x', version: 1, owner: 'o', description: 'd', ttl: '1 m', emit: { every: '1 s' }, features, ...more }) as FeatureView
const lint = (v: FeatureView, more: Partial<Linted> = {}): readonly string[] => lintViews([{ view: v, dependents: ['model m'], ...more }]).map(({ kind, feature, line }) => `${kind} ${feature ?? '-'} ${line ?? '-'}`)
const plain = { a: mean('heartRate').over('5 m') }

describe('what is legal and doubtful', () => {
  it.each<readonly [string, FeatureView, readonly string[]]>([
    ['nothing', view(plain), []],
    ['a TTL that ends before the next vector', view(plain, { ttl: '5 s', emit: { every: '10 s' } }), ['ttl-shorter-than-emit - -']],
    ['no description', view(plain, { description: ' ' }), ['no-description - -']],
    ['an emission that nothing causes', view(plain, { emit: { every: '1 s', on: ['hartRate' as 'heartRate', 'charted', 'lactate'] } }), ['emit-unknown - -']],
    ['a window of one reading of a monitor', view({ a: mean('heartRate').over('1 s') }), ['window-finer-than-source a -']],
    ['minutes of laboratory results', view({ a: mean('lactate').overReadings('10 m'), b: max('lactate').overReadings('24 h') }), ['window-finer-than-source a -']],
    ['two features that mean the same', view({ a: mean('heartRate').over('5 m'), b: mean('heartRate').over('300 s') }), ['same-expression b -']],
    ['a limit that no value reaches', view({ a: timeAbove('spo2', 101).over('1 h'), b: when(last('heartRate'), '>', 400, constant(1), constant(0)), c: when(age('heartRate'), '>', 400, constant(1), constant(0)) }), ['limit-impossible a -', 'limit-impossible b -']],
    ['a state beyond the budget', view({ a: mean('heartRate').overSamples('30 d', '15 m'), b: max('spo2').overSamples('30 d', '15 m'), c: min('systolic').overSamples('30 d', '15 m') }), ['state-over-budget - -']],
  ])('%s', (_what, v, findings) => { expect(lint(v)).toEqual(findings) })

  it('tells the line of the view or of the feature, and the names that were meant', () => {
    const doubtful = view({ a: timeAbove('spo2', 101).over('1 h') }, { emit: { every: '1 s', on: ['hartRate' as 'heartRate'] } })
    const found = lintViews([{ view: doubtful, dependents: [], file: 'f.ts', line: 3, lineOf: name => name === 'a' ? 9 : undefined }])
    expect(found.map(({ kind, file, line }) => `${kind} ${file}:${line}`)).toEqual(['nothing-depends f.ts:3', 'emit-unknown f.ts:3', 'limit-impossible f.ts:9'])
    expect(found[1]!.message).toContain('did you mean heartRate')
  })
})

describe('the catalogue', () => {
  it('has of each view its meaning, its sources, its state and what depends on it', () => {
    const [entry] = catalogueOf([{ view: view({ index: ratio(last('heartRate').within('10 m'), mean('systolic').over('1 h')) }), origin: 'own', file: 'f.ts', line: 2, lineOf: () => 5, state: 'building', served: false }], [{ view: 'x', version: 1, by: 'model m' }, { view: 'x', version: 2, by: 'model n' }])
    expect(entry).toMatchObject({
      name: 'x', state: 'building', origin: 'own', file: 'f.ts', line: 2, dependents: ['model m'], concepts: [{ id: 'heartRate', unit: '/min', loinc: expect.arrayContaining(['8867-4']) as string[] }, { id: 'systolic' }],
      features: [{ name: 'index', unit: '/min/mm[Hg]', windowsMs: [600_000, 3_600_000], concepts: ['heartRate', 'systolic'], line: 5 }],
    })
    expect(entry!.fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect(entry!.deviceStateBytes).toBeGreaterThan(31 * 8)
    expect(entry!.stateBytes!).toBeGreaterThan(entry!.deviceStateBytes!)
  })

  it('a ward has no series of its own', () => {
    expect(catalogueOf([{ view: STANDARD_GROUP_VIEWS[0]!, origin: 'standard', state: 'live', served: true }], [])[0]).toMatchObject({ entity: 'ward', stateBytes: null, concepts: [] })
  })

  it('views that are planned together share what they keep', () => {
    const a = view({ a: mean('heartRate').over('5 m') })
    const b = view({ b: max('heartRate').over('5 m') }, { name: 'y' })
    const plan = planSummary([a, b])
    expect(plan.series).toMatchObject([{ concept: 'heartRate', views: ['x@1', 'y@1'], rings: [{ tileMs: 10_000, tiles: 31 }] }])
    expect(plan.bytes).toBeLessThan(plan.aloneBytes)
  })
})
