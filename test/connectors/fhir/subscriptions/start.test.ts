import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFhirClient, type FhirClient } from '../../../../connectors/fhir/http/index.ts'
import { FHIR_OPTIONS } from '../../../../connectors/fhir/options.ts'
import { References } from '../../../../connectors/fhir/polling/index.ts'
import { startSubscriptionWith } from '../../../../connectors/fhir/subscriptions/start.ts'
import type { SubscriptionLimits } from '../../../../connectors/fhir/subscriptions/options.ts'
import type { Connector, ConnectorContext } from '../../../../connectors/kit/index.ts'
import { LatidoError } from '../../../../streams/errors/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { until } from '../../../kit/servers/index.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'
import { FakeFhirServer, type Resource } from '../fake-server/index.ts'
import { feedOf, heartRate, MemoryTable, patient } from '../support.ts'
import { notificationOf, type Said } from './notifier.ts'

const WITHIN_MS = 20_000
const SECRET = 'a-secret-that-is-long-enough'
const TOPIC = { key: 'vitals', criteria: 'Observation', topic: 'http://example.org/topic', heartbeatSeconds: 5 }
const PLAIN = { key: 'vitals', criteria: 'Observation' }

let server: FakeFhirServer
let intake: FakeIntake
let tables: Map<string, MemoryTable<unknown>>
let connector: Connector | undefined
beforeEach(async () => {
  intake = new FakeIntake()
  tables = new Map()
  server = await FakeFhirServer.start({ clock: systemClock })
  server.store.put(patient('p1'))
})
afterEach(async () => { await connector?.[Symbol.asyncDispose](); connector = undefined; await server[Symbol.asyncDispose]() })

interface Start { readonly subscription?: object, readonly fields?: object, readonly limits?: Partial<SubscriptionLimits>, readonly secret?: string, readonly fetch?: FhirClient['fetch'] }

async function start ({ subscription = PLAIN, fields = {}, limits = {}, secret = SECRET, fetch }: Start = {}): Promise<Connector> {
  const table = <T>(name: string): MemoryTable<T> => { const one = tables.get(name) ?? new MemoryTable<unknown>(); tables.set(name, one); return one as MemoryTable<T> }
  const context: ConnectorContext = { feed: feedOf(intake), clock: systemClock, table, secret: () => secret, say: () => {} }
  const plain = openFhirClient({ baseUrl: server.baseUrl, clock: systemClock, limits: { attemptsMax: 1, requestsPerMinute: 100_000 } })
  const client: FhirClient = { baseUrl: plain.baseUrl, read: (...a) => plain.read(...a), search: (...a) => plain.search(...a), post: (...a) => plain.post(...a), put: (...a) => plain.put(...a), patch: (...a) => plain.patch(...a), delete: (...a) => plain.delete(...a), serverTime: () => plain.serverTime(), fetch: fetch ?? ((...a) => plain.fetch(...a)) }
  const references = new References({ client, clock: systemClock, table: table('references') })
  const options = FHIR_OPTIONS.parse({ baseUrl: server.baseUrl, mode: 'subscription', deletions: false, overlapMs: 1_000, subscription: { secret: { env: 'SECRET' }, subscriptions: [subscription], ...fields } })
  connector = await startSubscriptionWith(context, options, { client, references, count: () => {} }, { gapGraceMs: 10, retryMs: 50, ...limits })
  return connector
}

/** Until the subscription stands and what was there before has been read. */
async function ready (what: Start = {}): Promise<Connector> {
  const started = await start(what)
  await until('the subscription and its first readings', WITHIN_MS, () => started.health().state === 'up' && (intake.counts.get('reread-made') ?? 0) > 0)
  return started
}

const idOf = (): string => server.store.of('Subscription')[0]!.id

async function call (method: string, path: string, body: unknown, secret: string = SECRET): Promise<number> {
  const response = await fetch(`${connector!.endpoint}/notify/vitals${path}`, { method, headers: { ...body === undefined ? {} : { 'content-type': 'application/fhir+json' }, authorization: `Bearer ${secret}` }, ...body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) } })
  return response.status
}
const put = (resource: Resource): Promise<number> => call('PUT', `/${resource.resourceType}/${resource.id}`, resource)
const notify = (said: Partial<Said> & Pick<Said, 'count'>): Promise<number> => call('POST', '', notificationOf({ id: idOf(), ...said }))
const versioned = (value: number, version: number): Resource => heartRate('o1', value, { meta: { versionId: String(version), lastUpdated: new Date(systemClock.now() + version).toISOString() } })

