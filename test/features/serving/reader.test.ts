import { afterEach, beforeEach, expect, it } from 'vitest'
import { featureView, last } from '../../../features/define/index.ts'
import { openEmbeddedOnlineStore, type OnlineStore } from '../../../features/online/index.ts'
import { onlineValue, readView, tableOf } from '../../../features/serving/index.ts'
import type { PatientKey } from '../../../streams/events/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const ANNA = 'anna' as PatientKey
const BEN = 'ben' as PatientKey
const view = featureView({ name: 'small', version: 2, owner: 'test', description: 'test', ttl: '1 m', emit: { every: '1 s' }, features: { heartRate: last('heartRate'), spo2: last('spo2') } })
let directory: ReturnType<typeof tempDir>
let store: OnlineStore
beforeEach(async () => {
  directory = tempDir()
  store = openEmbeddedOnlineStore(directory.path)
  const vector = { type: 'vector' as const, view: 'small', version: 2, asOf: 100_000, trigger: 'device' as const, values: Float64Array.of(80, NaN), times: Float64Array.of(95_000, NaN) }
  await store.put([{ table: tableOf(view), entity: ANNA, version: 1, value: onlineValue(vector) }])
})
afterEach(async () => { await store[Symbol.asyncDispose](); directory.remove() })

it('gives each value with its unit, event time and age, and says what is absent', async () => {
  const [anna] = await readView(store, view, [ANNA], 101_000)
  expect(anna).toEqual({
    view: 'small', version: 2, asOf: 100_000, features: [
      { name: 'heartRate', unit: '/min', present: true, value: 80, eventTime: 95_000, ageMs: 6_000 },
      { name: 'spo2', unit: '%', present: false, value: null, eventTime: null, ageMs: null },
    ],
  })
})

it('does not serve as present what is older than the view allows, and still says how old it is', async () => {
  const asOf = async (now: number): Promise<readonly boolean[]> => (await readView(store, view, [ANNA], now))[0]!.features.map(f => f.present)
  expect(await asOf(160_000)).toEqual([true, false])
  expect(await asOf(160_001)).toEqual([false, false])
  expect((await readView(store, view, [ANNA], 160_001))[0]!.asOf).toBe(100_000)
})

it('answers for a patient of whom nothing is known, in the order asked', async () => {
  const [ben, anna] = await readView(store, view, [BEN, ANNA], 100_000)
  expect([ben!.asOf, ben!.features.map(f => f.present), anna!.asOf]).toEqual([null, [false, false], 100_000])
})

it('never says that a value is younger than nothing', async () => { expect((await readView(store, view, [ANNA], 94_000))[0]!.features[0]!.ageMs).toBe(0) })
