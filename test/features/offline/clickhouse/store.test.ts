import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SCHEMA_VERSION, openClickHouseOffline } from '../../../../features/offline/index.ts'
import type { ClickHouseOffline, ObservationsRow } from '../../../../features/offline/index.ts'
import type { ConceptId, Observation, PatientKey } from '../../../../streams/events/index.ts'
import { isLatidoError } from '../../../../streams/errors/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { NOON, PATIENT, batchOf, describeWithEngine, observationsAt, startTestEngine } from './kit.ts'
import type { TestEngine } from './kit.ts'
import { storeOn } from '../../../kit/offline-store.ts'

const SMILE = 'Øst 😀 “3”'
const HOUR_MS = 3_600_000

describeWithEngine('the offline store in the embedded engine', () => {
  let started: TestEngine
  let store: ClickHouseOffline
  let database = 0
  beforeAll(async () => { started = await startTestEngine() })
  afterAll(async () => { await started[Symbol.asyncDispose]() })
  beforeEach(async () => {
    const { engine } = started
    store = await storeOn(engine, { database: `test_${++database}` })
    return async () => { await store[Symbol.asyncDispose]() }
  })
  const count = async (table: string): Promise<number> => Number((await store.query(`SELECT count() AS n FROM ${table}`))[0]?.['n'])
  const laboratory = (offset: number, value: number, more: Partial<Observation> = {}): ObservationsRow => observationsAt(offset, {
    kind: 'laboratory', observations: [{ concept: 'lactate', value, comparator: '=', eventTime: NOON, status: 'final', quality: 'valid', resultId: 'order-1', ...more }],
  })

  it('keeps every field of an observation, to the millisecond, with emoji, odd comparators and old and far times', async () => {
    const far = Date.UTC(2187, 6, 1, 0, 0, 0, 999)
    await store.write(batchOf({
      observations: [{
        patient: PATIENT, arrival: far, kind: 'laboratory', source: SMILE, partition: 3, offset: 2 ** 40, observations: [
          { concept: 'lactate', value: 0.1 + 0.2, comparator: '<=', eventTime: NOON, status: 'corrected', quality: 'questionable', resultId: SMILE },
          { concept: 'ph', value: NaN, comparator: '=', eventTime: Date.UTC(1931, 0, 1, 0, 0, 0, 7), status: 'final', quality: 'valid', resultId: '' },
        ],
      }],
    }))
    expect(await store.query('SELECT * EXCEPT (event_time, arrival_time), toUnixTimestamp64Milli(event_time) AS e, toUnixTimestamp64Milli(arrival_time) AS a FROM observations ORDER BY `index`')).toEqual([
      { patient: PATIENT, concept: 'lactate', value: 0.1 + 0.2, comparator: '<=', status: 'corrected', quality: 'questionable', kind: 'laboratory', source: SMILE, result_id: SMILE, partition: 3, offset: 2 ** 40, index: 0, e: NOON, a: far },
      { patient: PATIENT, concept: 'ph', value: null, comparator: '=', status: 'final', quality: 'valid', kind: 'laboratory', source: SMILE, result_id: '', partition: 3, offset: 2 ** 40, index: 1, e: Date.UTC(1931, 0, 1, 0, 0, 0, 7), a: far },
    ])
    expect(await store.query('SELECT isNaN(value) AS nan FROM observations WHERE `index` = 1')).toEqual([{ nan: 1 }])
  })

  it('keeps encounters, statements, vectors with absent features, and dead letters without their bytes', async () => {
    await store.write(batchOf({
      encounters: [{ patient: PATIENT, arrival: NOON, partition: 0, offset: 1, event: { type: 'encounter', action: 'admit', eventTime: NOON, source: 'hl7:adt', ward: SMILE, bed: '7', ageYears: -1, sex: 'female', hoursSinceHospitalAdmission: 2.5 } }],
      vectors: [{ patient: PATIENT, arrival: NOON, partition: 0, offset: 2, vector: { type: 'vector', view: 'vitals', version: 2, asOf: NOON, trigger: 'charted', values: Float64Array.of(1.5, NaN, -0), times: Float64Array.of(NOON, NaN, NOON - 1) } }],
      statements: [{ patient: PATIENT, arrival: NOON, partition: 0, offset: 4, event: { type: 'statement', kind: 'allergy', source: 'fhir:ehr', statementId: 'AllergyIntolerance/7', status: 'active', system: 'http://snomed.info/sct', code: SMILE, eventTime: NOON - 5, endTime: -1, value: NaN, unit: '' } }],
      deadLetters: [{ partition: 0, offset: 3, letter: { cause: 'unit-unknown', feed: '', detail: 'OBX-6 of segment 4', source: 'hl7:lab', partition: -1, offset: -1, refusedAt: NOON, raw: Buffer.from('sealed') } }],
    }))
    expect(await store.query('SELECT action, ward, age_years, hours_since_hospital_admission AS h FROM encounters')).toEqual([{ action: 'admit', ward: SMILE, age_years: -1, h: 2.5 }])
    expect(await store.query('SELECT values, times, isNaN(values[2]) AS absent, version FROM features')).toEqual([{ values: [1.5, null, -0], times: [NOON, null, NOON - 1], absent: 1, version: 2 }])
    expect(await store.query('SELECT kind, status, code, isNaN(value) AS none, end_time < toDateTime64(0, 3) AS open FROM statements')).toEqual([{ kind: 'allergy', status: 'active', code: SMILE, none: 1, open: 1 }])
    expect(await store.query('SELECT cause, raw_bytes, met_offset FROM dead_letters')).toEqual([{ cause: 'unit-unknown', raw_bytes: 6, met_offset: -1 }])
  })

  it('gives scores, alerts and drift back as they were, newest first', async () => {
    const reasons = [{ feature: 'news2Respiration', value: 3, contribution: 3, eventTime: NOON }]
    const alert = (changedAt: number, state: string): Record<string, unknown> => ({ alertId: 'a-1', rule: 'news2-urgent', priority: 'medium', state, raisedAt: NOON, changedAt, onsetEventTime: NOON - 1, value: 7, threshold: 7, missing: ['temperature'], reasons, acknowledgedBy: SMILE, basis: 'news2@1' })
    const drift = { view: 'vitals', viewVersion: 1, feature: 'heartRateMean5m', windowStart: NOON - HOUR_MS, windowEnd: NOON, count: 500, psi: 0.31, threshold: 0.2, alarm: true, missingShare: 0.1, referenceMissingShare: 0 }
    const score = { model: 'sepsis', modelVersion: '1', view: 'vitals', viewVersion: 1, asOf: NOON, probability: 0.25, presentShare: 0.9, reasons }
    const position = { patient: PATIENT, arrival: NOON, partition: 0 }
    await store.write(batchOf({
      alerts: [{ ...position, offset: 1, value: alert(NOON, 'active') }, { ...position, offset: 2, value: alert(NOON + 1, 'acknowledged') }, { ...position, patient: 'other' as PatientKey, offset: 3, value: { ...alert(NOON + 2, 'active'), value: NaN } }],
      drift: [{ ...position, patient: '', offset: 4, value: drift }, { ...position, patient: '', offset: 4, value: { ...drift, feature: 'spo2Min15m' } }],
      scores: [{ ...position, offset: 5, value: score }, { ...position, offset: 5, value: { ...score, model: 'other' } }],
    }))
    expect(await store.alertHistory(PATIENT, 10)).toEqual([{ patient: PATIENT, arrival: NOON, ...alert(NOON + 1, 'acknowledged') }, { patient: PATIENT, arrival: NOON, ...alert(NOON, 'active') }])
    expect((await store.alertHistory(undefined, 1))[0]).toMatchObject({ patient: 'other', value: null })
    expect(await store.driftHistory(10)).toEqual([{ arrival: NOON, ...drift }, { arrival: NOON, ...drift, feature: 'spo2Min15m' }])
    expect(await store.scores(PATIENT, NOON - 1, NOON + 1, 10)).toEqual([{ model: 'other', asOf: NOON, probability: 0.25 }, { model: 'sepsis', asOf: NOON, probability: 0.25 }])
  })

  it('counts a batch that comes twice once, and so also a batch that was cut in another way', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => observationsAt(i))
    await store.write(batchOf({ observations: rows }))
    await store.write(batchOf({ observations: rows }))
    await store.write(batchOf({ observations: rows.slice(0, 20) }))
    await store.write(batchOf({ observations: rows.slice(20) }))
    expect(await count('observations')).toBe(50)
  })

  it('shows of each result its newest word: corrected values replace, withdrawn ones go, artefacts are left out', async () => {
    const trend = async (): Promise<readonly number[]> => (await store.trends(PATIENT, ['lactate'], NOON - 1, NOON + HOUR_MS, 100)).map(point => point.value)
    await store.write(batchOf({ observations: [laboratory(1, 2.1), laboratory(2, 9, { resultId: 'order-2', eventTime: NOON + 60_000, quality: 'artefact' })] }))
    expect(await trend()).toEqual([2.1])
    await store.write(batchOf({ observations: [laboratory(3, 2.4, { status: 'corrected' })] }))
    expect(await trend()).toEqual([2.4])
    await store.write(batchOf({ observations: [laboratory(4, 2.4, { status: 'withdrawn' })] }))
    expect(await trend()).toEqual([])
  })

  it('thins a trend to the newest point of each bucket, of the asked concepts, patient and half-open interval', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => observationsAt(i))
    await store.write(batchOf({ observations: [...rows, laboratory(200, 1), observationsAt(5, { patient: 'other' as PatientKey, partition: 1 })] }))
    const points = await store.trends(PATIENT, ['heartRate'], NOON, NOON + 100, 10)
    expect(points.map(point => point.value)).toEqual([69, 79, 89, 99, 109, 119, 129, 139, 149, 159])
    expect(points[0]).toEqual({ concept: 'heartRate', eventTime: NOON + 9, arrival: NOON + 9, value: 69, kind: 'device' })
    expect(await store.trends(PATIENT, ['heartRate'], NOON, NOON + 3, 100)).toHaveLength(3)
    expect(await store.trends(PATIENT, [], NOON, NOON + 3, 100)).toEqual([])
  })

  it('binds what it is given: a patient that is SQL finds nothing and harms nothing', async () => {
    await store.write(batchOf({ observations: [observationsAt(1)] }))
    const hostile = "x' OR 1 = 1; DROP TABLE observations --"
    expect(await store.trends(hostile as PatientKey, ['heartRate', "') --" as ConceptId], 0, NOON * 2, 10)).toEqual([])
    expect(await count('observations')).toBe(1)
  })

  it('keeps the names and units of a view\'s features', async () => {
    await store.registerView('vitals', 1, ['heartRateMean5m', SMILE], ['/min', '%'])
    await store.registerView('vitals', 1, ['heartRateMean5m', SMILE], ['/min', '%'])
    expect(await store.query('SELECT * FROM feature_names WHERE view = {view:String}', { view: 'vitals' })).toEqual([{ view: 'vitals', version: 1, names: ['heartRateMean5m', SMILE], units: ['/min', '%'] }])
  })

  it('refuses what a query may not do, with the code and without the values', async () => {
    await expect(store.query('DROP TABLE observations')).rejects.toMatchObject({ code: 'OFFLINE_QUERY_FAILED' })
    const failure: unknown = await store.query("SELECT toUInt8('patient-secret')").then(() => undefined, (e: unknown) => e)
    expect(isLatidoError(failure) && failure.code === 'OFFLINE_QUERY_FAILED' && !JSON.stringify([failure.message, failure.action, String(failure.cause)]).includes('secret')).toBe(true)
  })

  it('goes down to nothing and up again, and says which version it found', async () => {
    const tables = async (): Promise<number> => Number((await store.query('SELECT count() AS n FROM system.tables WHERE database = currentDatabase()'))[0]?.['n'])
    const all = await tables()
    await store.write(batchOf({ observations: [observationsAt(1)] }))
    expect(await store.migrateTo(1)).toBe(SCHEMA_VERSION)
    expect(await count('observations')).toBe(1)
    expect(await store.migrateTo(0)).toBe(1)
    expect(await tables()).toBe(1)
    expect(await store.migrateTo(SCHEMA_VERSION)).toBe(0)
    expect(await tables()).toBe(all)
    expect(await count('observations')).toBe(0)
    const versions = Array.from({ length: SCHEMA_VERSION }, (_, i) => i + 1)
    const [up, down, downTo1] = [versions.map(v => `up ${v}`), ['down 1'], versions.slice(1).toReversed().map(v => `down ${v}`)]
    expect((await store.query('SELECT direction, version FROM latido_migrations ORDER BY step')).map(row => `${String(row['direction'])} ${String(row['version'])}`)).toEqual([...up, ...downTo1, ...down, ...up])
  })

  it('refuses a store whose schema is newer than the code', async () => {
    const { engine } = started
    const basic = `Basic ${Buffer.from(`x:${engine.token}`).toString('base64')}`
    await fetch(`${engine.url}/?database=test_${database}`, { method: 'POST', headers: { authorization: basic }, body: "INSERT INTO latido_migrations VALUES (99, 99, 'later', 'up', 99, now64(3))" })
    await expect(openClickHouseOffline({ url: engine.url, username: 'x', password: engine.token, clock: systemClock, database: `test_${database}` })).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' })
  })
})

