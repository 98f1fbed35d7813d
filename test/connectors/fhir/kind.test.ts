import { expect, it } from 'vitest'
import { FHIR_OPTIONS, fhirKind, PROFILE_NAMES, PROFILES, type FhirOptions } from '../../../connectors/fhir/index.ts'
import type { ConnectorContext } from '../../../connectors/kit/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { FakeFhirServer } from './fake-server/index.ts'
import { feedOf, heartRate, MemoryTable, NOW_MS, patient, runUntil } from './support.ts'

const faults = (options: object): readonly string[] => { const parsed = FHIR_OPTIONS.safeParse({ baseUrl: 'https://ehr.example/fhir', ...options }); return parsed.success ? [] : parsed.error.issues.map(issue => issue.path.join('.')) }

it('needs a base URL and nothing else', () => {
  expect(faults({})).toEqual([])
  expect(FHIR_OPTIONS.parse({ baseUrl: 'https://ehr.example/fhir/' })).toMatchObject({ baseUrl: 'https://ehr.example/fhir', mode: 'polling', profile: 'generic', auth: { kind: 'none' }, pollEveryMs: 15_000 })
})

it.each([
  [{ profile: 'epic' }, 'patients'], [{ profile: 'oracle-health' }, 'patients'], [{ profile: 'epic', mode: 'bulk' }, 'group'], [{ profile: 'veradigm', mode: 'bulk' }, 'group'], [{ profile: 'epic', mode: 'subscription' }, 'mode'],
  [{ profile: 'epic', polling: 'system', patients: { ids: ['a'] } }, 'polling'], [{ source: 'Jane Doe' }, 'source'], [{ baseUrl: 'ftp://x' }, 'baseUrl'], [{ auth: { kind: 'smart' } }, 'auth.clientId'], [{ from: 'yesterday' }, 'from'],
  [{ mode: 'subscription' }, 'subscription'], [{ mode: 'subscription', subscription: { subscriptions: [] } }, 'subscription.subscriptions'], [{ mode: 'subscription', subscription: { port: 70_000, subscriptions: [{ key: 'vitals' }] } }, 'subscription.subscriptions.0.criteria'],
  [{ mode: 'subscription', subscription: { secretHeader: '', subscriptions: [{ key: 'vitals', criteria: 'Observation' }] } }, 'subscription.secretHeader'],
])('says what is wrong with %j', (options, path) => { expect(faults(options)).toContain(path) })

it.each([{ profile: 'epic', patients: { group: 'icu' } }, { profile: 'epic', mode: 'bulk', group: 'icu' }, { profile: 'oracle-health', patients: { search: 'Encounter?status=in-progress' } }, { profile: 'veradigm' }])('takes %j', options => { expect(faults(options)).toEqual([]) })

it('claims of no vendor what its documentation does not say', () => {
  for (const name of PROFILE_NAMES) expect(PROFILES[name].name).toBe(name)
  expect(PROFILE_NAMES.filter(name => PROFILES[name].subscriptions)).toEqual(['generic'])
  expect(PROFILE_NAMES.filter(name => PROFILES[name].sorted)).toEqual(['generic'])
})

function contextOf (clock: ManualClock, intake: FakeIntake): ConnectorContext {
  return { feed: feedOf(intake), clock, table: () => new MemoryTable<never>(), secret: () => 'secret', say: () => {} }
}

it('runs from its options alone', async () => {
  const clock = new ManualClock(NOW_MS)
  await using server = await FakeFhirServer.start({ clock })
  const intake = new FakeIntake()
  server.store.put(patient('p1'))
  server.store.put(heartRate('o1', 80))
  const options = FHIR_OPTIONS.parse({ baseUrl: server.baseUrl, auth: { kind: 'basic', user: 'u', password: { env: 'X' } }, timeoutMs: 600_000, requestsPerMinute: 6_000 })
  const connector = await fhirKind({}).start(contextOf(clock, intake), options)
  await runUntil(clock, server, () => intake.published.some(m => m.event.type === 'observations'))
  expect(connector.endpoint).toBe(server.baseUrl)
  let done = false
  await Promise.all([connector[Symbol.asyncDispose]().then(() => { done = true }), runUntil(clock, server, () => done)])
})

it('does not send a token to another machine unencrypted', async () => {
  const options: FhirOptions = FHIR_OPTIONS.parse({ baseUrl: 'http://ehr.example/fhir' })
  await expect(fhirKind({}).start(contextOf(new ManualClock(NOW_MS), new FakeIntake()), options)).rejects.toMatchObject({ code: 'UNSAFE_CREDENTIALS' })
})
