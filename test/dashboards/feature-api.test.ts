import { afterEach, describe, expect, it } from 'vitest'
import type { FastifyInstance } from 'fastify'
import { buildDashboards, buildFeatureServer, startFeatureServer } from '../../dashboards/server/index.ts'
import { BINARY_MEDIA_TYPE, decodeBinary } from '../../features/serving/index.ts'
import { ManualClock } from '../../streams/time/index.ts'
import { FakeSources } from './fake-sources.ts'
import { BLOOD, exchange, fakeFeatures, NOW, NUMERICS, type FakeStore } from './feature-kit.ts'

let open: FastifyInstance | undefined
afterEach(async () => { await open?.close(); open = undefined })

interface Answer { readonly status: number, readonly json: unknown, readonly bytes: Buffer, readonly type: string }
type Ask = (method: 'GET' | 'POST', url: string, payload?: object | string, headers?: Record<string, string>) => Promise<Answer>

/** The routes are the same in the product's server and in the one that serves features alone. */
const servers = {
  'the product\'s server': (features: ReturnType<typeof fakeFeatures>['features']) => buildDashboards({ sources: new FakeSources({ clock: new ManualClock(NOW) }), features }),
  'the server of features alone': (features: ReturnType<typeof fakeFeatures>['features']) => buildFeatureServer({ features, version: '0.0.0-test', metrics: () => Promise.resolve('latido_serving_requests_total 0\n') }),
} as const

