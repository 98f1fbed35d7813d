import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bulkSource, linesOf, type ExportState } from '../../../../connectors/fhir/bulk/index.ts'
import { openFhirClient } from '../../../../connectors/fhir/index.ts'
import { References, type KnownResource } from '../../../../connectors/fhir/polling/index.ts'
import { runSource, type Connector } from '../../../../connectors/kit/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'
import { FakeFhirServer, type FakeServerOptions } from '../fake-server/index.ts'
import { countedFetch, feedOf, heartRate, MemoryTable, NOW_MS, patient, runUntil } from '../support.ts'

const HOUR_MS = 3_600_000

class Export implements AsyncDisposable {
  readonly clock: ManualClock
  readonly server: FakeFhirServer
  readonly intake = new FakeIntake()
  readonly positions = new MemoryTable<string>()
  readonly states = new MemoryTable<ExportState>()
  readonly references = new MemoryTable<KnownResource>()
  readonly counts: string[] = []
  readonly said: string[] = []
  #connector: Connector | undefined
  private constructor (clock: ManualClock, server: FakeFhirServer) { this.clock = clock; this.server = server }

  static async open (options: Partial<FakeServerOptions> = {}): Promise<Export> {
    const clock = new ManualClock(NOW_MS)
    const made = new Export(clock, await FakeFhirServer.start({ clock, ...options }))
    made.server.store.put(patient('p1'))
    for (let n = 0; n < 100; n++) made.server.store.put(heartRate(`o${n}`, 40 + n))
    return made
  }

  start (): void {
    const client = openFhirClient({ baseUrl: this.server.baseUrl, clock: this.clock, fetch: countedFetch, limits: { requestsPerMinute: 600, timeoutMs: HOUR_MS } })
    const references = new References({ client, clock: this.clock, table: this.references })
    const source = bulkSource({ client, references, table: this.states, path: '$export', types: ['Patient', 'Observation'], from: undefined, everyMs: HOUR_MS, lineBytesMax: 100_000, fileOrigins: [], count: what => { this.counts.push(what) }, say: line => { this.said.push(line) } })
    this.#connector = runSource(source, { feed: feedOf(this.intake), clock: this.clock, positions: this.positions, limits: { pollEveryMs: 15_000 } })
  }

