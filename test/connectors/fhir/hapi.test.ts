import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { exchangeOf } from '../../../connectors/fhir/exchange.ts'
import { openFhirClient } from '../../../connectors/fhir/http/index.ts'
import { fhirKind } from '../../../connectors/fhir/kind.ts'
import { fhirMapper } from '../../../connectors/fhir/resources/index.ts'
import { startSubscription } from '../../../connectors/fhir/subscriptions/start.ts'
import { WriteBack } from '../../../connectors/fhir/write-back/deliver.ts'
import { writeBackOptions } from '../../../connectors/fhir/write-back/options.ts'
import { Feed, fixedMapping, type Connector, type ConnectorContext, type OutboundAlert, type OutboundScore } from '../../../connectors/kit/index.ts'
import { TOPICS, type BedsideEvent, type PatientKey } from '../../../streams/events/index.ts'
import { ManualClock, systemClock } from '../../../streams/time/index.ts'
import { describeWith, sharedHapiFhir, until } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { openHouse, read, type House } from '../kit/house.ts'
import { MAPPING, MemoryTable, MRN } from './support.ts'

const START_MS = 300_000
const TEST_MS = 150_000
const WITHIN_MS = 60_000
const AT = '2026-03-01T09:30:00Z'

;(await describeWith('hapiFhir'))('with a real HAPI FHIR server', () => {
  let url = ''
  let patientId = ''
  let directory: ReturnType<typeof tempDir>
  let house: House
  let counts: Map<string, number>
  let connector: Connector | undefined
  let tables: Map<string, MemoryTable<unknown>>

  beforeAll(async () => { url = (await sharedHapiFhir()).url }, START_MS)
  beforeEach(async () => {
    patientId = `latido-${randomUUID()}`
    directory = tempDir()
    counts = new Map()
    tables = new Map()
    house = await openHouse(directory.path, new ManualClock(systemClock.now()), { identify: ({ id }) => Promise.resolve(`key-${id}` as PatientKey) })
    await send('PUT', `Patient/${patientId}`, { resourceType: 'Patient', id: patientId, identifier: [{ system: MRN, value: `MRN-${patientId}` }], birthDate: '1950-04-12' })
  })
  afterEach(async () => {
    await connector?.[Symbol.asyncDispose]()
    connector = undefined
    await house.close()
    directory.remove()
  })

  async function send (method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<{ readonly status: number, readonly body: Record<string, unknown> }> {
    const response = await fetch(`${url}/${path}`, { method, headers: { 'content-type': 'application/fhir+json', 'cache-control': 'no-cache', ...headers }, ...body === undefined ? {} : { body: JSON.stringify(body) } })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) as Record<string, unknown> }
  }

  function heartRate (id: string, value: number): object {
    return { resourceType: 'Observation', id, status: 'final', category: [{ coding: [{ code: 'vital-signs' }] }], code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, subject: { reference: `Patient/${patientId}` }, effectiveDateTime: AT, valueQuantity: { value, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' } }
  }

  async function start (options: object): Promise<Connector> {
    const kind = fhirKind({ subscription: startSubscription })
    const read = kind.options.parse({ baseUrl: url, requestsPerMinute: 10_000, types: ['Observation'], overlapMs: 5_000, ...options })
    const feed = new Feed({ name: 'ehr', kind: 'fhir', mapping: fixedMapping(MAPPING), map: fhirMapper(), intake: { ...intakeOf(house), count: (_, what, n = 1) => { counts.set(what, (counts.get(what) ?? 0) + n) } } })
    const table = <T>(name: string): MemoryTable<T> => { const one = tables.get(name) ?? new MemoryTable<unknown>(); tables.set(name, one); return one as MemoryTable<T> }
    const context: ConnectorContext = { feed, clock: systemClock, table, secret: () => 'a-secret-that-is-long-enough', say: () => {} }
    return (connector = await kind.start(context, read))
  }

  /** Heart rates of this test's patient on the log, in its order, and how each is said. */
  async function onLog (): Promise<readonly (readonly [number, string])[]> {
    const events = await read(house.log, TOPICS.events, record => [record.keyBuffer.toString('utf8', record.keyStart, record.keyEnd), house.codecs.decode(record)] as const)
    return events.flatMap(([key, event]) => key === `key-MRN-${patientId}` && event.kind === 'ok' ? valuesOf(event.value) : [])
  }

  const byPatient = (): Record<string, string> => ({ Observation: `patient=${patientId}` })

  it('what its rest-hook tells is on the log, each version once, none after a newer one', async () => {
    const subscription = { secret: { env: 'S' }, subscriptions: [{ key: 'vitals', criteria: `Observation?patient=${patientId}` }] }
    const started = await start({ mode: 'subscription', deletions: true, subscription })
    await until('the subscription', WITHIN_MS, async () => started.health().state === 'up' && JSON.stringify((await send('GET', `Subscription?url=${encodeURIComponent(`${started.endpoint}/notify/vitals`)}`)).body).includes('"active"'))
    const id = `hr-${randomUUID()}`
    for (const value of [80, 81, 82]) expect((await send('PUT', `Observation/${id}`, heartRate(id, value))).status).toBeLessThan(300)
    await until('the newest version', WITHIN_MS, async () => (await onLog()).some(([value]) => value === 82))
    const values = (await onLog()).map(([value]) => value)
    expect(values).toEqual([...new Set(values)].toSorted((a, b) => a - b))
    expect(values.at(-1)).toBe(82)
    expect(counts.get('unauthorised')).toBeUndefined()
  }, TEST_MS)

  it('polling reads all pages, new versions and deletions, each once', async () => {
    const ids = Array.from({ length: 45 }, (_, i) => `hr-${i}-${randomUUID()}`)
    const entry = ids.map((id, i) => ({ resource: heartRate(id, 60 + i), request: { method: 'PUT', url: `Observation/${id}` } }))
    expect((await send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(200)
    await start({ mode: 'polling', filters: byPatient(), pageSize: 20, pollEveryMs: 1_000, deletions: true })
    await until('all pages', WITHIN_MS, async () => (await onLog()).length >= 45)
    await send('PUT', `Observation/${ids[0]}`, heartRate(ids[0]!, 150))
    await until('the new version', WITHIN_MS, async () => (await onLog()).some(([value]) => value === 150))
    await send('DELETE', `Observation/${ids[1]}`)
    await until('the deletion', WITHIN_MS, async () => (await onLog()).some(([, status]) => status === 'withdrawn'))
    const said = await onLog()
    expect(said.filter(([, status]) => status !== 'withdrawn').map(([value]) => value).toSorted((a, b) => a - b)).toEqual([...ids.map((_, i) => 60 + i), 150])
    expect(said.filter(([, status]) => status === 'withdrawn').length).toBe(1)
  }, TEST_MS)

  it.each(['polling', 'subscription'])('a component that a corrected panel no longer has is withdrawn, once, also across a restart; by %s', async mode => {
    const id = `bp-${randomUUID()}`
    const component = (code: string, value: number): object => ({ code: { coding: [{ system: 'http://loinc.org', code }] }, valueQuantity: { value, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' } })
    const panel = (...parts: readonly object[]): object => { const { valueQuantity: _, ...shell } = heartRate(id, 0) as Record<string, unknown>; return { ...shell, code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] }, component: parts } }
    const options = mode === 'polling' ? { mode, filters: byPatient(), pollEveryMs: 1_000 } : { mode, subscription: { secret: { env: 'S' }, rereadEveryMs: 60_000, subscriptions: [{ key: 'vitals', criteria: `Observation?patient=${patientId}` }] } }
    await send('PUT', `Observation/${id}`, panel(component('8480-6', 120), component('8462-4', 80)))
    await start(options)
    await until('the panel', WITHIN_MS, async () => (await onLog()).length === 2)
    await connector?.[Symbol.asyncDispose]()
    await send('PUT', `Observation/${id}`, panel(component('8480-6', 121)))
    await start(options)
    await until('the withdrawal', WITHIN_MS, async () => (await onLog()).some(([, status]) => status === 'withdrawn'))
    await connector?.[Symbol.asyncDispose]()
    await start(options) // reads it again
    await send('PUT', `Observation/${id}`, panel(component('8480-6', 122)))
    await until('the newest version', WITHIN_MS, async () => (await onLog()).some(([value]) => value === 122))
    expect(await onLog()).toEqual([[120, 'final'], [80, 'final'], [121, 'final'], [0, 'withdrawn'], [122, 'final']])
  }, TEST_MS)

  it('alerts and scores are written once, and updated although somebody else wrote meanwhile', async () => {
    const client = openFhirClient({ baseUrl: url, clock: systemClock, limits: { requestsPerMinute: 10_000 } })
    const exchange = exchangeOf(client)
    const statuses: number[] = []
    let beforePut: () => Promise<void> = () => Promise.resolve()
    const writer = (): WriteBack => new WriteBack({
      options: writeBackOptions.parse({}), mapping: () => MAPPING, clock: systemClock,
      exchange: async call => { if (call.method === 'PUT') await beforePut(); const reply = await exchange(call); statuses.push(reply.status); return reply },
    })
    const signal = new AbortController().signal
    const now = systemClock.now()
    const alert: OutboundAlert = { kind: 'alert', patient: { id: `MRN-${patientId}` }, id: randomUUID(), rule: 'news2-emergency', priority: 'high', state: 'active', raisedAt: now, changedAt: now, onset: now, value: 9, threshold: 7, missing: [], reasons: [], basis: 'news2@1' }
    const score: OutboundScore = { kind: 'score', patient: alert.patient, model: 'sepsis', version: '1', asOf: now, probability: 0.25, reasons: [] }
    for (const item of [alert, score, alert, score]) expect(await writer().deliver(item, signal)).toEqual({ kind: 'delivered' })
    const issues = async (): Promise<readonly Record<string, unknown>[]> => (((await send('GET', `DetectedIssue?identifier=urn:latido:alert|${alert.id}`)).body['entry'] ?? []) as readonly { resource: Record<string, unknown> }[]).map(({ resource }) => resource)
    expect((await issues()).map(one => one['status'])).toEqual(['final'])
    expect(((await send('GET', `Observation?patient=${patientId}&_summary=count`)).body['total'])).toBe(1)

    let meddled = false
    beforePut = async () => {
      if (meddled) return
      meddled = true
      const [there] = await issues()
      await send('PUT', `DetectedIssue/${String(there!['id'])}`, { ...there, implicitRules: 'urn:somebody-else' })
    }
    statuses.length = 0
    expect(await writer().deliver({ ...alert, state: 'cleared', changedAt: now + 1_000 }, signal)).toEqual({ kind: 'delivered' })
    expect(statuses).toContain(409)
    expect((await issues()).map(one => one['status'])).toEqual(['cancelled'])
    expect((await issues())[0]!['meta']).toMatchObject({ versionId: '3' })
  }, TEST_MS)
})

function intakeOf ({ intake }: House): House['intake'] {
  return { publish: m => intake.publish(m), refuse: r => intake.refuse(r), archive: a => intake.archive(a), patientInBed: (w, b, at) => intake.patientInBed(w, b, at), now: () => intake.now(), count: () => {}, [Symbol.asyncDispose]: () => Promise.resolve() }
}

function valuesOf (event: BedsideEvent): readonly (readonly [number, string])[] {
  return event.type === 'observations' ? event.observations.map(({ value, status }) => [value, status] as const) : []
}
