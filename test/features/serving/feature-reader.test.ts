import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OnlineStore } from '../../../features/online/index.ts'
import { FeatureReader, onlineValue, ServingCatalogue } from '../../../features/serving/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { latestView, rowOf, tempStore } from './kit.ts'

const numerics = latestView('numerics')
const blood = latestView('blood', { version: 2, count: 10, ttl: '1 h' })
const beds = latestView('beds', { entity: 'encounter' })
const catalogue = new ServingCatalogue([numerics, blood, beds], [{ name: 'both', description: 'test', features: ['blood:lactateLast', 'numerics'] }])
let store: OnlineStore
let clock: ManualClock
let reader: FeatureReader
beforeEach(async () => {
  store = tempStore()
  clock = new ManualClock(101_000)
  reader = new FeatureReader({ store, catalogue, clock })
  await store.put([
    rowOf(numerics, 'anna', 100_000, [80, NaN, 120.5], [95_000, NaN, 99_000]),
    rowOf(blood, 'anna', 90_000, [1, 2, 3, 4, 5, 6.5, 7, 8, 9, 10], [80_000, 80_000, 81_000, 81_000, 82_000, 82_500, 83_000, 84_000, 85_000, 86_000]),
    rowOf(numerics, 'ben', 41_000, [60, 97, 110], [40_000, 40_000, 40_000]),
  ])
})
afterEach(async () => { await store[Symbol.asyncDispose]() })

const codeOf = (e: unknown): unknown => e instanceof LatidoError ? [e.code, e.message, e.action] : e

describe('reading', () => {
  it('gives values, event times and ages by column, in the order of views and entities asked', async () => {
    const table = await reader.read({ features: ['blood:lactateLast', 'numerics'] }, ['anna', 'ben'])
    expect(table.selection.names).toEqual(['blood:lactateLast', 'numerics:heartRateLast', 'numerics:spo2Last', 'numerics:systolicLast'])
    expect([...table.vector(0)]).toEqual([6.5, 80, NaN, 120.5])
    expect([0, 1, 2, 3].map(c => table.eventTime(0, c))).toEqual([82_500, 95_000, NaN, 99_000])
    expect([0, 1, 2, 3].map(c => table.ageMs(0, c))).toEqual([18_500, 6_000, NaN, 2_000])
    expect([...table.vector(1)]).toEqual([NaN, 60, 97, 110])
    expect(table.now).toBe(101_000)
  })

  it('says why a value is absent: never stored, past its time to live, or computed without a value', async () => {
    const reasons = async (entity: string): Promise<readonly string[]> => {
      const table = await reader.read({ service: 'both' }, [entity])
      return [0, 1, 2, 3].map(c => table.reason(0, c))
    }
    expect(await reasons('anna')).toEqual(['present', 'present', 'no-value', 'present'])
    expect(await reasons('ben')).toEqual(['never-stored', 'present', 'present', 'present'])
    clock.set(101_001)
    expect(await reasons('ben')).toEqual(['never-stored', 'expired', 'expired', 'expired'])
    expect((await reader.read({ features: ['numerics'] }, ['ben'])).asOf(0, 0)).toBe(41_000)
  })

  it('serves a row until its time to live is over, and not a millisecond longer', async () => {
    const first = async (): Promise<number> => (await reader.read({ features: ['numerics'] }, ['ben'])).value(0, 0)
    expect(await first()).toBe(60)
    clock.set(101_001)
    expect(await first()).toBeNaN()
  })

  it('makes objects for who asks', async () => {
    const [view] = (await reader.read({ features: ['numerics:spo2Last', 'numerics:heartRateLast'] }, ['anna'])).entity(0)
    expect(view).toEqual({
      view: 'numerics', version: 1, asOf: 100_000, features: [
        { name: 'spo2Last', unit: '%', present: false, value: null, eventTime: null, ageMs: null, reason: 'no-value' },
        { name: 'heartRateLast', unit: '/min', present: true, value: 80, eventTime: 95_000, ageMs: 6_000, reason: 'present' },
      ],
    })
  })

  it('answers an entity that is asked for twice twice, and nobody for nobody', async () => {
    expect((await reader.read({ features: ['numerics'] }, ['anna', 'anna'])).vector(1)[0]).toBe(80)
    expect((await reader.read({ features: ['numerics'] }, [])).data).toHaveLength(0)
  })

  it('never says that a value is younger than nothing', async () => {
    await store.put([rowOf(numerics, 'cleo', 101_000, [70, 70, 70], [101_500, 101_500, 101_500])])
    expect((await reader.read({ features: ['numerics'] }, ['cleo'])).ageMs(0, 0)).toBe(0)
  })
})