describe('the subscriptions at the server', () => {
  it('are made at the start with our address and secret, and not again after a restart', async () => {
    await ready({ fields: { port: 0, publicUrl: 'http://127.0.0.1:1/ours' } })
    expect(server.store.of('Subscription').map(one => one.resource)).toMatchObject([{ status: 'requested', criteria: 'Observation', channel: { type: 'rest-hook', endpoint: 'http://127.0.0.1:1/ours/notify/vitals', header: [`Authorization: Bearer ${SECRET}`] } }])
    await connector![Symbol.asyncDispose]()
    const again = await start({ fields: { publicUrl: 'http://127.0.0.1:1/ours' } })
    await until('the check', WITHIN_MS, () => again.health().state === 'up')
    expect(server.store.versions.filter(one => one.type === 'Subscription').length).toBe(1)
  })

  it('are made again when they are gone, renewed when the server switched them off, and those of others are left alone', async () => {
    const other = server.store.put({ resourceType: 'Subscription', id: 'theirs', status: 'off', channel: { endpoint: 'http://other' } })
    await ready({ limits: { checkEveryMs: 20 } })
    const ours = server.store.of('Subscription').find(one => one.id !== 'theirs')!
    server.store.put({ ...ours.resource!, status: 'off' })
    await until('the renewal', WITHIN_MS, () => server.store.read('Subscription', ours.id)?.resource?.['status'] === 'requested')
    server.store.delete('Subscription', ours.id)
    await until('another', WITHIN_MS, () => server.store.of('Subscription').some(one => one.id !== 'theirs'))
    expect(server.store.read('Subscription', 'theirs')).toEqual(other)
  })

  it('wait for a server that is away, and the connector says so', async () => {
    const started = await start({ fetch: () => Promise.reject(new LatidoError('FHIR_UNREACHABLE', 'the FHIR server does not answer', 'start it')) })
    await until('the first try', WITHIN_MS, () => started.health().why === 'the FHIR server does not answer')
    expect(started.health().state).toBe('waiting')
  })

  it('do not listen beyond this machine without TLS and a secret, nor with a short one', async () => {
    await expect(start({ fields: { host: '0.0.0.0' } })).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
    await expect(start({ secret: 'fifteen letters' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('a plain R4 notification', () => {
  it('is in the log when it is answered, once however often it comes', async () => {
    await ready()
    const resource = versioned(80, 1)
    expect([await put(resource), await put(resource), await call('POST', '', resource)]).toEqual([200, 200, 200])
    expect(intake.values()).toEqual([80])
    expect(intake.published[0]!.patient.id).toBe('MRN-p1')
  })

  it('that is older than what the log has is dropped and counted, also after a restart', async () => {
    await ready()
    await put(versioned(83, 3))
    expect(await put(versioned(82, 2))).toBe(200)
    await connector![Symbol.asyncDispose]()
    await start()
    expect(await put(versioned(81, 1))).toBe(200)
    expect([intake.values(), intake.counts.get('stale-version')]).toEqual([[83], 2])
  })

  it('of one resource never overtakes another one of it', async () => {
    await ready()
    let release: () => void = () => {}
    const held = new Promise<void>(resolve => { release = resolve })
    intake.beforePublish = async ({ messageId }) => { if (messageId.includes('_history/1')) await held }
    const [first, second] = [put(versioned(81, 1)), until('the first on its way', WITHIN_MS, () => intake.attempts > 0).then(() => put(versioned(82, 2)))]
    await until('the first on its way', WITHIN_MS, () => intake.attempts > 0)
    release()
    expect(await Promise.all([first, second])).toEqual([200, 200])
    expect(intake.values()).toEqual([81, 82])
  })

  it('is answered 503 while the log is away, and read again though the server never sends it again', async () => {
    await ready()
    server.store.put(heartRate('o1', 77))
    intake.away = true
    expect(await put({ ...server.store.read('Observation', 'o1')!.resource! })).toBe(503)
    expect(intake.values()).toEqual([])
    intake.away = false
    await until('the reading', WITHIN_MS, () => intake.values().length === 1)
    expect(intake.values()).toEqual([77])
  })

  it('that is empty is a ping: what happened is read', async () => {
    await ready()
    server.store.put(heartRate('o9', 66))
    expect(await call('POST', '', undefined)).toBe(200)
    await until('the reading', WITHIN_MS, () => intake.values().includes(66))
  })

  it.each(['not json', '[]', '{}', '<Observation xmlns="http://hl7.org/fhir"/>'])('that is garbage (%s) is a dead letter, answered 400', async body => {
    await ready()
    expect(await call('POST', '', body)).toBe(400)
    expect(intake.causes()).toEqual(['malformed'])
    expect(intake.refused[0]!.raw.toString()).toBe(body)
  })

  it('whose code nobody knows is a dead letter, and answered 200, since sending it again mends nothing', async () => {
    await ready()
    expect(await put(heartRate('o1', 1, { code: { coding: [{ system: 'urn:local', code: 'XYZ' }] } }))).toBe(200)
    expect(intake.causes()).toEqual(['code-unknown'])
  })

  it('without the secret is refused before it is read; a flood is counted, not kept', async () => {
    await ready({ limits: { strangersPerMinute: 2 } })
    for (let i = 0; i < 5; i++) expect(await call('PUT', '/Observation/o1', versioned(80, 1), `${SECRET}x`)).toBe(401)
    expect([intake.values(), intake.causes().slice(0, 2), intake.counts.get('unauthorised')]).toEqual([[], ['unauthorised', 'unauthorised'], 5])
    expect(intake.refused.every(({ raw }) => raw.length === 0)).toBe(true)
  })

  it('of a subscription that is none of ours is answered 404', async () => {
    await ready()
    expect((await fetch(`${connector!.endpoint}/notify/other`, { method: 'POST', headers: { authorization: `Bearer ${SECRET}` } })).status).toBe(404)
  })
})

describe('a topic notification', () => {
  it('is taken with full resources, by names alone, and empty', async () => {
    await ready({ subscription: TOPIC })
    expect(await notify({ count: 0, type: 'handshake' })).toBe(200)
    expect(await notify({ count: 1, events: [{ number: 1, resource: versioned(81, 1) }] })).toBe(200)
    server.store.put(heartRate('o2', 82))
    expect(await notify({ count: 2, events: [{ number: 2, reference: 'Observation/o2' }] })).toBe(200)
    expect(intake.values()).toEqual([81, 82])
    server.store.put(heartRate('o3', 83))
    expect(await notify({ count: 3, events: [{ number: 3, reference: 'Observation/o3' }], empty: true })).toBe(200)
    await until('the reading', WITHIN_MS, () => intake.values().includes(83))
    expect(intake.counts.get('gap')).toBeUndefined()
  })

  it('tells of a deletion: what was said is withdrawn', async () => {
    await ready({ subscription: TOPIC })
    const { resource } = server.store.put(heartRate('o1', 81))
    await notify({ count: 1, events: [{ number: 1, resource: resource! }] })
    server.store.delete('Observation', 'o1')
    expect(await notify({ count: 2, events: [{ number: 2, deleted: 'Observation/o1' }] })).toBe(200)
    const [, last] = intake.published
    expect(last!.event).toMatchObject({ observations: [{ status: 'withdrawn' }] })
    expect(await put(resource!)).toBe(200)
    expect(intake.published.length).toBe(2) // it does not come back by a late notification
    const again = server.store.put(heartRate('o1', 85))
    expect(await put(again.resource!)).toBe(200)
    expect(intake.values().at(-1)).toBe(85)
  })

  it('of what the server will not show is answered, with what came beside it', async () => {
    await ready({ subscription: { ...TOPIC, payload: 'id-only' } })
    server.store.put(heartRate('shown', 84))
    server.forbid('Observation/sealed')
    expect(await notify({ count: 2, events: [{ number: 1, reference: 'Observation/sealed' }, { number: 2, reference: 'Observation/shown' }] })).toBe(200)
    await until('the other one', WITHIN_MS, () => intake.values().includes(84))
    expect(intake.counts.get('notified-forbidden')).toBe(1)
  })

  it('whose predecessor was lost is noticed by its number, and everything since is read', async () => {
    await ready({ subscription: TOPIC })
    await notify({ count: 1, events: [{ number: 1, resource: versioned(81, 1) }] })
    server.store.put(heartRate('lost', 82))
    expect(await notify({ count: 3, events: [{ number: 3, resource: heartRate('o3', 83, { meta: { versionId: '1', lastUpdated: new Date(systemClock.now()).toISOString() } }) }] })).toBe(200)
    await until('the lost one', WITHIN_MS, () => intake.values().includes(82))
    await until('the numbers on disk', WITHIN_MS, () => (tables.get('event-numbers')?.rows.get('vitals') as { contiguous: number } | undefined)?.contiguous === 3)
    expect([intake.counts.get('gap'), intake.counts.get('reread-gap')]).toEqual([1, 1])
  })

  it('whose predecessor is only late is no gap', async () => {
    await ready({ subscription: TOPIC, limits: { gapGraceMs: 600_000 } }) // late by less than that, however slow the machine
    await notify({ count: 2, events: [{ number: 2, resource: versioned(82, 2) }] })
    await notify({ count: 1, events: [{ number: 1, resource: heartRate('late', 81) }] })
    await until('the numbers on disk', WITHIN_MS, () => (tables.get('event-numbers')?.rows.get('vitals') as { contiguous: number } | undefined)?.contiguous === 2)
    expect(intake.counts.get('gap')).toBeUndefined()
  })

  it('that was lost is asked for by number where the server has $events', async () => {
    const asked: string[] = []
    const plain = openFhirClient({ baseUrl: server.baseUrl, clock: systemClock })
    await ready({ subscription: TOPIC, fetch: async (path, request) => {
      if (!path.includes('$events')) return await plain.fetch(path, request)
      asked.push(path)
      const body = notificationOf({ id: idOf(), type: 'query-event', count: 3, events: [{ number: 1, resource: heartRate('e1', 71) }, { number: 2, resource: heartRate('e2', 72) }] })
      return { status: 200, headers: new Headers(), body: Buffer.from(JSON.stringify(body)), stream: undefined }
    } })
    await notify({ count: 3, events: [{ number: 3, resource: versioned(83, 3) }] })
    await until('the lost ones', WITHIN_MS, () => intake.counts.get('events-recovered') === 2)
    expect([asked, intake.values()]).toEqual([[`Subscription/${idOf()}/$events?eventsSinceNumber=1&eventsUntilNumber=2&content=full-resource`], [83, 71, 72]])
    expect(intake.counts.get('reread-gap')).toBeUndefined()
  })

  it('is answered 503 while the log is away, and its event still counts as missing', async () => {
    await ready({ subscription: TOPIC })
    const { resource } = server.store.put(heartRate('o1', 81))
    intake.away = true
    expect(await notify({ count: 1, events: [{ number: 1, resource: resource! }] })).toBe(503)
    intake.away = false
    expect(await notify({ count: 1, type: 'heartbeat' })).toBe(200)
    await until('the reading', WITHIN_MS, () => intake.values().includes(81))
    expect(intake.values()).toEqual([81])
  })

  it('of a server that counts anew makes everything be read', async () => {
    await ready({ subscription: TOPIC })
    await notify({ count: 5, events: [1, 2, 3, 4, 5].map(number => ({ number, resource: heartRate(`o${number}`, 60 + number) })) })
    server.store.put(heartRate('new', 99))
    await notify({ count: 0, type: 'handshake' })
    await until('the reading', WITHIN_MS, () => intake.values().includes(99))
    expect(intake.counts.get('events-counted-anew')).toBe(1)
  })
})

describe('heartbeats', () => {
  it('that stay away make the connector wait and read by itself, until one comes', async () => {
    const started = await ready({ subscription: TOPIC, limits: { heartbeatsMissedMax: -0.99, checkEveryMs: 20 } }) // 5 s are 50 ms here
    server.store.put(heartRate('o1', 64))
    await until('silence', WITHIN_MS, () => started.health().why.includes('heartbeat'))
    await until('the reading', WITHIN_MS, () => intake.values().includes(64))
    expect(started.health().state).toBe('waiting')
    await until('a heartbeat', WITHIN_MS, async () => { await notify({ count: 0, type: 'heartbeat' }); return started.health().state === 'up' }) // 50 ms after each it is silent again
  })
})