describe.each(Object.keys(servers) as (keyof typeof servers)[])('%s', name => {
  async function serve (): Promise<{ readonly store: FakeStore, readonly ask: Ask }> {
    const { store, features } = fakeFeatures()
    const app = open = await servers[name](features)
    return {
      store,
      ask: async (method, url, payload, headers = {}) => {
        const response = await app.inject({ method, url, headers: { host: '127.0.0.1:8080', ...headers }, ...payload === undefined ? {} : { payload } })
        const type = String(response.headers['content-type'])
        return { status: response.statusCode, type, bytes: response.rawPayload, json: type.includes('json') ? response.json() as unknown : undefined }
      },
    }
  }
  const batch = { features: ['numerics', 'blood:lactateLast'], entities: ['anna', 'ben', 'nobody'] }

  it('answers a batch by columns, each value with its event time and age, and says what is withheld or was never there', async () => {
    const { ask } = await serve()
    const { status, type, json } = await ask('POST', '/api/features/online', batch)
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8'])
    expect(json).toEqual({
      now: NOW, entity: 'patient', entities: ['anna', 'ben', 'nobody'], views: [
        {
          view: 'numerics', version: 1, ttlMs: 60_000, features: ['heartRateLast', 'spo2Last', 'systolicLast'], asOf: [NOW - 1_000, NOW - 60_001, null], state: ['served', 'expired', 'never-stored'],
          values: [[80, null, 120.5], [null, null, null], [null, null, null]], eventTimes: [[NOW - 6_000, null, NOW - 2_000], [null, null, null], [null, null, null]], agesMs: [[6_000, null, 2_000], [null, null, null], [null, null, null]],
        },
        { view: 'blood', version: 2, ttlMs: 3_600_000, features: ['lactateLast'], asOf: [NOW - 11_000, null, null], state: ['served', 'never-stored', 'never-stored'], values: [[6.5], [null], [null]], eventTimes: [[NOW - 20_000], [null], [null]], agesMs: [[20_000], [null], [null]] },
      ],
    })
  })

  it('answers the same in binary where that is accepted', async () => {
    const { ask } = await serve()
    for (const accept of [BINARY_MEDIA_TYPE, 'application/octet-stream', `application/json;q=0.5, ${BINARY_MEDIA_TYPE}`]) {
      const { status, type, bytes } = await ask('POST', '/api/features/online', batch, { accept })
      expect([status, type]).toEqual([200, accept.includes(BINARY_MEDIA_TYPE) ? BINARY_MEDIA_TYPE : 'application/octet-stream'])
      const { head, data } = decodeBinary(bytes)
      expect(head).toEqual({ now: NOW, entity: 'patient', entities: 3, views: [{ view: 'numerics', version: 1, ttlMs: 60_000, features: NUMERICS.names }, { view: 'blood', version: 2, ttlMs: 3_600_000, features: ['lactateLast'] }] })
      expect([...data]).toEqual([NOW - 1_000, NOW - 60_001, NaN, 80, NaN, 120.5, NaN, NaN, NaN, NaN, NaN, NaN, NOW - 6_000, NaN, NOW - 2_000, NaN, NaN, NaN, NaN, NaN, NaN, NOW - 11_000, NaN, NaN, 6.5, NaN, NaN, NOW - 20_000, NaN, NaN])
    }
  })

  it('reads a feature service by its name', async () => {
    const { ask } = await serve()
    expect(await ask('POST', '/api/features/online', { service: 'both', entities: ['anna'] })).toMatchObject({ status: 200, json: { views: [{ view: 'blood', values: [[6.5]] }, { view: 'numerics', values: [[80, null, 120.5]] }] } })
    expect((await ask('GET', '/api/features/services')).json).toEqual([{ name: 'both', description: 'Numerics and lactate', features: ['blood:lactateLast', 'numerics'] }])
  })

  it('answers one entity as objects with reasons', async () => {
    const { ask } = await serve()
    expect((await ask('GET', '/api/features/online/anna?features=numerics:spo2Last,blood:creatinineLast')).json).toEqual({
      now: NOW, entity: 'patient', key: 'anna', views: [
        { view: 'numerics', version: 1, asOf: NOW - 1_000, features: [{ name: 'spo2Last', unit: '%', present: false, reason: 'no-value', value: null, eventTime: null, ageMs: null }] },
        { view: 'blood', version: 2, asOf: NOW - 11_000, features: [{ name: 'creatinineLast', unit: BLOOD.units[6], present: true, reason: 'present', value: 1 / 3, eventTime: NOW - 20_000, ageMs: 20_000 }] },
      ],
    })
    expect(await ask('GET', '/api/features/online/ben?service=both')).toMatchObject({ status: 200, json: { views: [{ asOf: null, features: [{ reason: 'never-stored' }] }, { features: [{ reason: 'expired' }, { reason: 'expired' }, { reason: 'expired' }] }] } })
    expect(await ask('GET', '/api/features/online/nobody?service=both')).toMatchObject({ status: 404, json: { error: { code: 'ENTITY_UNKNOWN' } } })
  })

  it('lists views, and shows one', async () => {
    const { ask } = await serve()
    const { json } = await ask('GET', '/api/features/views')
    expect(json).toMatchObject([{ name: 'numerics', version: 1, entity: 'patient', owner: 'test', ttlMs: 60_000, features: [{ name: 'heartRateLast', unit: '/min' }, {}, {}] }, { name: 'blood', version: 2 }])
    expect((await ask('GET', '/api/features/views/blood@2')).json).toEqual((json as readonly unknown[])[1])
    expect(await ask('GET', '/api/features/views/blod')).toMatchObject({ status: 404, json: { error: { code: 'VIEW_UNKNOWN', message: 'there is no view "blod"', action: 'did you mean blood?' } } })
  })

  it.each([
    ['an unknown view', { features: ['numeric'], entities: ['anna'] }, {}, 404, 'VIEW_UNKNOWN'],
    ['an unknown version', { features: ['numerics@7'], entities: ['anna'] }, {}, 404, 'VIEW_UNKNOWN'],
    ['an unknown feature', { features: ['numerics:pulse'], entities: ['anna'] }, {}, 404, 'FEATURE_UNKNOWN'],
    ['an unknown service', { service: 'boht', entities: ['anna'] }, {}, 404, 'SERVICE_UNKNOWN'],
    ['neither features nor a service', { entities: ['anna'] }, {}, 400, 'SELECTION_INVALID'],
    ['both', { service: 'both', features: ['numerics'], entities: ['anna'] }, {}, 400, 'SELECTION_INVALID'],
    ['too many entities', { service: 'both', entities: Array.from({ length: 1_001 }, (_, i) => `p${i}`) }, {}, 400, 'TOO_MANY_ENTITIES'],
    ['no entities', { service: 'both' }, {}, 400, 'REQUEST_INVALID'],
    ['an empty key', { service: 'both', entities: [''] }, {}, 400, 'REQUEST_INVALID'],
    ['no body', '', { 'content-type': 'application/json' }, 400, 'REQUEST_INVALID'],
    ['a body that is cut short', '{"service":"both","entities":["an', { 'content-type': 'application/json' }, 400, 'REQUEST_INVALID'],
    ['another content type', 'service=both', { 'content-type': 'text/plain' }, 415, 'REQUEST_INVALID'],
    ['a body that is too large', JSON.stringify({ service: 'both', entities: ['x'.repeat(1 << 20)] }), { 'content-type': 'application/json' }, 413, 'REQUEST_INVALID'],
  ] as const)('refuses %s', async (_what, payload, headers, status, code) => {
    const { ask } = await serve()
    const answer = await ask('POST', '/api/features/online', payload as object | string, headers)
    expect(answer).toMatchObject({ status, json: { error: { code, message: expect.any(String), action: expect.any(String) } } })
  })

  it('says 503 while the store is away, and no half of an answer', async () => {
    const { store, ask } = await serve()
    store.away = true
    for (const answer of [await ask('POST', '/api/features/online', batch, { accept: BINARY_MEDIA_TYPE }), await ask('GET', '/api/features/online/anna?service=both')]) {
      expect(answer).toMatchObject({ status: 503, json: { error: { code: 'ONLINE_UNAVAILABLE' } } })
    }
    store.away = false
    expect((await ask('POST', '/api/features/online', batch)).status).toBe(200)
  })

  it('describes every route, with examples, in OpenAPI', async () => {
    const { ask } = await serve()
    const { paths, components } = (await ask('GET', '/api/openapi.json')).json as { paths: Record<string, Record<string, Record<string, unknown>>>, components: { schemas: Record<string, { examples?: unknown }> } }
    const own = Object.entries(paths).filter(([path]) => path.startsWith('/api/features')).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => `${method} ${path} ${String(operation['operationId'])}`))
    expect(own).toEqual(['post /api/features/online readFeatures', 'get /api/features/online/{entity} readEntityFeatures', 'get /api/features/views listFeatureViews', 'get /api/features/views/{view} getFeatureView', 'get /api/features/services listFeatureServices'])
    expect(paths['/api/features/online']!['post']).toMatchObject({ requestBody: { content: { 'application/json': {} } }, responses: { 200: { content: { 'application/json': {}, [BINARY_MEDIA_TYPE]: {} } }, 503: {} } })
    for (const schema of ['FeatureQuery', 'OnlineFeatures', 'FeatureColumns', 'EntityFeatures', 'FeatureView', 'FeatureService']) expect(components.schemas[schema]?.examples, schema).toBeDefined()
  })
})

