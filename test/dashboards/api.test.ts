import { afterEach, describe, expect, it } from 'vitest'
import type { FastifyInstance } from 'fastify'
import { buildDashboards } from '../../dashboards/server/index.ts'
import { ManualClock } from '../../streams/time/index.ts'
import { FakeSources, type FakeOptions } from './fake-sources.ts'

const START_MS = Date.UTC(2026, 0, 31, 12)
let open: FastifyInstance | undefined
afterEach(async () => { await open?.close(); open = undefined })

/** JSON as it came: probed by name, judged by `expect`. */
interface Probe { readonly [name: string]: Probe, readonly [index: number]: Probe }
interface Answer { readonly status: number, readonly text: string, readonly json: Probe, readonly headers: Readonly<Record<string, unknown>> }

/** One property of each element of a list. */
function each (list: Probe | undefined, name: string): readonly unknown[] { return (list as unknown as readonly Readonly<Record<string, unknown>>[]).map(item => item[name]) }
/** The element of a list whose `name` is `value`. */
function where (list: Probe, name: string, value: string): Probe | undefined { return (list as unknown as readonly Probe[]).find(item => item[name] as unknown === value) }


async function serve (options: Partial<FakeOptions> = {}): Promise<{ sources: FakeSources, get: (url: string, headers?: Record<string, string>) => Promise<Answer>, post: (url: string, payload?: object | string, headers?: Record<string, string>) => Promise<Answer> }> {
  const sources = new FakeSources({ clock: new ManualClock(START_MS), ...options })
  const app = open = await buildDashboards({ sources })
  const ask = async (method: 'GET' | 'POST', url: string, headers: Record<string, string>, payload?: object | string): Promise<Answer> => {
    const response = await app.inject({ method, url, headers: { host: '127.0.0.1:8080', ...headers }, ...(payload === undefined ? {} : { payload }) })
    const json = (String(response.headers['content-type']).includes('json') ? response.json() : {}) as Probe
    return { status: response.statusCode, text: response.body, json, headers: response.headers }
  }
  return { sources, get: (url, headers = {}) => ask('GET', url, headers), post: (url, payload, headers = {}) => ask('POST', url, headers, payload) }
}

