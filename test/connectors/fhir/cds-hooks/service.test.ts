import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cdsHooksOptions } from '../../../../connectors/fhir/cds-hooks/options.ts'
import { SERVICE_ID, startCdsHooks } from '../../../../connectors/fhir/cds-hooks/service.ts'
import type { PatientStanding, PatientStandings } from '../../../../connectors/fhir/cds-hooks/standing.ts'
import { PLAIN_MAPPING, type Connector, type FeedMapping } from '../../../../connectors/kit/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const MINUTE_MS = 60_000
const ISSUER = 'https://ehr.example.org'
const MAPPING: FeedMapping = { ...PLAIN_MAPPING, namespaces: new Map([['urn:hospital:mrn', '']]) }

interface Cards { readonly cards: readonly { readonly uuid: string, readonly summary: string, readonly detail: string, readonly indicator: string, readonly suggestions?: readonly { readonly uuid: string }[] }[] }

let service: Connector | undefined
let directory: ReturnType<typeof tempDir>
const counts = new Map<string, number>()
beforeEach(() => { directory = tempDir(); counts.clear() })
afterEach(async () => { await service?.[Symbol.asyncDispose](); service = undefined; directory.remove() })

function standing (now: number): PatientStanding {
  const alert = { id: 'alert-1', rule: 'news2-emergency', priority: 'high' as const, state: 'active' as const, raisedAt: now - 5 * MINUTE_MS, changedAt: now, onset: now - 7 * MINUTE_MS, value: 9, threshold: 7, missing: ['news2Temperature'], reasons: [{ feature: 'news2Respiration', value: 28, contribution: 3, eventTime: now - 7 * MINUTE_MS }], basis: 'news2@1' }
  return {
    alerts: [{ ...alert, id: 'alert-2', rule: 'no-data', priority: 'low', state: 'latched', value: NaN }, alert, { ...alert, id: 'gone', state: 'cleared' }],
    news2: { score: 9, missing: ['news2Temperature'], asOf: now - MINUTE_MS },
    risk: { model: 'sepsis', version: '3', probability: 0.341, asOf: now - MINUTE_MS, reasons: [{ feature: 'lactateLast', value: 4.2, contribution: 0.8, eventTime: now - 90 * MINUTE_MS }] },
    newestReading: now - 2 * MINUTE_MS,
  }
}

class Standings implements PatientStandings {
  readonly known = new Map<string, PatientStanding>()
  readonly asked: string[] = []
  readonly acknowledged: string[] = []
  wait: () => Promise<void> = () => Promise.resolve()
  failing = false
  async of (id: string): Promise<PatientStanding | undefined> { this.asked.push(id); await this.wait(); return this.known.get(id) }
  acknowledge (alertId: string, by: string): Promise<boolean> { if (this.failing) return Promise.reject(new Error('away')); this.acknowledged.push(`${alertId} ${by}`); return Promise.resolve(true) }
}

async function start (options: object = {}, standings: Standings = new Standings(), limits: object = {}): Promise<Standings> {
  standings.known.set('MRN-1', standing(systemClock.now()))
  service = await startCdsHooks({ name: 'ehr', options: cdsHooksOptions.parse(options), standings, mapping: () => MAPPING, count: (_, what, n = 1) => { counts.set(what, (counts.get(what) ?? 0) + n) }, clock: systemClock, limits })
  return standings
}

function call (mrn: string, more: object = {}): object {
  return { hook: 'patient-view', hookInstance: 'b0a7', context: { userId: 'Practitioner/7', patientId: 'p-1' }, prefetch: { patient: { resourceType: 'Patient', id: 'p-1', identifier: [{ system: 'urn:hospital:mrn', value: mrn }] } }, ...more }
}