describe('refusals', () => {
  it.each([
    [{ features: ['numeric'] }, 'VIEW_UNKNOWN', 'there is no view "numeric"', 'did you mean numerics?'],
    [{ features: ['blood@1'] }, 'VIEW_UNKNOWN', 'view blood has no version 1 here', 'versions that are served: 2'],
    [{ features: ['blood:lactate'] }, 'FEATURE_UNKNOWN', 'view blood has no feature "lactate"', 'did you mean lactateLast?'],
    [{ features: ['Anna Smith: 1990'] }, 'FEATURE_UNKNOWN', 'what was asked for is not a reference to a feature', 'write view, view:feature or view@version:feature'],
    [{ service: 'bth' }, 'SERVICE_UNKNOWN', 'there is no feature service "bth"', 'did you mean both?'],
    [{ service: 'x y' }, 'SERVICE_UNKNOWN', 'there is no feature service what was asked for', 'services: both'],
    [{ features: [] }, 'SELECTION_INVALID', 'no features are named', 'name views or features, or a feature service'],
    [{ features: ['numerics', 'beds'] }, 'SELECTION_INVALID', 'the entity of view numerics is patient, that of view beds is encounter', 'read views of different entities one after the other'],
  ] as const)('%j is refused with %s', async (query, code, message, action) => {
    expect(await reader.read(query, ['anna']).catch(codeOf)).toEqual([code, message, action])
  })

  it('refuses more entities, or more values, than it answers at once', async () => {
    const small = new FeatureReader({ store, catalogue, clock, limits: { entitiesMax: 2, cellsMax: 9 } })
    expect(await small.read({ features: ['numerics'] }, ['a', 'b', 'c']).catch(codeOf)).toEqual(['TOO_MANY_ENTITIES', '3 entities are asked for', 'ask for at most 2 at once'])
    expect(await small.read({ features: ['blood'] }, ['a']).catch(codeOf)).toEqual(['TOO_MANY_ENTITIES', '1 entities with 10 features each are asked for', 'ask for at most 9 values at once'])
  })

  it('refuses a row that code with another definition has written, rather than misread it', async () => {
    const other = latestView('numerics', { count: 2 })
    await store.put([rowOf(other, 'dora', 100_000, [1, 2], [1, 2])])
    expect(await reader.read({ features: ['numerics'] }, ['dora']).catch(codeOf)).toEqual(['PAYLOAD_INVALID', 'a stored vector has 2 features where its view has 3', expect.any(String)])
    const cut = onlineValue({ type: 'vector', view: 'numerics', version: 1, asOf: 100_000, trigger: 'device', values: Float64Array.of(1, 2, 3), times: Float64Array.of(1, 2, 3) })
    for (let length = 0; length < cut.length; length++) {
      await store.put([{ table: 'numerics@1', entity: 'emil', version: length + 1, value: Buffer.from(cut.subarray(0, length)) }])
      expect(await reader.read({ features: ['numerics'] }, ['emil']).catch(codeOf), String(length)).toEqual(['PAYLOAD_INVALID', expect.any(String), expect.any(String)])
    }
  })

  it('a service that names what does not exist is refused when it is defined', () => {
    expect(() => new ServingCatalogue([numerics], [{ name: 'bad', description: '', features: ['nothing'] }])).toThrow('there is no view "nothing"')
    expect(() => new ServingCatalogue([numerics], [{ name: 'Bad name', description: '', features: ['numerics'] }])).toThrow('a name is one word')
    const twice = { name: 'twice', description: '', features: ['numerics'] }
    expect(() => new ServingCatalogue([numerics], [twice, twice])).toThrow('two feature services "twice"')
  })

  it('of two versions of a view the newer is meant, and both can be named', () => {
    const two = new ServingCatalogue([latestView('numerics', { version: 2, count: 4 }), numerics])
    expect([two.view('numerics').version, two.view('numerics@1').version, two.select(['numerics@1']).names.length]).toEqual([2, 1, 3])
  })

  it('a new version is meant from the moment on at which it has caught up', () => {
    let version = 1
    let changed = (): void => {}
    const two = new ServingCatalogue([latestView('numerics', { version: 2, count: 4 }), numerics], [], { versionOf: () => version, onChange: listener => { changed = listener } })
    expect(two.select(['numerics']).names).toHaveLength(3)
    version = 2
    changed()
    expect(two.select(['numerics']).names).toHaveLength(4)
  })
})

describe('counts', () => {
  it('counts requests, entities, missing and stale values, and how old rows are, view by view', async () => {
    clock.set(131_000)
    await reader.read({ service: 'both' }, ['anna', 'ben', 'nobody'])
    const numericsTally = reader.tally.views.get('numerics@1')!
    expect(numericsTally).toMatchObject({ requests: 1, entities: 3, missing: 7, stale: 3 })
    expect([numericsTally.freshness.sum, numericsTally.staleness.sum]).toEqual([31 + 90, 30])
    expect(reader.tally.views.get('blood@2')).toMatchObject({ requests: 1, entities: 3, missing: 2, stale: 0 })
    expect([...reader.tally.views.get('blood@2')!.freshness.counts]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
  })
})
