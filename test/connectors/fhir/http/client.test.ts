import { afterEach, beforeEach, expect, it } from 'vitest'
import { openFhirClient, type FhirClient, type FhirClientOptions } from '../../../../connectors/fhir/index.ts'
import { retryAfterMs } from '../../../../connectors/fhir/http/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { FakeFhirServer } from '../fake-server/index.ts'
import { countedFetch, heartRate, NOW_MS, runUntil } from '../support.ts'

let clock: ManualClock
let server: FakeFhirServer
const counts = new Map<string, number>()

beforeEach(async () => {
  clock = new ManualClock(NOW_MS)
  server = await FakeFhirServer.start({ clock })
  counts.clear()
})
afterEach(async () => { await server[Symbol.asyncDispose]() })

function open (options: Partial<FhirClientOptions> = {}): FhirClient {
  return openFhirClient({ baseUrl: server.baseUrl, clock, fetch: countedFetch, random: () => 0.5, count: what => { counts.set(what, (counts.get(what) ?? 0) + 1) }, ...options, limits: { requestsPerMinute: 6000, ...options.limits } })
}

/** The answer, while the simulated time goes on. */
async function settled<T> (work: Promise<T>): Promise<T> {
  let done = false
  const end = work.then(value => ({ value }), (error: unknown) => ({ error })).finally(() => { done = true })
  await runUntil(clock, server, () => done)
  const outcome = await end
  if ('error' in outcome) throw outcome.error
  return outcome.value
}

/** Answers of a server of our own making, one a request. */
function answering (...answers: readonly (() => Response)[]): { readonly fetch: typeof globalThis.fetch, readonly asked: string[] } {
  const asked: string[] = []
  return { asked, fetch: url => { asked.push(String(url)); return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1]!()) } }
}
const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => (): Response => new Response(JSON.stringify(body), { status, headers })
const pages = async (client: FhirClient): Promise<number> => { let n = 0; for await (const _ of client.search('Observation?_count=1')) n++; return n }

it('reads by ETag, and tells deleted from unknown', async () => {
  server.store.put(heartRate('o1', 80))
  const client = open()
  const found = await settled(client.read('Observation', 'o1'))
  expect(found).toMatchObject({ kind: 'found', etag: 'W/"1"' })
  expect((await settled(client.read('Observation', 'o1', { etag: 'W/"1"' }))).kind).toBe('unchanged')
  server.store.delete('Observation', 'o1')
  expect((await settled(client.read('Observation', 'o1'))).kind).toBe('gone')
  expect((await settled(client.read('Observation', 'o2'))).kind).toBe('missing')
})

it('writes by If-Match, and says conflict where somebody was faster', async () => {
  const client = open()
  const written = await settled(client.put('Observation/o1', heartRate('o1', 80)))
  expect(written).toMatchObject({ kind: 'written', status: 201, id: 'o1', etag: 'W/"1"' })
  expect(await settled(client.put('Observation/o1', heartRate('o1', 81), { ifMatch: 'W/"1"' }))).toMatchObject({ kind: 'written', etag: 'W/"2"' })
  expect(await settled(client.put('Observation/o1', heartRate('o1', 82), { ifMatch: 'W/"1"' }))).toEqual({ kind: 'conflict', status: 412, issues: ['error conflict'] })
  expect(await settled(client.post('Observation', heartRate('', 1, { id: undefined })))).toMatchObject({ kind: 'written', status: 201 })
})

it.each([[500], [503], [429], [408]])('tries again after %d, with pauses that grow', async status => {
  const { fetch, asked } = answering(json({}, status), json({}, status), json({ resourceType: 'Patient' }))
  const begun = clock.now()
  expect((await settled(open({ fetch }).read('Patient', 'p'))).kind).toBe('found')
  expect(asked).toHaveLength(3)
  expect(clock.now() - begun).toBeGreaterThanOrEqual(1500)
})

it('gives up after its attempts and says so without an address', async () => {
  const { fetch, asked } = answering(json({}, 503))
  await expect(settled(open({ fetch, limits: { attemptsMax: 3 } }).read('Patient', 'Jane.Doe'))).rejects.toMatchObject({ code: 'FHIR_UNREACHABLE', message: 'the FHIR server answers 503, 3 times' })
  expect(asked).toHaveLength(3)
})

