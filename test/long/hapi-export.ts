/**
 * The long lane of bulk export: a real HAPI FHIR server exports what was written to it, and each resource is on the log once. HAPI looks at its jobs once a
 * minute and takes several looks, so it takes minutes. `node --import tsx test/long/hapi-export.ts [--resources 200]`. Ends with 1 when something is missing or twice.
 */
import { parseArgs } from 'node:util'
import { fhirConnector } from '../../connectors/fhir/index.ts'
import { Feed, fixedMapping } from '../../connectors/kit/index.ts'
import { systemClock, type Clock } from '../../streams/time/index.ts'
import { FakeIntake } from '../connectors/kit/fake-intake.ts'
import { heartRate, MAPPING, MemoryTable, patient } from '../connectors/fhir/support.ts'
import { startHapiFhir, until } from '../kit/servers/index.ts'

const { values } = parseArgs({ options: { resources: { type: 'string', default: '200' } } })
const resources = Number(values.resources)
const WITHIN_MS = 480_000
/** HAPI asks for two minutes between looks. */
const LOOK_MS = 2_000
const clock: Clock = { now: () => systemClock.now(), monotonicMs: () => systemClock.monotonicMs(), every: (ms, run) => systemClock.every(ms, run), sleep: (ms, signal) => systemClock.sleep(Math.min(ms, LOOK_MS), signal) }

await using server = await startHapiFhir()
const entry = [patient('p1'), ...Array.from({ length: resources }, (_, i) => heartRate(`o${i}`, 40 + i % 160, { effectiveDateTime: '2026-03-01T09:30:00Z' }))].map(resource => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }))
const written = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }) })
if (!written.ok) throw new Error(`HAPI answered ${written.status}`)

const intake = new FakeIntake()
const options = fhirConnector.options.parse({ baseUrl: server.url, mode: 'bulk', types: ['Observation'], requestsPerMinute: 10_000 })
const feed = new Feed({ name: 'ehr', kind: 'fhir', intake, mapping: fixedMapping(MAPPING), map: fhirConnector.mapper(options) })
await using connector = await fhirConnector.start({ feed, clock, table: <T>() => new MemoryTable<T>(), secret: () => '', say: line => { console.log(line) } }, options)
await until('the export', WITHIN_MS, () => intake.values().length >= resources, () => connector.health().state === 'failed' ? connector.health().why : undefined)
const distinct = new Set(intake.published.map(({ messageId }) => messageId)).size
console.log(`${intake.values().length} values of ${resources}, ${distinct} messages, ${intake.refused.length} refused`)
if (intake.values().length !== resources || intake.refused.length > 0) process.exitCode = 1
