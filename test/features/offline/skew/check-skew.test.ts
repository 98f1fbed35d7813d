import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { featuresMachine } from '../../../../features/compute/index.ts'
import { count, featureView, last, mean, min, type FeatureView } from '../../../../features/define/index.ts'
import type { ClickHouseOffline, ObservationsRow, VectorRow } from '../../../../features/offline/index.ts'
import { CAUSE_TEXTS, CAUSES, checkSkew, type SkewReport } from '../../../../features/offline/skew/index.ts'
import { compareValues } from '../../../../features/offline/skew/compare.ts'
import { causeOf, type Evidence } from '../../../../features/offline/skew/causes.ts'
import { KeyedMachine } from '../../../../streams/engine/index.ts'
import type { ObservationSet, PatientKey } from '../../../../streams/events/index.ts'
import { storeOn } from '../../../kit/offline-store.ts'
import { SeededRandom } from '../../../kit/random.ts'
import { batchOf, describeWithEngine, startTestEngine, type TestEngine } from '../clickhouse/kit.ts'

const START = Date.UTC(2026, 0, 15)
const PATIENTS = 12
const viewOf = (name: string): FeatureView => featureView({
  name, version: 1, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '10 s', on: ['laboratory'] },
  features: { pulse: last('heartRate'), pulseMean: mean('heartRate').over('5 m'), lactateMin: min('lactate').overReadings('1 h'), pulses: count('heartRate').over('5 m') },
})

interface Lived { readonly observations: readonly ObservationsRow[], readonly vectors: readonly VectorRow[] }

/** Some patients' readings, with pairs of records in one millisecond, and what the stream served of them. */
function live (view: FeatureView, from: number): Lived {
  const random = new SeededRandom(3)
  const machine = new KeyedMachine(featuresMachine([view]))
  const observations: ObservationsRow[] = []
  const vectors: VectorRow[] = []
  let arrival = from
  for (let offset = 0; offset < 600; offset++) {
    if (offset % 2 === 0) arrival += 500
    const patient = `${view.name}-${(offset >> 1) % PATIENTS}` as PatientKey
    const laboratory = random.chance(0.3)
    const set: ObservationSet = {
      type: 'observations', kind: laboratory ? 'laboratory' : 'device', source: 'test',
      observations: [{ concept: laboratory ? 'lactate' : 'heartRate', value: 1 + random.below(90) / 7, comparator: '=', eventTime: arrival - random.below(3) * 700, status: 'final', quality: 'valid', resultId: laboratory ? `r${offset}` : '' }],
    }
    observations.push({ patient, arrival, partition: 0, offset, kind: set.kind, source: set.source, observations: set.observations })
    machine.record(offset, arrival, patient, set, ({ key, out, at, through }) => {
      if (out.type === 'vector') vectors.push({ patient: key as PatientKey, arrival: at, partition: 0, offset: vectors.length, vector: { ...out, through } })
    })
  }
  return { observations, vectors }
}