it('waits as long as Retry-After says, in seconds and as a date by the server\'s own clock', () => {
  expect(retryAfterMs('7', null, 0)).toBe(7000)
  expect(retryAfterMs('Tue, 06 May 2031 10:00:30 GMT', 'Tue, 06 May 2031 10:00:00 GMT', 0)).toBe(30_000)
  expect(retryAfterMs('Tue, 06 May 2031 10:00:30 GMT', null, Date.parse('2031-05-06T10:00:20Z'))).toBe(10_000)
  expect(retryAfterMs('soon', null, 0)).toBeUndefined()
})

it('keeps all its requests away while Retry-After runs', async () => {
  let asked = 0
  const times: number[] = []
  const fetch: typeof globalThis.fetch = () => { times.push(clock.now()); return Promise.resolve(++asked === 1 ? new Response('', { status: 429, headers: { 'retry-after': '20' } }) : new Response('{"resourceType":"Patient"}')) }
  const client = open({ fetch })
  await settled(Promise.all([client.read('Patient', 'a'), client.read('Patient', 'b'), client.read('Patient', 'c')]))
  expect(times.filter(time => time - NOW_MS > 100 && time - NOW_MS < 20_000)).toEqual([])
})

it('does not wait for a Retry-After of a day', async () => {
  const { fetch } = answering(json({}, 503, { 'retry-after': '86400' }))
  await expect(settled(open({ fetch }).read('Patient', 'a'))).rejects.toMatchObject({ code: 'FHIR_UNREACHABLE' })
})

it('spreads its requests over the minute', async () => {
  const client = open({ limits: { requestsPerMinute: 30 } })
  await settled(Promise.all(Array.from({ length: 90 }, (_, i) => client.read('Patient', `p${i}`))))
  expect(server.limits.busiest()).toBeLessThanOrEqual(31)
})

it('follows next links on the same origin alone, since they would get the token', async () => {
  const page = (url?: string): unknown => ({ resourceType: 'Bundle', type: 'searchset', ...(url === undefined ? {} : { link: [{ relation: 'next', url }] }) })
  expect(await settled(pages(open({ fetch: answering(json(page(`${server.baseUrl}/opaque?x=%7C`)), json(page())).fetch })))).toBe(2)
  expect(await settled(pages(open({ fetch: answering(json(page('?_getpages=1')), json(page())).fetch })))).toBe(2)
  for (const url of ['https://evil.example/fhir', 'http://127.0.0.1:1/fhir', '//evil.example/x']) await expect(settled(pages(open({ fetch: answering(json(page(url))).fetch })))).rejects.toMatchObject({ code: 'FHIR_INVALID' })
})

it('does not take a bundle for whole that says that something is left out, and names no text of it', async () => {
  server.store.put(heartRate('o1', 80))
  server.outcomes = [{ resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'informational', diagnostics: 'hello' }] }]
  expect(await settled(pages(open()))).toBe(1)
  server.outcomes = [{ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'processing', diagnostics: 'Jane Doe' }] }]
  await expect(settled(pages(open()))).rejects.toMatchObject({ code: 'FHIR_INVALID', message: expect.not.stringContaining('Jane') as string })
})

it('reads no more of an answer than its limit', async () => {
  const endless = (): Response => new Response(new ReadableStream({ pull: controller => { controller.enqueue(new Uint8Array(65_536)) } }))
  await expect(settled(open({ fetch: answering(endless).fetch, limits: { responseBytesMax: 1_000_000 } }).read('Patient', 'p'))).rejects.toMatchObject({ code: 'FHIR_INVALID' })
})

it('does not wait for ever', async () => {
  const fetch: typeof globalThis.fetch = (_, init) => new Promise((_resolve, reject) => { init?.signal?.addEventListener('abort', () => { reject(new DOMException('aborted', 'AbortError')) }) })
  await expect(settled(open({ fetch, limits: { attemptsMax: 2, timeoutMs: 5_000 } }).read('Patient', 'p'))).rejects.toMatchObject({ code: 'FHIR_UNREACHABLE', message: expect.stringContaining('within 5000 ms') as string })
})

it('refuses what is no FHIR, and what it may not do', async () => {
  await expect(settled(open({ fetch: answering(() => new Response('<html>login</html>')).fetch }).read('Patient', 'p'))).rejects.toMatchObject({ code: 'FHIR_INVALID' })
  await expect(settled(open({ fetch: answering(json({}, 403)).fetch }).read('Patient', 'p'))).rejects.toMatchObject({ code: 'FHIR_REFUSED' })
})
