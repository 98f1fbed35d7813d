import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { SCHEMA_VERSION } from '../../../../features/offline/index.ts'
import type { ClickHouseOffline, ObservationsRow } from '../../../../features/offline/index.ts'
import type { Observation, PatientKey } from '../../../../streams/events/index.ts'
import { NOON, PATIENT, batchOf, describeWithEngine, observationsAt, startTestEngine } from './kit.ts'
import type { TestEngine } from './kit.ts'
import { storeOn } from '../../../kit/offline-store.ts'

const MINUTE_MS = 60_000
const START = Math.floor(NOON / MINUTE_MS) * MINUTE_MS

describeWithEngine('rollups of dense observations', () => {
  let started: TestEngine
  let store: ClickHouseOffline
  let database = 0
  beforeAll(async () => { started = await startTestEngine() })
  afterAll(async () => { await started[Symbol.asyncDispose]() })
  beforeEach(async () => {
    const { engine } = started
    store = await storeOn(engine, { database: `rollup_${++database}` })
    return async () => { await store[Symbol.asyncDispose]() }
  })

  const reading = (offset: number, second: number, value: number, more: Partial<Observation> = {}): ObservationsRow => observationsAt(offset, {
    observations: [{ concept: 'heartRate', value, comparator: '=', eventTime: START + second * 1_000, status: 'final', quality: 'valid', resultId: '', ...more }],
  })
  const minutes = (): Promise<readonly Readonly<Record<string, unknown>>[]> => store.query(`SELECT intDiv(toUnixTimestamp64Milli(minute) - ${START}, ${MINUTE_MS}) AS minute, count, sum, min, max, last FROM observation_minutes ORDER BY patient, concept, minute`)

  it('count, sum, least, greatest and last of each minute are those of its readings', async () => {
    await store.write(batchOf({ observations: [reading(1, 0, 60), reading(2, 30, 90), reading(3, 59, 70), reading(4, 60, 80)] }))
    expect(await store.rollUp()).toBe(2)
    expect(await minutes()).toEqual([{ minute: 0, count: 3, sum: 220, min: 60, max: 90, last: 70 }, { minute: 1, count: 1, sum: 80, min: 80, max: 80, last: 80 }])
  })

  it('a batch that comes again, cut in another way, counts once, before and after a rollup', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => reading(i, i * 3, i))
    await store.write(batchOf({ observations: rows }))
    await store.write(batchOf({ observations: rows.slice(0, 13) }))
    await store.rollUp()
    const once = await minutes()
    await store.write(batchOf({ observations: rows.slice(7) }))
    await store.rollUp()
    expect(await minutes()).toEqual(once)
    expect(once).toMatchObject([{ minute: 0, count: 20, sum: 190 }, { minute: 1, count: 20, sum: 590 }])
  })

  it('what comes late, and what is withdrawn, changes its minute alone', async () => {
    await store.write(batchOf({ observations: [reading(1, 0, 60), reading(2, 61, 80)] }))
    await store.rollUp()
    await store.write(batchOf({ observations: [reading(3, 5, 100), reading(4, 61, 80, { status: 'withdrawn' })] }))
    await store.rollUp()
    expect(await minutes()).toMatchObject([{ minute: 0, count: 2, sum: 160 }, { minute: 1, count: 0 }])
  })

  it('sparse readings stay out of the rollup, and in the trend', async () => {
    await store.write(batchOf({ observations: [reading(1, 0, 2.5, { concept: 'lactate', resultId: 'order-1' })] }))
    expect(await store.rollUp()).toBe(0)
    expect((await store.trends(PATIENT, ['lactate'], START, START + 86_400_000, 10)).map(p => p.value)).toEqual([2.5])
  })

  it('a long trend by minutes is the trend of the readings themselves', async () => {
    const rows = Array.from({ length: 600 }, (_, i) => reading(i, (i * 37) % 21_600, i, i % 50 === 0 ? { quality: 'artefact' } : {}))
    await store.write(batchOf({ observations: [...rows, observationsAt(900, { patient: 'other' as PatientKey })] }))
    const span = [PATIENT, ['heartRate'], START, START + 6 * 3_600_000, 36] as const
    const fromReadings = await store.trends(...span)
    await store.rollUp()
    expect(await store.query('SELECT count() AS n FROM observation_minutes WHERE patient = {patient:String}', { patient: 'other' })).toEqual([{ n: 1 }])
    expect(await store.trends(...span)).toEqual(fromReadings)
    expect(fromReadings.length).toBeGreaterThan(30)
  })

  it('going down to schema 2 and up again keeps the observations and the vectors, and rolls up what was stored', async () => {
    const vector = { type: 'vector', view: 'vitals', version: 1, asOf: NOON, trigger: 'charted', values: Float64Array.of(1), times: Float64Array.of(NOON) } as const
    await store.write(batchOf({
      observations: [reading(1, 0, 60)],
      vectors: [{ patient: PATIENT, arrival: NOON, partition: 0, offset: 2, vector }, { patient: PATIENT, arrival: NOON, partition: 0, offset: 3, vector: { ...vector, through: 77, entity: 'bed' } }],
      merges: [{ patient: PATIENT, arrival: NOON, partition: 0, offset: 4, event: { type: 'merge', survivor: 'b' as PatientKey, eventTime: NOON - 1, source: 'hl7:adt' } }],
    }))
    expect(await store.query('SELECT `offset`, through, entity FROM features ORDER BY `offset`')).toEqual([{ offset: 2, through: -1, entity: 'patient' }, { offset: 3, through: 77, entity: 'bed' }])
    expect(await store.query('SELECT patient, survivor, source, `offset` FROM merges')).toEqual([{ patient: PATIENT, survivor: 'b', source: 'hl7:adt', offset: 4 }])
    await store.migrateTo(2)
    await expect(store.query('SELECT through FROM features')).rejects.toMatchObject({ code: 'OFFLINE_QUERY_FAILED' })
    await store.migrateTo(SCHEMA_VERSION)
    expect(await store.query('SELECT through, entity FROM features')).toEqual([{ through: -1, entity: 'patient' }, { through: -1, entity: 'patient' }])
    await store.rollUp()
    expect(await minutes()).toMatchObject([{ minute: 0, count: 1, sum: 60 }])
  })
})
