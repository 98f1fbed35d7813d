import { expect, it } from 'vitest'
import { openFhirClient, type FhirLimits } from '../../../../connectors/fhir/index.ts'
import { References, systemSource, type KnownResource, type SystemPollOptions } from '../../../../connectors/fhir/polling/index.ts'
import { runSource, type Connector } from '../../../../connectors/kit/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'
import { FakeFhirServer, type FakeServerOptions } from '../fake-server/index.ts'
import { countedFetch, feedOf, heartRate, MemoryTable, NOW_MS, patient, runUntil } from '../support.ts'

const MINUTE_MS = 60_000

class Poll implements AsyncDisposable {
  readonly clock: ManualClock
  readonly server: FakeFhirServer
  readonly intake = new FakeIntake()
  readonly positions = new MemoryTable<string>()
  readonly references = new MemoryTable<KnownResource>()
  #connector: Connector | undefined

  private constructor (clock: ManualClock, server: FakeFhirServer) { this.clock = clock; this.server = server }

  static async open (options: Partial<FakeServerOptions> = {}): Promise<Poll> {
    const clock = new ManualClock(NOW_MS)
    const poll = new Poll(clock, await FakeFhirServer.start({ clock, ...options }))
    poll.server.store.put(patient('p1'), NOW_MS - 24 * 60 * MINUTE_MS)
    return poll
  }

  start (options: Partial<SystemPollOptions> = {}, limits: Partial<FhirLimits> = {}): void {
    const client = openFhirClient({ baseUrl: this.server.baseUrl, clock: this.clock, fetch: countedFetch, random: () => 0.5, limits: { requestsPerMinute: 600, timeoutMs: 10 * MINUTE_MS, ...limits } })
    const references = new References({ client, clock: this.clock, table: this.references })
    const source = systemSource({ client, references, types: ['Observation'], filters: {}, pageSize: 10, overlapMs: 3 * MINUTE_MS, from: { beforeNowMs: 60 * MINUTE_MS }, paging: 'keyset', sorted: true, deletions: false, ...options })
    this.#connector = runSource(source, { feed: feedOf(this.intake), clock: this.clock, positions: this.positions, limits: { pollEveryMs: 15_000 }, random: () => 0.5 })
  }

