import { expect, it } from 'vitest'
import { openFhirClient } from '../../../../connectors/fhir/index.ts'
import { patientSource, References, type KnownResource, type PatientPollOptions } from '../../../../connectors/fhir/polling/index.ts'
import { runSource, type Connector } from '../../../../connectors/kit/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'
import { FakeFhirServer } from '../fake-server/index.ts'
import { countedFetch, feedOf, heartRate, MemoryTable, NOW_MS, patient, runUntil } from '../support.ts'

const HOUR_MS = 3_600_000

interface Round { readonly clock: ManualClock, readonly connector: Connector, readonly server: FakeFhirServer, readonly intake: FakeIntake, readonly references: MemoryTable<KnownResource>, until (holds: () => boolean): Promise<void> }

/** Runs a round after another over three patients with a value each. */
async function withPatients (options: Partial<PatientPollOptions>, test: (round: Round) => Promise<void>, forbidden: readonly string[] = []): Promise<void> {
  const clock = new ManualClock(NOW_MS)
  const server = await FakeFhirServer.start({ clock, order: 'newest-first', forbidden })
  const intake = new FakeIntake()
  for (const id of ['a', 'b', 'c']) {
    server.store.put(patient(id))
    server.store.put(of(id, `o-${id}`, 80))
  }
  const client = openFhirClient({ baseUrl: server.baseUrl, clock, fetch: countedFetch, limits: { requestsPerMinute: 600, timeoutMs: HOUR_MS } })
  const table = new MemoryTable<KnownResource>()
  const references = new References({ client, clock, table, ...keptMax(options) })
  const source = patientSource({ client, references, patients: { ids: ['a', 'b', 'c'] }, searches: [{ query: 'Observation?category=vital-signs', by: 'date' }], pageSize: 10, lookbackMs: 24 * HOUR_MS, ...options })
  const connector: Connector = runSource(source, { feed: feedOf(intake), clock, positions: new MemoryTable<string>(), limits: { pollEveryMs: 15_000 } })
  const until = (holds: () => boolean): Promise<void> => runUntil(clock, server, () => { intake.nowMs = clock.now(); return holds() })
  try {
    await test({ clock, connector, server, intake, references: table, until })
  } finally {
    let done = false
    await Promise.all([connector[Symbol.asyncDispose]().then(() => { done = true }), until(() => done)])
    await server[Symbol.asyncDispose]()
  }
}

function keptMax (options: object): { readonly keptMax?: number } { return 'keptMax' in options ? { keptMax: (options as { keptMax: number }).keptMax } : {} }
function of (who: string, id: string, value: number, extra: object = {}): ReturnType<typeof heartRate> { return heartRate(id, value, { subject: { reference: `Patient/${who}` }, ...extra }) }

it('reads patient by patient, each value once, and a correction', async () => {
  await withPatients({}, async ({ clock, server, intake, until }) => {
    await until(() => intake.published.length === 3)
    server.store.put(of('b', 'o-b', 95, { status: 'corrected' }))
    await until(() => intake.published.length === 4)
    const end = clock.now() + 60_000
    await until(() => clock.now() > end)
    expect(intake.published.map(m => m.patient.id)).toEqual(['MRN-a', 'MRN-b', 'MRN-c', 'MRN-b'])
    expect(intake.duplicates).toBe(0)
  })
})

it('a patient whom the server will not show holds up nobody, and neither does a search that it refuses; but that one is told', async () => {
  const counts: string[] = []
  await withPatients({ count: what => { counts.push(what) } }, async ({ clock, connector, intake, until }) => {
    await until(() => intake.published.length === 2 && counts.length === 2)
    expect(intake.published.map(m => m.patient.id)).toEqual(['MRN-b', 'MRN-c'])
    expect(connector.health().state).toBe('up')
    expect(clock.now()).toBeGreaterThan(NOW_MS)
  }, ['Patient/a'])
  await withPatients({ searches: [{ query: 'Condition', by: 'none' }, { query: 'Observation?category=vital-signs', by: 'date' }] }, async ({ connector, intake, until }) => {
    await until(() => intake.published.length === 3 && connector.health().state === 'waiting')
    expect(connector.health().why).toContain('403')
  }, ['Condition'])
})

it('finds within the look-back what was entered late', async () => {
  await withPatients({}, async ({ server, intake, until }) => {
    await until(() => intake.published.length === 3)
    server.store.put(of('a', 'late', 70, { effectiveDateTime: '2031-05-05T14:00:00Z' }))
    await until(() => intake.published.length === 4)
  })
})

it('reads the members of a Group, or the subjects of a search', async () => {
  await withPatients({ patients: { search: 'Encounter?status=in-progress' } }, async ({ server, intake, until }) => {
    server.store.put({ resourceType: 'Encounter', id: 'e', status: 'in-progress', subject: { reference: 'Patient/b' } })
    await until(() => intake.published.length === 1)
    expect(intake.published[0]!.patient.id).toBe('MRN-b')
  })
  await withPatients({ patients: { group: 'icu' } }, async ({ server, intake, until }) => {
    server.store.put({ resourceType: 'Group', id: 'icu', member: [{ entity: { reference: 'Patient/c' } }, { entity: { reference: 'Patient/a' }, inactive: true }] })
    await until(() => intake.published.length === 1)
    expect(intake.published[0]!.patient.id).toBe('MRN-c')
  })
})

it('keeps no more patients than it may, in memory and on disk, and asks again for those that went', async () => {
  await withPatients({ keptMax: 2 } as never, async ({ server, intake, references, until }) => {
    await until(() => intake.published.length === 3)
    server.store.put(of('a', 'o-2', 81))
    await until(() => intake.published.length === 4)
    expect(references.rows.size).toBeLessThanOrEqual(2)
    expect(server.requests.filter(one => one === 'GET Patient')).toHaveLength(4)
  })
})