async function post (body: unknown, path: string = `/${SERVICE_ID}`, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`${service!.endpoint}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) })
}

const cardsOf = async (response: Response): Promise<Cards['cards']> => ((await response.json()) as Cards).cards

describe('what an EHR sees', () => {
  it('is told of the service and what to prefetch', async () => {
    await start()
    const { services } = await (await fetch(service!.endpoint)).json() as { services: readonly { id: string, hook: string, prefetch: unknown }[] }
    expect(services).toMatchObject([{ id: SERVICE_ID, hook: 'patient-view', prefetch: { patient: 'Patient/{{context.patientId}}' } }])
  })

  it('gets a card for each open alert, the most urgent first, and one of how the patient stands', async () => {
    const standings = await start()
    const cards = await cardsOf(await post(call('MRN-1')))
    expect(standings.asked).toEqual(['MRN-1'])
    expect(cards.map(({ summary, indicator }) => [summary, indicator])).toEqual([
      ['NEWS2 at least 9: emergency response', 'critical'],
      ['No readings for 7 min (over, not acknowledged)', 'info'],
      ['NEWS2 at least 9, sepsis risk 34 %, newest reading 2 min ago', 'warning'],
    ])
    expect(cards[0]!.detail).toContain('- respiration: 28 (+3), 7 min ago')
    expect(cards[0]!.detail).toContain('Missing, so the score is at least this: temperature.')
    expect(cards[2]!.detail).toContain('lactate last: 4.2 (+0.8), 90 min ago')
    expect(JSON.stringify(cards)).not.toContain('MRN-1')
  })

  it('gets no card for an unknown patient', async () => {
    await start()
    const response = await post(call('MRN-404'))
    expect([response.status, await cardsOf(response)]).toEqual([200, []])
  })

  it('is answered no sooner than the floor, whether the patient is known or not', async () => {
    const floorMs = 60
    await start({}, new Standings(), { answerMsMin: floorMs })
    for (const mrn of ['MRN-1', 'MRN-404']) {
      const before = performance.now()
      await post(call(mrn))
      expect(performance.now() - before).toBeGreaterThan(floorMs - 5)
    }
  })

  it('is told that the board is away, rather than nothing, when it does not answer in time or fails', async () => {
    const standings = new Standings()
    standings.wait = () => new Promise(() => {})
    await start({}, standings, { standingMsMax: 30 })
    expect((await cardsOf(await post(call('MRN-1')))).map(c => c.indicator)).toEqual(['warning'])
    standings.wait = () => Promise.reject(new Error('redis is away'))
    expect((await cardsOf(await post(call('MRN-1')))).map(c => c.summary)).toEqual(['Latido cannot say how this patient stands at the moment'])
  })

  it('is answered 412 where no identifier says who it is, or the prefetched patient is another', async () => {
    const standings = await start()
    expect((await post(call('MRN-1', { prefetch: {} }))).status).toBe(412)
    expect((await post(call('MRN-1', { prefetch: undefined }))).status).toBe(412)
    expect((await post(call('MRN-1', { context: { patientId: 'p-2' } }))).status).toBe(412)
    expect((await post(call('MRN-1', { prefetch: { patient: { resourceType: 'Patient', id: 'p-1', identifier: [{ system: 'urn:other', value: 'MRN-1' }] } } }))).status).toBe(412)
    expect(standings.asked).toEqual([])
    expect(await (await post(call('MRN-1', { prefetch: {} }))).json()).toEqual({ message: expect.stringContaining('prefetch "patient"') as string })
  })

  it('may be known by its logical id, where that is configured', async () => {
    const standings = await start({ logicalIdNamespace: 'epic' })
    await post(call('MRN-1', { prefetch: {} }))
    expect(standings.asked).toEqual(['epic|p-1'])
  })

  it.each(['', '{', '[]', '{"hook":"order-sign","hookInstance":"1","context":{"patientId":"p-1"}}', '{"hook":"patient-view"}'])('is answered 400 for %s', async body => {
    await start()
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ message: expect.stringContaining('hookInstance') as string })
  })

  it('is answered 404 elsewhere, and 413 for what is too large', async () => {
    await start({}, new Standings(), { bodyBytesMax: 1_000 })
    expect((await post(call('MRN-1'), '/other')).status).toBe(404)
    expect((await post(call('MRN-1', { extension: 'x'.repeat(2_000) }))).status).toBe(413)
  })

  it('may call from a browser at a configured origin only', async () => {
    await start({ corsOrigins: ['https://ehr.example.org'] })
    expect((await post(call('MRN-1'), undefined, { origin: 'https://ehr.example.org' })).headers.get('access-control-allow-origin')).toBe('https://ehr.example.org')
    expect((await post(call('MRN-1'), undefined, { origin: 'https://evil.example.org' })).headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('feedback', () => {
  const feedback = (card: string, outcome: string, suggestion?: string): object => ({ feedback: [{ card, outcome, outcomeTimestamp: '2031-05-06T10:00:00Z', ...suggestion === undefined ? {} : { acceptedSuggestions: [{ id: suggestion }] } }] })

  it('acknowledges an alert whose suggestion was accepted, and counts everything else', async () => {
    const standings = await start()
    const [alert] = await cardsOf(await post(call('MRN-1')))
    const send = async (body: object): Promise<number> => (await post(body, `/${SERVICE_ID}/feedback`)).status
    expect(await send(feedback(alert!.uuid, 'overridden'))).toBe(200)
    expect(await send(feedback(alert!.uuid, 'accepted'))).toBe(200)
    expect(await send(feedback('of-yesterday', 'accepted', 'x'))).toBe(200)
    expect(standings.acknowledged).toEqual([])
    expect(await send(feedback(alert!.uuid, 'accepted', alert!.suggestions![0]!.uuid))).toBe(200)
    expect(standings.acknowledged).toEqual(['alert-1 ehr'])
    expect(Object.fromEntries(counts)).toMatchObject({ 'feedback-overridden': 1, 'feedback-accepted': 1, 'feedback-of-unknown-card': 1, 'acknowledged': 1 })
  })

  it('is to be sent again while the log is away, and is 400 where it is none', async () => {
    const standings = await start()
    const [alert] = await cardsOf(await post(call('MRN-1')))
    standings.failing = true
    expect((await post(feedback(alert!.uuid, 'accepted', alert!.suggestions![0]!.uuid), `/${SERVICE_ID}/feedback`)).status).toBe(503)
    expect((await post({ feedback: [] }, `/${SERVICE_ID}/feedback`)).status).toBe(400)
  })
})

describe('who may call', () => {
  const publicUrl = 'https://latido.example.org'
  const audience = `${publicUrl}/cds-services/${SERVICE_ID}`
  type Keys = Awaited<ReturnType<typeof generateKeyPair>>
  const sign = async (keys: Keys, claims: object = {}, header: object = {}): Promise<string> => {
    const now = Math.floor(systemClock.now() / 1_000)
    return await new SignJWT({ iss: ISSUER, aud: audience, iat: now, exp: now + 240, jti: crypto.randomUUID(), ...claims }).setProtectedHeader({ alg: 'ES384', kid: 'k1', typ: 'JWT', ...header }).sign(keys.privateKey)
  }
  const jwksOf = async (keys: Keys): Promise<string> => JSON.stringify({ keys: [{ ...await exportJWK(keys.publicKey), kid: 'k1', alg: 'ES384', use: 'sig' }] })
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

  async function guarded (): Promise<Keys> {
    const keys = await generateKeyPair('ES384', { extractable: true })
    const file = join(directory.path, 'jwks.json')
    writeFileSync(file, await jwksOf(keys))
    await start({ publicUrl: `${publicUrl}/`, clients: [{ issuer: ISSUER, jwks: { file } }] })
    return keys
  }

  it('answers a token of a configured client once', async () => {
    const keys = await guarded()
    const token = await sign(keys)
    expect((await post(call('MRN-1'), undefined, bearer(token))).status).toBe(200)
    expect((await post(call('MRN-1'), undefined, bearer(token))).status).toBe(401)
    expect(counts.get('unauthorised-replayed')).toBe(1)
  })

  it('refuses every other', async () => {
    const keys = await guarded()
    const stranger = await generateKeyPair('ES384')
    const now = Math.floor(systemClock.now() / 1_000)
    const tokens: Record<string, string> = {
      'client-unknown': await sign(keys, { iss: 'https://other.example.org' }),
      'signature': await sign(stranger),
      'audience': await sign(keys, { aud: `${audience}/feedback` }),
      'expired': await sign(keys, { iat: now - 400, exp: now - 200 }),
      'claims': await sign(keys, { exp: now + 3_600 }),
      'token-malformed': 'abc',
    }
    for (const token of Object.values(tokens)) expect((await post(call('MRN-1'), undefined, bearer(token))).status).toBe(401)
    expect((await post(call('MRN-1'))).status).toBe(401)
    expect([...counts].map(([what]) => what).toSorted()).toEqual(['token-missing', ...Object.keys(tokens)].map(why => `unauthorised-${why}`).toSorted())
  })

  it('refuses a token without a signature, without a jti, of the future, and one signed with a secret', async () => {
    const keys = await guarded()
    const now = Math.floor(systemClock.now() / 1_000)
    const claims = { iss: ISSUER, aud: audience, iat: now, exp: now + 100, jti: '1' }
    const tokens = [
      new UnsecuredJWT(claims).encode(),
      await sign(keys, { jti: undefined }),
      await sign(keys, { iat: now + 120, exp: now + 240 }),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(await jwksOf(keys))),
    ]
    for (const token of tokens) expect((await post(call('MRN-1'), undefined, bearer(token))).status).toBe(401)
  })

  it('fetches keys from a configured address, does not follow `jku`, and says 503 while they are away', async () => {
    const keys = await generateKeyPair('ES384', { extractable: true })
    const body = await jwksOf(keys)
    let away = true
    const asked: string[] = []
    const server = createServer((request, response) => { asked.push(request.url ?? ''); if (away) response.writeHead(500).end(); else response.setHeader('content-type', 'application/json').end(body) })
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    const { port } = server.address() as { port: number }
    await start({ publicUrl, clients: [{ issuer: ISSUER, jwks: { url: `http://127.0.0.1:${port}/configured` } }] })
    expect((await post(call('MRN-1'), undefined, bearer(await sign(keys)))).status).toBe(503)
    away = false
    expect((await post(call('MRN-1'), undefined, bearer(await sign(keys, {}, { jku: `http://127.0.0.1:${port}/theirs` })))).status).toBe(200)
    expect(new Set(asked)).toEqual(new Set(['/configured']))
    server.close()
  })

  it('does not listen beyond this machine without TLS and clients', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
    await expect(start({ host: '0.0.0.0', clients: [{ issuer: ISSUER, jwks: { url: 'https://ehr.example.org/jwks' } }] })).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
    await expect(start({ clients: [{ issuer: ISSUER, jwks: { file: join(directory.path, 'none.json') } }] })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    expect(() => cdsHooksOptions.parse({ clients: [{ issuer: ISSUER, jwks: { url: 'http://ehr.example.org/jwks' } }] })).toThrow()
  })

  it('says that its port is taken', async () => {
    await start()
    const { port } = new URL(service!.endpoint)
    await expect(startCdsHooks({ name: 'x', options: cdsHooksOptions.parse({ port: Number(port) }), standings: new Standings(), mapping: () => MAPPING, count: () => {}, clock: systemClock })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })
})
