import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildDashboards } from '../../dashboards/server/index.ts'
import { ManualClock } from '../../streams/time/index.ts'
import { FakeSources } from './fake-sources.ts'

type App = Awaited<ReturnType<typeof buildDashboards>>
let app: App
let sources: FakeSources
const HERE = { host: '127.0.0.1:8080' }

beforeEach(async () => { sources = new FakeSources({ clock: new ManualClock(10_000_000) }); app = await buildDashboards({ sources }) })
afterEach(async () => { await app.close() })

interface Answer { readonly status: number, readonly body: Readonly<Record<string, unknown>>, readonly text: string, readonly headers: Readonly<Record<string, unknown>> }
async function ask (method: 'GET' | 'POST', url: string, { body, headers = {}, from = '127.0.0.1' }: { readonly body?: object, readonly headers?: Readonly<Record<string, string>>, readonly from?: string } = {}): Promise<Answer> {
  const answer = await app.inject({ method, url, headers: { ...HERE, ...headers }, remoteAddress: from, ...body === undefined ? {} : { payload: body } })
  return { status: answer.statusCode, text: answer.body, headers: answer.headers, body: String(answer.headers['content-type']).startsWith('application/json') ? JSON.parse(answer.body) as Answer['body'] : {} }
}
const codeOf = ({ status, body }: Answer): readonly unknown[] => [status, (body['error'] as { code?: string } | undefined)?.code]

test('the feeds are listed with the concepts that a code can be mapped to', async () => {
  const { status, body } = await ask('GET', '/api/feeds')
  expect(status).toBe(200)
  expect(body).toMatchObject({ feeds: [{ name: 'lab', unmapped: [{ code: 'KREA', count: 38 }, {}] }, { name: 'monitors', configuration: { state: 'refused' }, clocks: { byDistance: { minutes: 1 }, worst: [{ device: 'pump-3', looks: 'dateLost' }, { device: 'monitor-12', offsetMs: -3_600_400 }, {}] } }] })
  expect((body['concepts'] as unknown[]).length).toBeGreaterThan(30)
})

test('a code is mapped, and what cannot be says why', async () => {
  expect(await ask('POST', '/api/feeds/lab/codes', { body: { system: 'L', code: 'KREA', concept: 'creatinine', unit: 'umol/L', by: 'lab engineer' } })).toMatchObject({ status: 200, body: { codes: 13 } })
  expect(sources.feeds.mapped).toEqual([{ feed: 'lab', system: 'L', code: 'KREA', concept: 'creatinine', unit: 'umol/L', by: 'lab engineer' }])
  expect(codeOf(await ask('POST', '/api/feeds/none/codes', { body: { code: 'x', concept: 'spo2' } }))).toEqual([404, 'FEED_UNKNOWN'])
  expect(codeOf(await ask('POST', '/api/feeds/lab/codes', { body: { code: 'x' } }))).toEqual([400, 'REQUEST_INVALID'])
  sources.feeds.refusal = { kind: 'invalid', why: 'no unit' }
  expect(codeOf(await ask('POST', '/api/feeds/lab/codes', { body: { code: 'x', concept: 'spo2' } }))).toEqual([400, 'CODE_INVALID'])
  sources.feeds.refusal = { kind: 'mapped-otherwise', concept: 'lactate', unit: 'mmol/L' }
  expect(await ask('POST', '/api/feeds/lab/codes', { body: { code: 'x', concept: 'spo2' } })).toMatchObject({ status: 409, body: { error: { code: 'CODE_MAPPED', message: 'the table says lactate in mmol/L of this code already' } } })
  sources.feeds.refusal = { kind: 'file-faulty', why: 'lab.codes.csv:2' }
  expect(codeOf(await ask('POST', '/api/feeds/lab/codes', { body: { code: 'x', concept: 'spo2' } }))).toEqual([409, 'FILE_FAULTY'])
})

test('the table of a feed is shown, found in, changed and taken out of, each with what the caller saw', async () => {
  expect((await ask('GET', '/api/feeds/lab/codes?limit=1')).body).toEqual({ total: 12, matching: 12, codes: [{ system: 'L', code: 'K', concept: 'potassium', unit: 'mmol/L' }] })
  expect((await ask('GET', '/api/feeds/lab/codes?find=ignore')).body).toMatchObject({ matching: 1, codes: [{ code: 'GLOSSE' }] })
  expect(codeOf(await ask('GET', '/api/feeds/none/codes'))).toEqual([404, 'FEED_UNKNOWN'])
  await ask('POST', '/api/feeds/lab/codes', { body: { system: 'L', code: 'K', concept: 'sodium', was: { concept: 'potassium', unit: 'mmol/L' } } })
  expect(sources.feeds.mapped).toEqual([{ feed: 'lab', system: 'L', code: 'K', concept: 'sodium', unit: '', was: { concept: 'potassium', unit: 'mmol/L' }, by: 'engineer' }])
  expect(await ask('POST', '/api/feeds/lab/codes/remove', { body: { system: 'L', code: 'K', concept: 'sodium' } })).toMatchObject({ status: 200, body: { codes: 11 } })
  expect(codeOf(await ask('POST', '/api/feeds/lab/codes/remove', { body: { code: 'K' } }))).toEqual([400, 'REQUEST_INVALID'])
  sources.feeds.refusal = { kind: 'gone' }
  expect(codeOf(await ask('POST', '/api/feeds/lab/codes/remove', { body: { code: 'K', concept: 'sodium' } }))).toEqual([409, 'CODE_GONE'])
  sources.feeds.refusal = { kind: 'mapped-otherwise', concept: 'ignore', unit: '' }
  expect(codeOf(await ask('POST', '/api/feeds/lab/codes/remove', { body: { code: 'K', concept: 'sodium' } }))).toEqual([409, 'CODE_MAPPED'])
})