  async stop (): Promise<void> {
    if (this.#connector === undefined) return
    let done = false
    await Promise.all([this.#connector[Symbol.asyncDispose]().then(() => { done = true }), runUntil(this.clock, this.server, () => done)])
    this.#connector = undefined
  }

  until (holds: () => boolean): Promise<void> { return runUntil(this.clock, this.server, () => { this.intake.nowMs = this.clock.now(); return holds() }) }
  add (from: number, to: number, ageMs: (n: number) => number = () => 0): void { for (let n = from; n < to; n++) this.server.store.put(heartRate(`o${n}`, 40 + n % 200), this.server.store.now() - ageMs(n)) }
  ids (): string[] { return this.intake.published.map(m => /Observation\/([^/]+)\//.exec(m.messageId)?.[1] ?? '').sort() }
  async [Symbol.asyncDispose] (): Promise<void> { await this.stop(); await this.server[Symbol.asyncDispose]() }
}

const numbered = (n: number): string[] => Array.from({ length: n }, (_, i) => `o${i}`).sort()

it('reads what there is, then what is new, each version once', async () => {
  await using poll = await Poll.open()
  poll.add(0, 35, n => (35 - n) * 1000)
  poll.start()
  await poll.until(() => poll.intake.published.length === 35)
  poll.add(35, 40)
  poll.server.store.put(heartRate('o3', 99, { status: 'corrected' }))
  await poll.until(() => poll.intake.published.length >= 41)
  const until = poll.clock.now() + 5 * MINUTE_MS
  await poll.until(() => poll.clock.now() > until)
  expect(poll.intake.published).toHaveLength(41)
  expect(poll.intake.duplicates).toBe(0)
  expect(new Set(poll.ids())).toEqual(new Set(numbered(40)))
  expect(poll.server.requests.filter(one => one === 'GET Patient')).toHaveLength(1)
})

it('is complete after 10 % errors and 429s, and stays within the server\'s limits', async () => {
  await using poll = await Poll.open({ faults: { seed: 11, errors: 0.1, throttled: 0.05, requestsPerMinute: 40 }, latencyMs: 200 })
  poll.add(0, 300, n => (300 - n) * 1000)
  poll.start({}, { requestsPerMinute: 36 })
  await poll.until(() => poll.intake.published.length >= 150)
  poll.add(300, 400)
  await poll.until(() => poll.intake.published.length >= 400)
  expect(poll.ids()).toEqual(numbered(400))
  expect(poll.intake.duplicates).toBe(0)
  expect(poll.server.limits.faults).toBeGreaterThan(5)
  expect([poll.server.limits.overLimit, poll.server.limits.impatient]).toEqual([0, 0])
  expect(poll.server.limits.busiest()).toBeLessThanOrEqual(40)
})

it('recovers where its budget is larger than the server\'s limit, by Retry-After', async () => {
  await using poll = await Poll.open({ faults: { requestsPerMinute: 10 } })
  poll.add(0, 300, n => (300 - n) * 1000)
  poll.start({}, { requestsPerMinute: 600 })
  await poll.until(() => poll.intake.published.length >= 300)
  expect(poll.ids()).toEqual(numbered(300))
  expect(poll.server.limits.overLimit).toBeGreaterThan(0)
  expect(poll.server.limits.impatient).toBe(0)
})

it.each([-2, 2])('reads a server whose clock is %d hours off', async hours => {
  await using poll = await Poll.open({ skewMs: hours * 60 * MINUTE_MS })
  poll.add(0, 12, n => (12 - n) * 1000)
  poll.start()
  await poll.until(() => poll.intake.published.length === 12)
  poll.add(12, 20)
  await poll.until(() => poll.intake.published.length === 20)
  expect(poll.ids()).toEqual(numbered(20))
})

it('finds what the server shows late, within the overlap', async () => {
  await using poll = await Poll.open()
  poll.add(0, 5)
  poll.start()
  await poll.until(() => poll.intake.published.length === 5)
  poll.add(5, 7, () => 2 * MINUTE_MS)
  await poll.until(() => poll.intake.published.length === 7)
})

/** A change moves a resource to the end, and all behind it forward by one: with pages by offset the first of the next page is never seen. */
async function readWhileItMoves (paging: 'keyset' | 'links'): Promise<readonly string[]> {
  await using poll = await Poll.open({ pages: 'offset' })
  poll.add(0, 60, n => (60 - n) * 10_000)
  let changed = 0
  poll.server.afterPage = () => { if (changed < 4) poll.server.store.put(heartRate(`o${changed++}`, 111)) }
  poll.start({ paging, overlapMs: 0 })
  const until = poll.clock.now() + 10 * MINUTE_MS
  await poll.until(() => poll.clock.now() > until)
  return [...new Set(poll.ids())]
}

it('loses nothing where pages change under way', async () => { expect(await readWhileItMoves('keyset')).toEqual(numbered(60)) })
it('would lose with links on such a server, which is why keyset is the default', async () => { expect((await readWhileItMoves('links')).length).toBeLessThan(60) })

it('gets over a page of one instant', async () => {
  await using poll = await Poll.open()
  const at = poll.server.store.now() - MINUTE_MS
  for (let n = 0; n < 37; n++) poll.server.store.put(heartRate(`o${n}`, 60), at)
  poll.add(37, 45)
  poll.start()
  await poll.until(() => poll.intake.published.length === 45)
  expect(poll.ids()).toEqual(numbered(45))
})

it('reads a server that answers newest first, and moves its mark only at the end of a whole reading', async () => {
  await using poll = await Poll.open({ order: 'newest-first' })
  poll.add(0, 45, n => (45 - n) * 1000)
  const marks: string[] = []
  poll.positions.beforeSave = () => { marks.push(String(poll.intake.published.length)) }
  poll.start({ sorted: false, paging: 'links' })
  await poll.until(() => poll.intake.published.length === 45)
  await poll.stop()
  expect(JSON.parse(poll.positions.rows.get('position')!) as unknown).toEqual({ Observation: new Date(NOW_MS - 1000).toISOString() })
  poll.start({ sorted: false, paging: 'links' })
  poll.add(45, 50)
  await poll.until(() => poll.intake.published.length === 50)
  expect(poll.ids()).toEqual(numbered(50))
})

it('loses nothing and says nothing twice, wherever between take and position it is killed', async () => {
  for (let killedAt = 1; killedAt <= 24; killedAt++) {
    await using poll = await Poll.open()
    poll.add(0, 20, n => (20 - n) * 1000)
    let effects = 0
    // A killed process: what comes after the effect neither reaches the log nor the disk.
    const die = (): void => { if (++effects >= killedAt) throw new Error('killed') }
    const { intake, positions } = poll
    intake.beforePublish = () => { die(); return Promise.resolve() }
    intake.beforeRefuse = () => Promise.reject(new Error('killed'))
    positions.beforeSave = die
    poll.start({ pageSize: 4 })
    await poll.until(() => effects >= killedAt)
    await poll.stop()
    intake.beforePublish = () => Promise.resolve()
    intake.beforeRefuse = () => Promise.resolve()
    positions.beforeSave = () => {}
    poll.start({ pageSize: 4 })
    await poll.until(() => intake.published.length >= 20)
    expect([killedAt, ...poll.ids()]).toEqual([killedAt, ...numbered(20)])
    expect(intake.refused).toEqual([])
  }
})

it('tells deletions by the history, with what was deleted, once', async () => {
  await using poll = await Poll.open()
  poll.add(0, 3)
  poll.start({ deletions: true })
  await poll.until(() => poll.intake.published.length === 3)
  poll.server.store.delete('Observation', 'o1')
  await poll.until(() => poll.intake.published.length === 4)
  const until = poll.clock.now() + 5 * MINUTE_MS
  await poll.until(() => poll.clock.now() > until)
  expect(poll.intake.published).toHaveLength(4)
  expect(poll.intake.published.at(-1)!.event).toMatchObject({ observations: [{ status: 'withdrawn', resultId: 'Observation/o1|8867-4' }] })
})

it('tells a stay from its versions, also over a restart', async () => {
  await using poll = await Poll.open()
  const stay = (extra: object): void => { poll.server.store.put({ resourceType: 'Encounter', id: 'e', status: 'in-progress', class: { code: 'IMP' }, subject: { reference: 'Patient/p1' }, period: { start: '2031-05-06T09:00:00Z' }, location: [{ location: { reference: 'Location/a' }, status: 'active' }], ...extra }) }
  const actions = (): string[] => poll.intake.published.map(m => m.event.type === 'encounter' ? m.event.action : '')
  poll.server.store.put({ resourceType: 'Location', id: 'a', name: 'A1', physicalType: { coding: [{ code: 'bd' }] } })
  stay({})
  poll.start({ types: ['Encounter'] })
  await poll.until(() => actions().length === 1)
  await poll.stop()
  poll.start({ types: ['Encounter'] })
  poll.clock.advance(1000)
  stay({ priority: { text: 'x' } })
  await poll.until(() => actions().length === 2)
  poll.clock.advance(1000)
  stay({ location: [{ location: { reference: 'Location/b' }, status: 'active' }] })
  await poll.until(() => actions().length === 3)
  poll.clock.advance(1000)
  stay({ status: 'finished' })
  await poll.until(() => actions().length === 4)
  expect(actions()).toEqual(['admit', 'update', 'transfer', 'discharge'])
})

it('goes on where one patient may not be read, and keeps what is said of them as a dead letter', async () => {
  await using poll = await Poll.open({ forbidden: ['Patient/sealed'] })
  poll.add(0, 3, n => (10 - n) * 1000)
  poll.server.store.put(heartRate('secret', 70, { subject: { reference: 'Patient/sealed' } }))
  poll.start()
  await poll.until(() => poll.intake.published.length === 3 && poll.intake.refused.length === 1)
  expect(poll.intake.causes()).toEqual(['patient-missing'])
})