describeWithEngine('an engine that is killed while batches are written', () => {
  it('loses nothing and counts nothing twice', async () => {
    await using started = await startTestEngine()
    const { engine } = started
    await using store = await storeOn(engine)
    const killed = new Set<number>() // its death is noticed a moment later
    const killer = systemClock.every(150, () => { if (killed.size < 3 && engine.state === 'on' && engine.pid !== undefined) { killed.add(engine.pid); process.kill(engine.pid, 'SIGKILL') } })
    let refused = 0
    let batches = 0
    for (let b = 0; b < 40 || killed.size < 3 || refused === 0; batches = ++b) {
      const batch = batchOf({ observations: Array.from({ length: 500 }, (_, i) => observationsAt(500 * b + i)) })
      for (;;) {
        try { await store.write(batch); break } catch (e) {
          if (!isLatidoError(e) || e.code !== 'OFFLINE_UNAVAILABLE') throw e
          refused++
          await systemClock.sleep(20)
        }
      }
    }
    killer()
    while (engine.state !== 'on' || engine.pid === undefined || killed.has(engine.pid)) await systemClock.sleep(10)
    const [row] = await store.query('SELECT count() AS n, uniqExact(`offset`) AS u, max(`offset`) AS last FROM observations')
    expect(row).toEqual({ n: 500 * batches, u: 500 * batches, last: 500 * batches - 1 })
  })
})

describe('a ClickHouse that is not there', () => {
  it('is said to be unavailable', async () => {
    await expect(openClickHouseOffline({ url: 'http://127.0.0.1:9', username: 'x', password: 'y', clock: systemClock })).rejects.toMatchObject({ code: 'OFFLINE_UNAVAILABLE' })
  })
})