describe('connections', () => {
  it('stay open from request to request, and answer what was sent ahead in order', async () => {
    const { features } = fakeFeatures()
    await using server = await startFeatureServer({ host: '127.0.0.1', port: 0, features, version: '0', metrics: () => Promise.resolve('') })
    const one = (entity: string): string => {
      const body = JSON.stringify({ features: ['numerics:heartRateLast'], entities: [entity] })
      return `POST /api/features/online HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    }
    const received = await exchange(Number(new URL(server.url).port), ['anna', 'ben', 'anna', 'nobody'].map(one).join(''), text => text.split('"agesMs"').length > 4 && text.endsWith('}]}'))
    expect([...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(m => m[1])).toEqual(['200', '200', '200', '200'])
    expect([...received.matchAll(/"entities":\["(\w+)"\]/g)].map(m => m[1])).toEqual(['anna', 'ben', 'anna', 'nobody'])
    expect([...received.matchAll(/"state":\["([\w-]+)"\]/g)].map(m => m[1])).toEqual(['served', 'expired', 'served', 'never-stored'])
  })

  it('beyond this machine are refused', async () => {
    const { features } = fakeFeatures()
    await expect(startFeatureServer({ host: '0.0.0.0', port: 0, features, version: '0', metrics: () => Promise.resolve('') })).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
  })
})