test('all letters that match are dropped, as many as the caller says', async () => {
  expect(codeOf(await ask('POST', '/api/deadletters/drop', { body: { cause: 'unit-unknown' } }))).toEqual([400, 'REQUEST_INVALID'])
  expect((await ask('POST', '/api/deadletters/drop', { body: { limit: 2, by: 'night shift' } })).body).toEqual({ dropped: 2, left: 1 })
  expect(sources.deadLetters.letters.map(({ state, last }) => [state, last?.by])).toEqual([['dropped', 'night shift'], ['dropped', 'night shift'], ['open', undefined]])
})

test('dead letters are listed by cause, feed, state and page', async () => {
  expect((await ask('GET', '/api/deadletters?limit=2')).body).toMatchObject({ letters: [{ offset: 103 }, { offset: 102 }], matching: 3, next: 102 })
  expect((await ask('GET', '/api/deadletters?limit=2&after=102')).body).toMatchObject({ letters: [{ offset: 101 }], next: null })
  expect((await ask('GET', '/api/deadletters?cause=code-unknown&feed=lab')).body).toMatchObject({ matching: 1 })
  expect(codeOf(await ask('GET', '/api/deadletters?cause=nonsense'))).toEqual([400, 'REQUEST_INVALID'])
})

test('a letter is retried, dropped, and told why not', async () => {
  expect((await ask('POST', '/api/deadletters/101/retry', { body: { by: 'night shift' } })).body).toMatchObject({ state: 'retried', last: { by: 'night shift', outcome: 'published' } })
  expect(codeOf(await ask('POST', '/api/deadletters/101/retry'))).toEqual([409, 'LETTER_CLOSED'])
  expect(codeOf(await ask('POST', '/api/deadletters/103/retry'))).toEqual([409, 'LETTER_WITHOUT_FEED'])
  expect((await ask('POST', '/api/deadletters/103/drop')).body).toMatchObject({ state: 'dropped', last: { by: 'engineer' } })
  expect(codeOf(await ask('POST', '/api/deadletters/9/drop'))).toEqual([404, 'LETTER_UNKNOWN'])
  expect((await ask('POST', '/api/deadletters/retry', { body: { cause: 'unit-unknown' } })).body).toEqual({ tried: 1, published: 0, duplicate: 0, archived: 0, refused: 1, left: 0 })
})

test('the bytes of a letter are given on request, on this machine alone, and never cached', async () => {
  expect((await ask('GET', '/api/deadletters/101')).text).not.toContain('PID')
  expect(sources.deadLetters.opened).toBe(0)
  const raw = await ask('GET', '/api/deadletters/101?raw=1')
  expect([raw.status, raw.headers['content-type'], raw.headers['cache-control']]).toEqual([200, 'application/octet-stream', 'no-store'])
  expect(raw.text).toContain('PID|1||TEST-1')
  expect(codeOf(await ask('GET', '/api/deadletters/101?raw=1', { from: '10.1.2.3' }))).toEqual([403, 'RAW_REFUSED'])
  expect(sources.deadLetters.opened).toBe(1)
})

test('a page of another site, and a foreign Host, change nothing', async () => {
  for (const url of ['/api/feeds/reload', '/api/feeds/lab/codes', '/api/feeds/lab/codes/remove', '/api/deadletters/drop', '/api/deadletters/retry', '/api/deadletters/101/retry', '/api/deadletters/101/drop']) {
    expect(codeOf(await ask('POST', url, { headers: { origin: 'http://evil.example' }, body: url.endsWith('/drop') ? { limit: 1 } : { code: 'x', concept: 'spo2' } }))).toEqual([403, 'CROSS_SITE'])
    expect(codeOf(await ask('POST', url, { headers: { host: 'evil.example' } }))).toEqual([403, 'HOST_REFUSED'])
  }
  expect([sources.feeds.reloads, sources.feeds.mapped.length, sources.deadLetters.show(101)?.state]).toEqual([0, 0, 'open'])
})