describeWithEngine('skew between what was served and what is computed from the observations', () => {
  let engine: TestEngine
  let store: ClickHouseOffline
  let from = START

  beforeAll(async () => {
    engine = await startTestEngine()
    store = await storeOn(engine.engine)
  })
  afterAll(async () => { await store[Symbol.asyncDispose](); await engine[Symbol.asyncDispose]() })

  /** Each test has a view and an hour of its own. */
  async function check (name: string, change: (lived: Lived) => Lived = lived => lived): Promise<SkewReport> {
    from += 7_200_000
    const view = viewOf(name)
    const { observations, vectors } = change(live(view, from))
    await store.write(batchOf({ observations, vectors }))
    return await checkSkew(store.sql, { view, from, to: from + 3_600_000, share: 1, vectorsMax: 100_000 })
  }
  const causesOf = ({ features }: SkewReport): readonly string[] => [...new Set(features.flatMap(f => f.examples.map(e => e.cause)))]

  it('finds none where there is none, in every vector', async () => {
    const report = await check('calm')
    expect(report).toMatchObject({ patients: PATIENTS, different: 0 })
    expect(report.vectors).toBeGreaterThan(150)
    expect(report.values).toBe(report.vectors * 4)
    expect(report.features.map(f => f.examples.length)).toEqual([0, 0, 0, 0])
  })

  it('finds a single value that was served wrongly, names feature, patient and moment, and cannot explain it', async () => {
    const report = await check('wrong', ({ observations, vectors }) => {
      const values = Float64Array.from(vectors[40]!.vector.values)
      values[0] = 99
      return { observations, vectors: vectors.with(40, { ...vectors[40]!, vector: { ...vectors[40]!.vector, values } }) }
    })
    expect(report.different).toBe(1)
    expect(report.features[0]).toMatchObject({ feature: 'pulse', outcomes: { different: 1 }, examples: [{ served: 99, cause: 'unexplained' }] })
    expect(report.features[0]!.smape).toBeGreaterThan(0)
  })

  it('says that the store is behind where observations are missing at the end', async () => {
    const report = await check('behind', ({ observations, vectors }) => ({ observations: observations.slice(0, 400), vectors }))
    expect(report.different).toBeGreaterThan(0)
    expect(causesOf(report)).toContain('behind')
  })

  it('says that records of one millisecond are the cause where a vector does not say which it knew', async () => {
    const report = await check('moment', ({ observations, vectors }) => ({ observations, vectors: vectors.map(row => ({ ...row, vector: { ...row.vector, through: row.vector.through! - 1 } })) }))
    expect(causesOf(report)).toContain('same-millisecond')
  })

  it('says that another definition made the vectors', async () => {
    await store.registerView('renamed', 1, ['other', 'names', 'than', 'these'], ['1', '1', '1', '1'])
    const report = await check('renamed', ({ observations, vectors }) => ({ observations, vectors: vectors.map(row => ({ ...row, vector: { ...row.vector, values: row.vector.values.map(v => v + 1) } })) }))
    expect(causesOf(report)).toEqual(['definition'])
  })

  it('takes whole patients, always the same ones, and refuses a share or an interval that is none', async () => {
    const view = viewOf('calm')
    const of = (share: number): Promise<SkewReport> => checkSkew(store.sql, { view, from: START, to: START + 14_400_000, share, vectorsMax: 100_000 })
    const [half, again, all] = [await of(0.5), await of(0.5), await of(1)]
    expect(half).toEqual(again)
    expect(half.patients).toBeGreaterThan(0)
    expect(half.patients).toBeLessThan(all.patients)
    await expect(of(0)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(checkSkew(store.sql, { view, from: 5, to: 5, share: 1, vectorsMax: 1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('one value', () => {
  it('is equal, within the tolerance of sums, different, or absent on one side', () => {
    expect([[1, 1], [NaN, NaN], [0, -0], [1, 1 + 1e-12], [1e12, 1e12 + 1], [1, 2], [NaN, 1], [1, NaN]].map(([a, b]) => compareValues(a!, b!).outcome))
      .toEqual(['equal', 'equal', 'equal', 'within', 'within', 'different', 'served-absent', 'stored-absent'])
  })

  it('has the likeliest cause, and each cause has its words', () => {
    const evidence: Evidence = { served: 1, stored: 2, wholeMillisecond: 3, storeArrival: 10, asOf: 5, sameDefinition: true }
    expect([{}, { sameDefinition: false }, { storeArrival: 4 }, { wholeMillisecond: 1 }, { stored: 1 + 1e-8 }, { served: NaN }].map(more => causeOf({ ...evidence, ...more })))
      .toEqual(['unexplained', 'definition', 'behind', 'same-millisecond', 'rounding', 'unexplained'])
    expect(CAUSES.every(cause => CAUSE_TEXTS[cause].length > 20)).toBe(true)
  })
})
