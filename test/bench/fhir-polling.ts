import { openFhirClient, fhirMapper } from '../../connectors/fhir/index.ts'
import { References, systemSource, type KnownResource } from '../../connectors/fhir/polling/index.ts'
import { Feed, fixedMapping, runSource } from '../../connectors/kit/index.ts'
import { ManualClock, systemClock } from '../../streams/time/index.ts'
import { FakeFhirServer } from '../connectors/fhir/fake-server/index.ts'
import { countedFetch, heartRate, MAPPING, MemoryTable, NOW_MS, patient, runUntil } from '../connectors/fhir/support.ts'
import { FakeIntake } from '../connectors/kit/fake-intake.ts'
import type { Benchmark } from './measure.ts'

const BEFORE = 1_000
const AFTER = 500
const SERVER_LIMIT = 120
const BUDGET = 110
const MINUTE_MS = 60_000

interface Run { readonly complete: number, readonly twice: number, readonly busiest: number, readonly impatient: number, readonly requests: number, readonly faults: number, readonly minutes: number, readonly perSecond: number }

/** One server with faults of a seed, by a hand clock: a backlog, then new values, until all are there. */
async function runOnce (seed: number): Promise<Run> {
  const clock = new ManualClock(NOW_MS)
  await using server = await FakeFhirServer.start({ clock, latencyMs: 100, pages: 'offset', faults: { seed, errors: 0.1, throttled: 0.05, requestsPerMinute: SERVER_LIMIT } })
  const intake = new FakeIntake()
  const put = (n: number, at: number): void => { server.store.put(heartRate(`o${n}`, 40 + n % 200), at) }
  server.store.put(patient('p1'))
  for (let n = 0; n < BEFORE; n++) put(n, NOW_MS - (BEFORE - n) * 2_000)
  const client = openFhirClient({ baseUrl: server.baseUrl, clock, fetch: countedFetch, limits: { requestsPerMinute: BUDGET, timeoutMs: 10 * MINUTE_MS } })
  const references = new References({ client, clock, table: new MemoryTable<KnownResource>() })
  const source = systemSource({ client, references, types: ['Observation'], filters: {}, pageSize: 20, overlapMs: 3 * MINUTE_MS, from: { beforeNowMs: 60 * MINUTE_MS }, paging: 'keyset', sorted: true, deletions: false })
  const feed = new Feed({ name: 'ehr', kind: 'fhir', intake, mapping: fixedMapping(MAPPING), map: fhirMapper() })
  const startedMs = systemClock.monotonicMs()
  const connector = runSource(source, { feed, clock, positions: new MemoryTable<string>(), limits: { pollEveryMs: 15_000 } })
  let added = BEFORE
  const ids = (): number => new Set(intake.published.map(m => m.messageId)).size
  await runUntil(clock, server, () => {
    intake.nowMs = clock.now()
    while (added < BEFORE + AFTER && clock.now() > NOW_MS + (added - BEFORE) * 500) put(added++, clock.now())
    return added === BEFORE + AFTER && intake.published.length >= added
  })
  const seconds = (systemClock.monotonicMs() - startedMs) / 1_000
  const minutes = (clock.now() - NOW_MS) / MINUTE_MS
  let done = false
  await Promise.all([connector[Symbol.asyncDispose]().then(() => { done = true }), runUntil(clock, server, () => done)])
  const { limits } = server
  return { complete: ids() / (BEFORE + AFTER) * 100, twice: intake.published.length - ids(), busiest: limits.busiest(), impatient: limits.impatient + limits.overLimit, requests: limits.times.length, faults: limits.faults, minutes, perSecond: ids() / seconds }
}

/** Completeness and restraint, counted by the server itself; the seed of a run is its number. */
export const fhirPolling: Benchmark = {
  summary: 'FHIR polling with 10 % errors and 429s: completeness, and requests against the server\'s limit',
  run: async ({ runs = 3, say }) => {
    const all: Run[] = []
    for (let seed = 1; seed <= runs; seed++) {
      say(`a server with the faults of seed ${seed}`)
      all.push(await runOnce(seed))
    }
    const of = (field: keyof Run): number[] => all.map(run => run[field])
    return [
      { name: 'FHIR polling with 10 % errors and 429s', unit: '% complete', values: of('complete'), target: '100' },
      { name: 'FHIR polling, published twice', unit: 'messages', values: of('twice'), target: '0' },
      { name: 'FHIR polling, most requests in 60 s', unit: 'requests', values: of('busiest'), target: `at most ${SERVER_LIMIT}` },
      { name: 'FHIR polling, requests against a limit', unit: 'requests', values: of('impatient'), target: '0' },
      { name: 'FHIR polling, requests in all', unit: 'requests', values: of('requests') },
      { name: 'FHIR polling, of these failed by the server', unit: 'requests', values: of('faults') },
      { name: 'FHIR polling, simulated time', unit: 'min', values: of('minutes') },
      { name: 'FHIR polling, resources', unit: 'resources/s', values: of('perSecond') },
    ]
  },
}