  async stop (): Promise<void> {
    let done = false
    if (this.#connector === undefined) return
    await Promise.all([this.#connector[Symbol.asyncDispose]().then(() => { done = true }), runUntil(this.clock, this.server, () => done)])
    this.#connector = undefined
  }

  until (holds: () => boolean): Promise<void> { return runUntil(this.clock, this.server, () => { this.intake.nowMs = this.clock.now(); return holds() }) }
  values (): number { return new Set(this.intake.published.filter(m => m.event.type === 'observations').map(m => m.messageId)).size }
  async [Symbol.asyncDispose] (): Promise<void> { await this.stop(); await this.server[Symbol.asyncDispose]() }
}

it('exports, waits as it is told, reads the files, tells the server that they may go, and goes on from there', async () => {
  await using bulk = await Export.open()
  bulk.start()
  await bulk.until(() => bulk.server.exports.discarded.length === 1)
  expect(bulk.values()).toBe(100)
  expect(bulk.states.rows.get('export')).toEqual({ since: new Date(NOW_MS).toISOString(), startedAt: expect.any(Number) as number })
  expect(bulk.counts).toEqual(['export-issue'])
  bulk.clock.advance(1000)
  bulk.server.store.put(heartRate('o100', 99))
  bulk.server.store.delete('Observation', 'o7')
  await bulk.until(() => bulk.server.exports.discarded.length === 2)
  expect(bulk.intake.published.slice(-2).map(m => m.event)).toMatchObject([{ observations: [{ value: 99 }] }, { observations: [{ status: 'withdrawn', resultId: 'Observation/o7|8867-4' }] }])
  expect(bulk.intake.refused).toEqual([])
})

it('a resource that was deleted, made anew and deleted again is withdrawn each time', async () => {
  await using bulk = await Export.open()
  bulk.start()
  const { store, exports } = bulk.server
  const steps = [() => { store.delete('Observation', 'o7') }, () => { store.put(heartRate('o7', 47)) }, () => { store.delete('Observation', 'o7') }]
  for (const [i, change] of steps.entries()) {
    await bulk.until(() => exports.discarded.length === i + 1)
    bulk.clock.advance(1000)
    change()
  }
  await bulk.until(() => exports.discarded.length === 4)
  expect(bulk.intake.published.slice(-3).map(m => m.event)).toMatchObject([{ observations: [{ status: 'withdrawn' }] }, { observations: [{ value: 47, status: 'final' }] }, { observations: [{ status: 'withdrawn' }] }])
})

it('tells that the server could not export something, and takes the rest; a line that is too long is a dead letter and holds up nothing', async () => {
  await using bulk = await Export.open()
  bulk.server.exports.severity = 'error'
  bulk.server.store.put(heartRate('o50', 77, { note: [{ text: 'x'.repeat(200_000) }] }))
  bulk.start()
  await bulk.until(() => bulk.server.exports.discarded.length === 1)
  expect(bulk.counts).toEqual(['export-issue-error'])
  expect(bulk.said.join()).toContain('could not export')
  expect(bulk.said.join()).not.toContain('Jane')
  expect(bulk.values()).toBe(99)
  expect(bulk.intake.causes()).toEqual(['malformed'])
})

it('is complete with 10 % errors', async () => {
  await using bulk = await Export.open({ faults: { seed: 5, errors: 0.1, throttled: 0.05 } })
  bulk.start()
  await bulk.until(() => bulk.server.exports.discarded.length === 1)
  expect(bulk.values()).toBe(100)
})

it('goes on with the running export after a restart, behind the last line that was taken', async () => {
  await using bulk = await Export.open()
  let n = 0
  bulk.intake.beforePublish = () => { if (++n > 50) bulk.intake.away = true; return Promise.resolve() }
  bulk.start()
  await bulk.until(() => bulk.intake.away)
  await bulk.stop()
  bulk.intake.away = false
  bulk.intake.beforePublish = () => Promise.resolve()
  const before = bulk.intake.attempts
  bulk.start()
  await bulk.until(() => bulk.server.exports.discarded.length === 1)
  expect(bulk.server.exports.started).toBe(1)
  expect(bulk.values()).toBe(100)
  expect(bulk.intake.published).toHaveLength(101) // with the patient
  expect(bulk.intake.attempts - before).toBeLessThan(80)
})

it('begins anew where the server has forgotten the export', async () => {
  await using bulk = await Export.open()
  bulk.states.rows.set('export', { job: `${bulk.server.baseUrl}/$job/job-lost`, startedAt: NOW_MS })
  bulk.start()
  await bulk.until(() => bulk.server.exports.discarded.length === 1)
  expect(bulk.values()).toBe(100)
})

it('cuts lines however the bytes come', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.string({ minLength: 1, maxLength: 12 }).map(text => JSON.stringify({ text }))), fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), fc.boolean(), async (lines, cuts, crlf) => {
    const bytes = Buffer.from(lines.join(crlf ? '\r\n\n' : '\n'))
    async function * chunks (): AsyncIterable<Uint8Array> { for (let at = 0, i = 0; at < bytes.length; i++) { const size = cuts[i % cuts.length]!; yield bytes.subarray(at, at += size) } }
    const read: string[] = []
    for await (const line of linesOf(chunks(), 1000)) read.push(line.toString().trimEnd())
    expect(read).toEqual(lines)
  }))
})

it('of a line that is too long keeps the beginning alone, and goes on at the next', async () => {
  async function * long (): AsyncIterable<Uint8Array> { yield Buffer.from('{}\n'); for (let i = 0; i < 1_000; i++) yield Buffer.alloc(1000, 65); yield Buffer.from('\n{"a":1}') }
  const read: Buffer[] = []
  for await (const line of linesOf(long(), 10_000)) read.push(line)
  expect(read.map(line => line.length)).toEqual([2, 10_001, 7])
})
