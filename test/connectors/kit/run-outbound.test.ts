import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runOutbound, type Connector, type Delivery, type OutboundAlert, type OutboundItem, type OutboundSource } from '../../../connectors/kit/index.ts'
import { ManualClock, systemClock } from '../../../streams/time/index.ts'
import { until } from '../../kit/servers/index.ts'
import { FakeIntake } from './fake-intake.ts'

const WITHIN_MS = 10_000
const LIMITS = { pollMs: 5, pauseMsMin: 1, pauseMsMax: 5, attemptsMax: 3 }

let intake: FakeIntake
let connector: Connector | undefined
beforeEach(() => { intake = new FakeIntake() })
afterEach(async () => { await connector?.[Symbol.asyncDispose]() })

function alert (patient: string, id: string): OutboundItem {
  return { kind: 'alert', patient: { id: patient }, id, rule: 'news2-urgent', priority: 'medium', state: 'active', raisedAt: 1, changedAt: 1, onset: 1, value: 5, threshold: 5, missing: [], reasons: [], basis: 'news2@1' }
}

/** Batches from memory; what was not done comes again to the next one who asks. */
class Batches implements OutboundSource {
  done = 0
  failDone = 0
  #held = false
  readonly #batches: readonly (readonly OutboundItem[])[]
  constructor (batches: readonly (readonly OutboundItem[])[]) { this.#batches = batches }
  async next (maxWaitMs: number): Promise<{ readonly items: readonly OutboundItem[], done (): Promise<void> }> {
    const items = this.#held ? [] : this.#batches[this.done] ?? []
    if (items.length === 0) await systemClock.sleep(maxWaitMs)
    return { items, done: () => { if (this.failDone-- > 0) return Promise.reject(new Error('no')); this.done++; return Promise.resolve() } }
  }

  [Symbol.asyncDispose] (): Promise<void> { return Promise.resolve() }
}

function run (source: OutboundSource, deliver: (item: OutboundItem, signal: AbortSignal, isAsked?: boolean) => Promise<Delivery>): Connector {
  return (connector = runOutbound({ name: 'ehr', kind: 'fhir', endpoint: 'http://ehr', sources: [source], deliver, intake, clock: systemClock, limits: LIMITS }))
}

it('delivers a patient\'s items one by one in order, while another patient\'s go on', async () => {
  const sent: string[] = []
  let release: () => void = () => {}
  const held = new Promise<void>(resolve => { release = resolve })
  const source = new Batches([[alert('A', 'a1'), alert('A', 'a2'), alert('B', 'b1')], [alert('A', 'a3')]])
  run(source, async item => {
    if (item.kind === 'alert' && item.id === 'a1') await held
    sent.push(item.kind === 'alert' ? item.id : '')
    return { kind: 'delivered' }
  })
  await until('the other patient', WITHIN_MS, () => sent.includes('b1'))
  expect(sent).toEqual(['b1'])
  release()
  await until('all', WITHIN_MS, () => source.done === 2)
  expect(sent).toEqual(['b1', 'a1', 'a2', 'a3'])
})

it('waits for a counterparty that is away, says so, and goes on with the same item', async () => {
  const source = new Batches([[alert('A', 'a1')]])
  let away = true
  let tries = 0
  const ran = run(source, () => { tries++; return Promise.resolve(away ? { kind: 'away', why: 'it does not answer' } : { kind: 'delivered' }) })
  await until('several tries', WITHIN_MS, () => tries > 5)
  expect(ran.health()).toMatchObject({ state: 'waiting', why: 'it does not answer' })
  expect([source.done, intake.refused.length]).toEqual([0, 0])
  away = false
  await until('the delivery', WITHIN_MS, () => source.done === 1)
  expect(ran.health().state).toBe('up')
})

it('keeps a dead letter of what is refused, and of what fails too often, and goes on', async () => {
  const source = new Batches([[alert('A', 'never'), alert('A', 'fails'), alert('A', 'throws'), alert('A', 'good')]])
  const tried = new Map<string, number>()
  run(source, item => {
    const id = item.kind === 'alert' ? item.id : ''
    tried.set(id, (tried.get(id) ?? 0) + 1)
    if (id === 'never') return Promise.resolve({ kind: 'refused', fault: { cause: 'patient-missing', detail: 'no such patient' } })
    if (id === 'fails') return Promise.resolve({ kind: 'failed', detail: 'it answered 500' })
    if (id === 'throws') return Promise.reject(new Error('boom'))
    return Promise.resolve({ kind: 'delivered' })
  })
  await until('the batch', WITHIN_MS, () => source.done === 1)
  expect(Object.fromEntries(tried)).toEqual({ never: 1, fails: 3, throws: 3, good: 1 })
  expect(intake.refused.map(({ cause, detail }) => [cause, detail])).toEqual([['patient-missing', 'no such patient'], ['source-refused', 'it answered 500, 3 times'], ['source-refused', 'the connector failed, 3 times']])
  expect(JSON.parse(intake.refused[0]!.raw.toString())).toMatchObject({ id: 'never' })
})

it('does not pass an item by while the log takes no dead letters', async () => {
  const source = new Batches([[alert('A', 'a1')]])
  let logAway = true
  intake.beforeRefuse = () => logAway ? Promise.reject(new Error('away')) : Promise.resolve()
  const ran = run(source, () => Promise.resolve({ kind: 'refused', fault: { cause: 'malformed', detail: 'x' } }))
  await until('waiting', WITHIN_MS, () => ran.health().state === 'waiting')
  expect(source.done).toBe(0)
  logAway = false
  await until('the batch', WITHIN_MS, () => source.done === 1)
  expect(intake.causes()).toEqual(['malformed'])
})

it('sends a batch again whose position could not be kept', async () => {
  const source = new Batches([[alert('A', 'a1')]])
  source.failDone = 1
  let sent = 0
  run(source, () => { sent++; return Promise.resolve({ kind: 'delivered' }) })
  await until('done', WITHIN_MS, () => source.done === 1)
  expect([sent, intake.counts.get('position-not-kept')]).toEqual([2, 1])
})

it('stops between two items, and calls nothing done that was not', async () => {
  const source = new Batches([[alert('A', 'a1'), alert('A', 'a2')]])
  let release: () => void = () => {}
  const sent: string[] = []
  const ran = run(source, async item => { sent.push(item.kind); await new Promise<void>(resolve => { release = resolve }); return { kind: 'delivered' } })
  await until('the first', WITHIN_MS, () => sent.length === 1)
  const stopped = ran[Symbol.asyncDispose]()
  release()
  await stopped
  expect([sent.length, source.done]).toEqual([1, 0])
})

it('sends a dead letter again when a person asks, unless a later change of the alert was told since', async () => {
  const source = new Batches([[alert('A', 'a1'), alert('B', 'b1')], [{ ...alert('A', 'a1') as OutboundAlert, state: 'cleared', changedAt: 2 }]])
  const sent: string[] = []
  const asked: (boolean | undefined)[] = []
  let refusing = true
  const ran = run(source, (item, _signal, isAsked) => {
    asked.push(isAsked)
    if (refusing && item.kind === 'alert' && item.state === 'active') return Promise.resolve({ kind: 'refused', fault: { cause: 'patient-missing', detail: 'no such patient' } })
    sent.push(item.kind === 'alert' ? `${item.id} ${item.state} ${item.value}` : '')
    return Promise.resolve({ kind: 'delivered' })
  })
  await until('all', WITHIN_MS, () => source.done === 2)
  const [first, second] = intake.refused
  expect([first?.feed, await ran.retry!(second!.raw)]).toEqual(['ehr', { kind: 'refused', fault: { cause: 'patient-missing', detail: 'no such patient' } }])
  refusing = false
  expect(await ran.retry!(second!.raw)).toEqual({ kind: 'taken', published: 1, duplicates: 0, refused: [] })
  expect(await ran.retry!(Buffer.from(JSON.stringify({ ...alert('B', 'b2'), value: NaN })))).toMatchObject({ kind: 'taken' })
  expect(await ran.retry!(first!.raw)).toEqual({ kind: 'superseded' })
  expect(sent).toEqual(['a1 cleared 5', 'b1 active 5', 'b2 active NaN'])
  expect(asked).toEqual([undefined, undefined, undefined, true, true, true])
})

describe('a receiver that takes 15 seconds for each alert, for three simulated hours in which one comes each 10 seconds', () => {
  const EVERY_MS = 10_000
  const SLOW_MS = 15_000
  const SLOW_UNTIL_MS = 3 * 3_600_000
  const COUNT = SLOW_UNTIL_MS / EVERY_MS

  /** What has happened by now, one a batch; waits by the clock, so that nothing here takes time of its own. */
  function happening (clock: ManualClock): OutboundSource & { readonly taken: () => number } {
    let at = 0
    return {
      taken: () => at,
      next: async maxWaitMs => {
        if (at === COUNT || clock.now() < at * EVERY_MS) { await clock.sleep(maxWaitMs); return { items: [], done: () => Promise.resolve() } }
        const item = { ...alert(at % 2 === 0 ? 'A' : 'B', `a${at}`) as OutboundAlert, changedAt: at * EVERY_MS }
        return { items: [item], done: () => { at++; return Promise.resolve() } }
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  it('gets every alert once and in order; that it hears old ones is counted and told while it lasts, and when it is over', async () => {
    const clock = new ManualClock(0)
    const source = happening(clock)
    const sent: string[] = []
    const said: string[] = []
    const whys = new Map<number, string>()
    const ran = runOutbound({
      name: 'pager', kind: 'hl7-out', endpoint: 'mllp://pager', sources: [source], intake, clock, limits: { pollMs: 1_000 }, say: line => { said.push(line) },
      deliver: async item => {
        if (clock.now() < SLOW_UNTIL_MS) await clock.sleep(SLOW_MS)
        sent.push(item.kind === 'alert' ? item.id : '')
        return { kind: 'delivered' }
      },
    })
    for (let now = 0; now <= SLOW_UNTIL_MS + 60_000; now += 1_000) {
      clock.set(now)
      await new Promise(setImmediate) // all that is to happen at this moment has happened
      if (now % 3_600_000 === 0 && now < SLOW_UNTIL_MS) whys.set(now / 3_600_000, ran.health().why)
    }
    const health = ran.health()
    const stopped = ran[Symbol.asyncDispose]()
    clock.advance(60_000) // it waits by this clock
    await stopped
    expect(sent).toEqual(Array.from({ length: COUNT }, (_, i) => `a${i}`))
    expect(source.taken()).toBe(COUNT)
    expect([...whys.values()]).toEqual(['', ...[20, 40].map(minutes => expect.stringContaining(`what is sent now is ${minutes} m old`) as string)])
    expect(health).toMatchObject({ state: 'up', why: '' })
    expect(said).toEqual([expect.stringContaining('pager: what is sent now is 1 m old'), 'pager: what is sent is in time again'])
    expect(intake.counts.get('alert-delivered')).toBe(COUNT)
    expect(intake.counts.get('alert-late')).toBeGreaterThan(COUNT * 0.9)
    expect(intake.refused).toEqual([])
  })
})

it('says once what two sources find out about one counterparty', async () => {
  const said: string[] = []
  let tries = 0
  connector = runOutbound({ name: 'ehr', kind: 'fhir', endpoint: 'http://ehr', sources: [new Batches([[alert('A', 'a1')]]), new Batches([[alert('B', 'b1')]])], deliver: () => { tries++; return Promise.resolve({ kind: 'away', why: 'it does not answer' }) }, intake, clock: systemClock, limits: LIMITS, say: line => { said.push(line) } })
  await until('several tries', WITHIN_MS, () => tries > 6)
  expect(said.filter(line => line.includes('waiting'))).toEqual(['ehr: waiting (it does not answer)'])
})

it('says what the log let go of before it was sent, in its health for a day and once to whoever listens', async () => {
  const clock = new ManualClock(0)
  const said: string[] = []
  const batches = [[0, 3], [1, 2], [2, 0]] as const
  let at = 0
  const source: OutboundSource = {
    next: async maxWaitMs => {
      const [n, records] = batches[at] ?? [0, 0]
      if (at >= batches.length) { await clock.sleep(maxWaitMs); return { items: [], done: () => Promise.resolve() } }
      at++
      return { items: [alert('A', `a${n}`)], ...records === 0 ? {} : { lost: { lane: 'alerts', records } }, done: () => Promise.resolve() }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const ran = runOutbound({ name: 'pager', kind: 'hl7-out', endpoint: 'mllp://pager', sources: [source], intake, clock, say: line => { said.push(line) }, deliver: () => Promise.resolve({ kind: 'delivered' }) })
  await until('all', WITHIN_MS, () => intake.counts.get('alert-delivered') === 3)
  const words = (n: number): string => `up to ${n} alerts were never sent: they waited for longer than the log keeps them`
  expect([intake.counts.get('alerts-lost'), said, ran.health()]).toMatchObject([5, [`pager: ${words(3)}`, `pager: ${words(5)}`], { state: 'up', why: words(5) }])
  clock.advance(86_400_000)
  expect(ran.health().why).toBe('')
  const stopped = ran[Symbol.asyncDispose]()
  clock.advance(60_000) // it waits by this clock
  await stopped
})

it('a counterparty that was never reached is not up; it is asked until it is there, or something was delivered', async () => {
  for (const proof of ['asked', 'delivered']) {
    let tries = 0
    let isThere = false
    const source = new Batches([[alert('A', 'a1')]])
    let release: () => void = () => {}
    const held = new Promise<void>(resolve => { release = resolve })
    const ran = runOutbound({
      name: 'ehr', kind: 'fhir', endpoint: 'http://ehr', sources: [source], deliver: async () => { await held; return { kind: 'delivered' } }, intake, clock: systemClock, limits: LIMITS,
      reach: () => { tries++; return Promise.resolve(isThere ? '' : 'nobody there') },
    })
    expect(ran.health()).toMatchObject({ state: 'waiting', why: 'not connected yet' })
    await until('several tries', WITHIN_MS, () => tries > 2)
    expect(ran.health()).toMatchObject({ state: 'waiting', why: 'nobody there' })
    if (proof === 'asked') isThere = true; else release()
    await until('up', WITHIN_MS, () => ran.health().state === 'up')
    release()
    await ran[Symbol.asyncDispose]()
  }
})