describe('health and metrics', () => {
  it('answers 503 until the sources are ready, then 200', async () => {
    const { sources, get } = await serve()
    sources.isReady = false
    expect(await get('/healthz')).toMatchObject({ status: 503, json: { status: 'starting' } })
    sources.isReady = true
    expect(await get('/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } })
  })

  it('hands out Prometheus text as the sources give it', async () => {
    const answer = await (await serve()).get('/metrics')
    expect(answer.text).toContain('latido_records_total 42')
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  })
})

describe('patients', () => {
  it('lists every patient with the id of the source, the identity, and the latest values', async () => {
    const { get } = await serve()
    const { json } = await get('/api/patients')
    expect(json).toHaveLength(8)
    expect(json[0]).toMatchObject({ id: 'TEST-1001', identity: { familyName: 'Testova' }, ward: 'ICU', bed: '1', news2: { score: 13, atLeast: true, missing: ['news2Consciousness'] }, score: { probability: 0.71 } })
    expect(json[0]?.['readings']?.[0]).toMatchObject({ concept: 'heartRate', unit: '/min', stale: false, value: expect.any(Number) })
  })

  it('filters by ward and cuts at the limit', async () => {
    const { get } = await serve()
    expect((await get('/api/patients?ward=MED')).json).toHaveLength(3)
    expect((await get('/api/patients?limit=2')).json).toHaveLength(2)
    expect(await get('/api/patients?limit=0')).toMatchObject({ status: 400, json: { error: { code: 'REQUEST_INVALID' } } })
  })

  it('searches by words, ward, alert, NEWS2 and risk, and says how many there are and who searched', async () => {
    const { get } = await serve()
    const ids = async (query: string): Promise<readonly unknown[]> => each((await get(`/api/patients?${query}`)).json, 'id')
    expect(await ids('q=emerg')).toEqual(['TEST-1001'])
    expect(await ids('q=icu%201')).toEqual(['TEST-1001'])
    expect(await ids('ward=icu&sort=place')).toEqual(['TEST-1001', 'TEST-1002', 'TEST-1003', 'TEST-1004', 'TEST-1005'])
    expect(await ids('alert=acknowledged')).toEqual(['TEST-1007'])
    expect(await ids('alert=active&news2Min=6&riskMin=0.28&sort=risk')).toEqual(['TEST-1001', 'TEST-1003'])
    expect(await ids('sort=news2&descending=false&limit=3')).toEqual(['TEST-1002', 'TEST-1008', 'TEST-1004'])
    const page = await get('/api/patients?sort=news2&offset=1&limit=2')
    expect(each(page.json, 'id')).toEqual(['TEST-1007', 'TEST-1003'])
    expect(page.headers).toMatchObject({ 'latido-total': '8', 'latido-search-by': 'own-index' })
    expect(page.headers['latido-search-why']).toBeUndefined()
  })

  it('takes what is typed as words, whatever it is, and never searches names', async () => {
    const { get } = await serve()
    expect(await get(`/api/patients?q=${encodeURIComponent('O\'Brien-2 *()|@{}')}`)).toMatchObject({ status: 200, json: [] })
    expect((await get('/api/patients?q=Testova')).json).toEqual([])
  })

  it('says why Redis was not searched', async () => {
    const { get } = await serve({ searchWhy: 'this Redis has no search module' })
    expect((await get('/api/patients?q=icu')).headers).toMatchObject({ 'latido-search-by': 'own-index', 'latido-search-why': 'this Redis has no search module' })
  })

  it('refuses a search that it cannot take, and names the parameter', async () => {
    const { get } = await serve()
    for (const query of ['sort=name', 'alert=cleared', 'news2Min=21', 'riskMin=x', 'offset=-1', 'descending=perhaps', `q=${'x'.repeat(101)}`]) {
      const answer = await get(`/api/patients?${query}`)
      expect(answer, query).toMatchObject({ status: 400, json: { error: { code: 'REQUEST_INVALID', message: expect.stringContaining(query.split('=')[0]!) } } })
    }
  })

  it('knows a patient by the id of the source and by the pseudonym alike', async () => {
    const { sources, get } = await serve()
    const bySource = await get('/api/patients/TEST-1003')
    const byPseudonym = await get(`/api/patients/${sources.keyOf('TEST-1003')}`)
    expect(bySource.json['bed']).toBe('3')
    expect(byPseudonym.json).toEqual(bySource.json)
  })

  it('answers an unknown patient with 404, what is wrong and what to do, without repeating the id', async () => {
    const { get } = await serve()
    for (const path of ['', '/features', '/trends', '/alerts']) {
      const answer = await get(`/api/patients/NOBODY-7${path}`)
      expect(answer).toMatchObject({ status: 404, json: { error: { code: 'PATIENT_UNKNOWN', message: expect.any(String), action: expect.any(String) } } })
      expect(answer.text).not.toContain('NOBODY')
    }
  })

  it('hands out features view by view, and null where a value is not a number', async () => {
    const { get } = await serve()
    const { json, text } = await get('/api/patients/TEST-1001/features')
    expect(each(json['views'], 'view')).toEqual(['news2', 'vitals'])
    expect(json['views']?.[0]?.['features']).toContainEqual({ name: 'news2Consciousness', unit: '{points}', present: false, value: null, eventTime: null, ageMs: null })
    expect(json['views']?.[1]?.['features']?.[2]).toMatchObject({ name: 'shockIndex', value: null })
    expect(text).not.toMatch(/NaN|Infinity/)
  })

  it('hands out trends in columns with units, and the risk beside them', async () => {
    const { get } = await serve()
    const { json } = await get('/api/patients/TEST-1001/trends?concepts=heartRate,lactate&hours=6')
    expect(Number(json['to']) - Number(json['from'])).toBe(6 * 3_600_000)
    expect(each(json['series'], 'concept')).toEqual(['heartRate', 'lactate'])
    expect(each(json['series'], 'unit')).toEqual(['/min', 'mmol/L'])
    const { eventTimes, values, kinds } = (json['series']?.[0] ?? {}) as unknown as { readonly eventTimes: readonly number[], readonly values: readonly number[], readonly kinds: readonly string[] }
    expect(values).toHaveLength(eventTimes.length)
    expect(kinds).toHaveLength(eventTimes.length)
    expect(eventTimes).toEqual([...eventTimes].sort((a, b) => a - b))
    expect(json['risk']?.[0]).toMatchObject({ model: 'sepsis', asOfs: expect.any(Array) })
  })

  it('refuses a concept that does not exist and says which do', async () => {
    const { get } = await serve()
    const answer = await get('/api/patients/TEST-1001/trends?concepts=mood')
    expect(answer).toMatchObject({ status: 400, json: { error: { code: 'REQUEST_INVALID' } } })
    expect(answer.json['error']?.['action']).toContain('heartRate')
  })

  it('answers trends with 503 and the reason when the offline store is off, or away', async () => {
    expect(await (await serve({ offline: 'off' })).get('/api/patients/TEST-1001/trends')).toMatchObject({ status: 503, json: { error: { code: 'OFFLINE_OFF' } } })
    await open?.close()
    expect(await (await serve({ offline: 'away' })).get('/api/patients/TEST-1001/trends')).toMatchObject({ status: 503, json: { error: { code: 'OFFLINE_UNAVAILABLE' } } })
  })

  it('lists a patient\'s alerts, past ones from the offline store too', async () => {
    expect(each((await (await serve()).get('/api/patients/TEST-1001/alerts')).json, 'id')).toEqual(['alert-1', 'alert-0'])
    await open?.close()
    expect(each((await (await serve({ offline: 'off' })).get('/api/patients/TEST-1001/alerts')).json, 'id')).toEqual(['alert-1'])
  })
})

describe('alerts', () => {
  const ids = (answer: Answer): readonly unknown[] => [...each(answer.json, 'id')].sort()

  it('selects by state, where active means that nobody has acknowledged it yet', async () => {
    const { sources, get } = await serve()
    sources.change('alert-2', 'latched')
    expect(ids(await get('/api/alerts'))).toEqual(['alert-1', 'alert-2', 'alert-4'])
    expect(ids(await get('/api/alerts?state=active'))).toEqual(['alert-1', 'alert-2', 'alert-4'])
    expect(ids(await get('/api/alerts?state=latched'))).toEqual(['alert-2'])
    expect(ids(await get('/api/alerts?state=acknowledged'))).toEqual(['alert-3'])
    expect(ids(await get('/api/alerts?state=open'))).toEqual(['alert-1', 'alert-2', 'alert-3', 'alert-4'])
    expect(ids(await get('/api/alerts?state=cleared'))).toEqual(['alert-0'])
    expect(ids(await get('/api/alerts?state=all'))).toEqual(['alert-0', 'alert-1', 'alert-2', 'alert-3', 'alert-4'])
    expect((await get('/api/alerts?state=perhaps')).status).toBe(400)
  })

  it('says of each alert who, where, why and since when', async () => {
    const { get } = await serve()
    const alert = where((await get('/api/alerts')).json, 'id', 'alert-1')
    expect(alert).toMatchObject({ patientId: 'TEST-1001', ward: 'ICU', bed: '1', rule: 'news2-emergency', priority: 'high', state: 'active', value: 13, threshold: 7, missing: ['news2Consciousness'], raisedAt: START_MS - 95_000 })
    expect(alert?.['reasons']?.[0]).toMatchObject({ feature: 'news2Respiration', contribution: 3 })
  })

  it('gives a no-data alert a value of null, never NaN', async () => {
    const { get } = await serve()
    expect(where((await get('/api/alerts')).json, 'id', 'alert-4')?.['value']).toBeNull()
  })

  it('acknowledges with 202 in the name of whoever says so, or of the bedside', async () => {
    const { sources, post } = await serve()
    expect(await post('/api/alerts/alert-1/acknowledge', { by: 'charge-nurse' })).toMatchObject({ status: 202, json: { id: 'alert-1', state: 'accepted' } })
    expect((await post('/api/alerts/alert-2/acknowledge')).status).toBe(202)
    expect((await post('/api/alerts/alert-4/acknowledge', '', { 'content-type': 'application/json' })).status).toBe(202)
    expect(sources.acknowledged).toEqual([{ alertId: 'alert-1', by: 'charge-nurse' }, { alertId: 'alert-2', by: 'bedside' }, { alertId: 'alert-4', by: 'bedside' }])
  })

  it('answers 404 for an unknown alert and 409 for one that is acknowledged already', async () => {
    const { post } = await serve()
    expect(await post('/api/alerts/alert-99/acknowledge')).toMatchObject({ status: 404, json: { error: { code: 'ALERT_UNKNOWN' } } })
    expect(await post('/api/alerts/alert-3/acknowledge')).toMatchObject({ status: 409, json: { error: { code: 'ALERT_NOT_OPEN', message: 'the alert is already acknowledged' } } })
  })

  it('refuses a body that is not JSON, not an object, or not a role', async () => {
    const { sources, post } = await serve()
    const to = '/api/alerts/alert-1/acknowledge'
    expect((await post(to, '{"by":', { 'content-type': 'application/json' })).status).toBe(400)
    expect((await post(to, '[1]', { 'content-type': 'application/json' })).status).toBe(400)
    expect((await post(to, 'by=nurse', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
    expect((await post(to, 'nurse', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await post(to, { by: '<script>' })).status).toBe(400)
    expect((await post(to, { by: 'x'.repeat(65) })).status).toBe(400)
    expect(sources.acknowledged).toEqual([])
  })
})

describe('engineering', () => {
  it('hands out drift, pipeline and views, with null for what is not a number', async () => {
    const { get } = await serve()
    const drift = await get('/api/drift')
    expect(drift.json).toHaveLength(7)
    expect(where(drift.json, 'feature', 'shockIndex')?.['psi']).toBeNull()
    const pipeline = await get('/api/pipeline')
    expect(pipeline.json).toMatchObject({ late: 231, deadLetters: { total: 17, byCause: { 'unit-unknown': 9 } }, offline: { state: 'on' } })
    expect(pipeline.json['topics']?.[4]?.['perSecond']).toBeNull()
    expect((await get('/api/views')).json[0]).toMatchObject({ name: 'news2', ttlMs: 43_200_000 })
  })

  it('describes every route in OpenAPI', async () => {
    const { get } = await serve()
    const { json } = await get('/api/openapi.json')
    expect(json['openapi']).toBe('3.1.0')
    expect(Object.keys(json['paths'] ?? {}).sort()).toEqual(['/api/alerts', '/api/alerts/{id}/acknowledge', '/api/catalogue', '/api/deadletters', '/api/deadletters/drop', '/api/deadletters/retry', '/api/deadletters/{offset}', '/api/deadletters/{offset}/drop', '/api/deadletters/{offset}/retry', '/api/drift', '/api/feeds', '/api/feeds/reload', '/api/feeds/{name}/codes', '/api/feeds/{name}/codes/remove', '/api/live', '/api/patients', '/api/patients/{id}', '/api/patients/{id}/alerts', '/api/patients/{id}/features', '/api/patients/{id}/trends', '/api/pipeline', '/api/views', '/healthz', '/metrics'].sort())
    expect(Object.keys(json['components']?.['schemas'] ?? {})).toContain('Patient')
    expect((await get('/api')).text).toContain('/api/patients/{id}/features')
  })
})
