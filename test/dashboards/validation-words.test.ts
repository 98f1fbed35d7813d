import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildDashboards } from '../../dashboards/server/index.ts'
import { validationLine } from '../../dashboards/server/validation-words.ts'
import { ManualClock } from '../../streams/time/index.ts'
import { FakeSources } from './fake-sources.ts'
import { fakeFeatures } from './feature-kit.ts'

type App = Awaited<ReturnType<typeof buildDashboards>>
let app: App
beforeAll(async () => { app = await buildDashboards({ sources: new FakeSources({ clock: new ManualClock(10_000_000) }), features: fakeFeatures().features }) })
afterAll(async () => { await app.close() })

const ROLE = 'body.by: it is a text of another form; expected: letters, digits, blanks, ".", "_", ":" and "-" alone'
const LONG = 'x'.repeat(250)

it.each<readonly ['GET' | 'POST', string, object | undefined, string]>([
  ['GET', '/api/patients?limit=0', undefined, 'query.limit: it is too small; expected: at least 1'],
  ['GET', '/api/patients?limit=Jane', undefined, 'query.limit: it is a text; expected: a whole number'],
  ['GET', '/api/patients?riskMin=7', undefined, 'query.riskMin: it is too large; expected: at most 1'],
  ['GET', '/api/patients?descending=Jane', undefined, 'query.descending: it is a text; expected: true or false'],
  ['GET', '/api/patients?sort=Jane', undefined, 'query.sort: it is another text; expected: one of "concern", "place", "news2", "risk", "updated"'],
  ['GET', `/api/patients?ward=${LONG}`, undefined, 'query.ward: it is too long; expected: at most 64 characters'],
  ['GET', '/api/patients/TEST-1001/alerts?limit=0', undefined, 'query.limit: it is too small; expected: at least 1'],
  ['GET', '/api/patients/TEST-1001/trends?hours=0', undefined, 'query.hours: it is too small; expected: more than 0'],
  ['GET', '/api/patients/TEST-1001/trends?concepts=Jane', undefined, 'query.concepts: it names a concept that does not exist'],
  ['GET', '/api/alerts?state=Jane', undefined, 'query.state: it is another text; expected: one of "active", "latched", "acknowledged", "open", "cleared", "all"'],
  ['POST', '/api/alerts/a/acknowledge', { by: 'Jane <3' }, ROLE],
  ['POST', '/api/alerts/a/acknowledge', { by: '' }, 'body.by: it is empty; expected: at least 1 character'],
  ['POST', '/api/alerts/a/acknowledge', ['Jane'], 'body: it is a list; expected: an object'],
  ['GET', '/api/deadletters?state=Jane', undefined, 'query.state: it is another text; expected: one of "open", "retried", "dropped", "all"'],
  ['GET', '/api/deadletters/Jane', undefined, 'path.offset: it is a text; expected: a whole number'],
  ['GET', '/api/deadletters/1?raw=Jane', undefined, 'query.raw: it is another text; expected: one of "0", "1"'],
  ['POST', '/api/deadletters/-1/retry', {}, 'path.offset: it is too small; expected: at least 0'],
  ['POST', '/api/deadletters/1/drop', { by: 'Jane <3' }, ROLE],
  ['POST', '/api/deadletters/retry', { limit: 1.5 }, 'body.limit: it is a number with a fraction; expected: a whole number'],
  ['POST', '/api/deadletters/drop', {}, 'body.limit: it is missing'],
  ['GET', `/api/feeds/${'x'.repeat(65)}/codes`, undefined, 'path.name: it is too long; expected: at most 64 characters'],
  ['POST', '/api/feeds/lab/codes', { code: 'Jane' }, 'body.concept: it is missing'],
  ['POST', '/api/feeds/lab/codes', { code: 'Jane', concept: 'spo2', was: { unit: 'Jane' } }, 'body.was.concept: it is missing'],
  ['POST', '/api/feeds/lab/codes/remove', { code: '', concept: 'spo2' }, 'body.code: it is empty; expected: at least 1 character'],
  ['POST', '/api/features/online', { features: ['news2'] }, 'body.entities: it is missing'],
  ['POST', '/api/features/online', { service: 'both', entities: ['a', ''] }, 'body.entities.1: it is empty; expected: at least 1 character'],
  ['POST', '/api/features/online', { service: { Jane: 1 }, entities: ['a'] }, 'body.service: it is an object; expected: a text'],
  ['GET', '/api/features/online/a?service=', undefined, 'query.service: it is empty; expected: at least 1 character'],
  ['GET', `/api/features/views/${'x'.repeat(129)}`, undefined, 'path.view: it is too long; expected: at most 128 characters'],
  ['GET', `/api/live?ward=${LONG}`, undefined, 'query.ward: it is too long; expected: at most 64 characters'],
])('%s %s says in plain words what was expected, and never what stood there', async (method, url, payload, message) => {
  const answer = await app.inject({ method, url, headers: { host: '127.0.0.1:8080' }, ...payload === undefined ? {} : { payload } })
  expect(answer.json<unknown>()).toMatchObject({ error: { code: 'REQUEST_INVALID', message } })
  expect([answer.statusCode, answer.body.includes('Jane')]).toEqual([400, false])
})

it('has a sentence for what no route asks yet', () => {
  const fault = (keyword: string, params: Readonly<Record<string, unknown>>) => ({ keyword, params, instancePath: '/a~1b/0', schemaPath: '' }) as Parameters<typeof validationLine>[0][number]
  const line = (keyword: string, params: Readonly<Record<string, unknown>>, brought: unknown): string => validationLine([fault(keyword, params)], 'body', { querystring: {}, params: {}, body: { 'a/b': [brought] } })
  expect(line('minItems', { limit: 1 }, [])).toBe('body.a/b.0: it has too few entries; expected: at least 1 entry')
  expect(line('exclusiveMaximum', { limit: 1 }, 1)).toBe('body.a/b.0: it is too large; expected: less than 1')
  expect(line('pattern', { pattern: '^x$' }, 'y')).toBe('body.a/b.0: it is a text of another form; expected: as the description of the API says')
  expect(line('oneOf', {}, 'y')).toBe('body.a/b.0: it is not as described')
  expect(validationLine([fault('type', { type: 'string' })], undefined, { querystring: {}, params: {}, body: {} })).toBe('request.a/b.0: it is missing; expected: a text')
})
