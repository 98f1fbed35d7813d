import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CLINICAL_SCORE_NAMES, CLINICAL_SCORES, type OutboundItem, type OutboundLane, type OutboundSource, type SourceIdentity } from '../../../../connectors/kit/index.ts'
import { openVectorCodec, type VectorCodec } from '../../../../features/vector-codec.ts'
import { emptyVector } from '../../../../features/vector.ts'
import { NEWS2_PARTS, news2View, STANDARD_VIEWS } from '../../../../features/views/index.ts'
import type { AlertChange, Score } from '../../../../inference/alerts/index.ts'
import { openInferenceCodecs, type InferenceCodecs } from '../../../../inference/codecs.ts'
import { openEventCodecs, SchemaBook, TOPICS, topicSpecs, type EventCodecs, type PatientKey } from '../../../../streams/events/index.ts'
import { LatidoError } from '../../../../streams/errors/index.ts'
import { openEmbeddedLog, type Consumer, type Log } from '../../../../streams/log/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { logOutboundSource } from '../../../../ops/run/outbound/outbound-source.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const T = 1_900_000_000_000
let directory: ReturnType<typeof tempDir>
let log: Log
let codecs: EventCodecs
let inference: InferenceCodecs
let vectors: VectorCodec
let clock: ManualClock
/** Anna's stay; undefined: the store is away. */
let stay: object | undefined
const counts: string[] = []
const known = new Map<PatientKey, SourceIdentity>([['anna' as PatientKey, { id: 'MRN-1' }], ['ben' as PatientKey, { id: 'MRN-2' }]])

beforeEach(async () => {
  directory = tempDir()
  clock = new ManualClock(T)
  stay = { ward: 'W7', bed: '2', action: 'admit' }
  log = await openEmbeddedLog({ directory: directory.path, clock })
  await log.ensureTopics(topicSpecs({ partitions: 2, retentionMs: 0 }))
  const book = await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } })
  codecs = await openEventCodecs(book)
  inference = await openInferenceCodecs(book)
  vectors = await openVectorCodec(book, TOPICS.features)
  counts.length = 0
})
afterEach(async () => { await log[Symbol.asyncDispose](); directory.remove() })

const change = (alertId: string): AlertChange => ({ alertId, rule: 'news2-urgent', priority: 'medium', state: 'active', raisedAt: T, changedAt: T, onsetEventTime: T - 5, value: 5, threshold: 5, missing: [], reasons: [], acknowledgedBy: 'nurse-role', basis: 'news2@1' })
const scored: Score = { model: 'sepsis', modelVersion: '1', view: 'sepsis', viewVersion: 1, asOf: T, probability: 0.5, presentShare: 1, reasons: [] }

async function append (topic: string, partition: number, patient: string, ...values: Buffer[]): Promise<void> {
  await log.producer().append({ topic, partition }, values.map(value => ({ key: Buffer.from(patient), value, timestamp: clock.now() })))
}

function open (lane: OutboundLane = 'alerts', itemsMax = 1, everyMs?: number, from: Log = log): OutboundSource {
  return logOutboundSource({
    log: from, lane, vectors, clock, group: `latido-hl7-out-${lane}`, instance: randomUUID(), codecs, inference, itemsMax, identityOf: patient => Promise.resolve(known.get(patient)), onCount: what => { counts.push(what) },
    clinical: everyMs === undefined ? undefined : { scores: ['news2', 'shockIndex'], everyMs, views: () => STANDARD_VIEWS },
    online: { get: (_tables, [patient]) => stay === undefined ? Promise.reject(new LatidoError('ONLINE_UNAVAILABLE', 'away', 'wait')) : Promise.resolve([[patient === 'anna' ? { entity: 'anna', version: 1, value: Buffer.from(JSON.stringify(stay)) } as never : undefined]]) },
  })
}

/** Takes what there is, and says that it was delivered. */
async function drain (source: OutboundSource, most = Infinity): Promise<readonly OutboundItem[]> {
  const all: OutboundItem[] = []
  for (let empty = 0; empty < 3 && all.length < most;) {
    const batch = await source.next(0)
    if (batch.items.length === 0) { empty++; continue }
    all.push(...batch.items)
    await batch.done()
  }
  return all
}

const ids = (items: readonly OutboundItem[]): readonly string[] => items.map(item => item.kind === 'alert' ? item.id : item.kind === 'score' ? item.model : `${item.score} ${item.value}`)

it('alerts and scores come with who they are about and where, in order', async () => {
  await using source = open()
  await using scores = open('scores')
  await drain(source)
  await drain(scores)
  await append(TOPICS.alerts, 0, 'anna', inference.encodeAlert(change('a1')), inference.encodeAlert(change('a2')))
  await append(TOPICS.scores, 1, 'ben', inference.encodeScore(scored))
  const items = [...await drain(source), ...await drain(scores)]
  expect(ids(items)).toEqual(['a1', 'a2', 'sepsis'])
  expect(items.find(item => item.kind === 'alert')).toEqual({ kind: 'alert', patient: { id: 'MRN-1' }, place: { ward: 'W7', bed: '2' }, id: 'a1', rule: 'news2-urgent', priority: 'medium', state: 'active', raisedAt: T, changedAt: T, onset: T - 5, value: 5, threshold: 5, missing: [], reasons: [], basis: 'news2@1' })
  expect(items.find(item => item.kind === 'score')).toEqual({ kind: 'score', patient: { id: 'MRN-2' }, model: 'sepsis', version: '1', asOf: T, probability: 0.5, reasons: [] })
})

it('what stood on the log before the group existed is not sent, and what came since is, though nothing was sent before the restart', async () => {
  await append(TOPICS.alerts, 0, 'anna', inference.encodeAlert(change('old')))
  const first = open()
  await drain(first)
  await first[Symbol.asyncDispose]()
  await append(TOPICS.alerts, 0, 'anna', inference.encodeAlert(change('new')))
  await using second = open()
  expect(ids(await drain(second))).toEqual(['new'])
})

it('a restart goes on behind what was delivered: of several that were handed over, those not delivered come again', async () => {
  const first = open()
  await drain(first)
  await append(TOPICS.alerts, 0, 'anna', ...['a1', 'a2', 'a3'].map(id => inference.encodeAlert(change(id))))
  expect(ids(await drain(first, 1))).toEqual(['a1'])
  expect(ids((await first.next(0)).items)).toEqual(['a2'])
  await first[Symbol.asyncDispose]()
  await using second = open()
  expect(ids(await drain(second))).toEqual(['a2', 'a3'])
})

it('a patient whom nobody knows here is counted and passed over, and so is what nobody can read', async () => {
  await using source = open('alerts', 10)
  await drain(source)
  await append(TOPICS.alerts, 0, 'nobody', inference.encodeAlert(change('a1')))
  await append(TOPICS.alerts, 0, 'anna', codecs.encode({ type: 'tick' }), inference.encodeAlert(change('a2')))
  expect(ids(await drain(source))).toEqual(['a2'])
  expect(counts).toEqual(['patient-unknown'])
})

it('an alert that was read while the online store was away comes when it is back', async () => {
  await using source = open()
  await drain(source)
  await append(TOPICS.alerts, 0, 'anna', inference.encodeAlert(change('a1')), inference.encodeAlert(change('a2')))
  const there = stay
  stay = undefined
  for (let i = 0; i < 3; i++) await expect(source.next(0)).rejects.toThrow('away')
  stay = there
  expect(ids(await drain(source))).toEqual(['a1', 'a2'])
})

it('scores of a patient who has gone are passed over, and the end of an alert is not', async () => {
  await using source = open()
  await using scores = open('scores')
  await drain(source)
  await drain(scores)
  stay = { ward: 'W7', bed: '2', action: 'discharge' }
  await append(TOPICS.alerts, 0, 'anna', inference.encodeAlert({ ...change('a1'), state: 'cleared' }))
  await append(TOPICS.scores, 0, 'anna', inference.encodeScore(scored))
  expect([ids(await drain(source)), ids(await drain(scores)), counts]).toEqual([['a1'], [], ['patient-discharged']])
})

it('a member that is fenced, as one is whose receiver was away for long, is followed by a new one: what was not kept comes again, and the rest comes', async () => {
  let isFenced = false
  const members: string[] = []
  const fencing = Object.assign(Object.create(log) as Log, {
    range: log.range.bind(log), committedOffset: log.committedOffset.bind(log),
    consumer: (options: Parameters<Log['consumer']>[0]): Consumer => {
      const inner = log.consumer(options)
      const mine = members.push(options.instance)
      const check = (): void => { if (isFenced && mine === 1) throw new LatidoError('MEMBER_FENCED', 'nobody has polled', 'join anew') } // for good
      return Object.assign(Object.create(inner) as Consumer, { poll: async (ms: number) => { check(); return await inner.poll(ms) }, commit: async (offsets: Parameters<Consumer['commit']>[0]) => { check(); await inner.commit(offsets) }, seek: inner.seek.bind(inner), [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose]() })
    },
  })
  await using source = open('alerts', 1, undefined, fencing)
  await drain(source)
  await append(TOPICS.alerts, 0, 'anna', ...['a1', 'a2', 'a3'].map(id => inference.encodeAlert(change(id))))
  const first = await source.next(0)
  isFenced = true
  await expect(first.done()).rejects.toMatchObject({ code: 'MEMBER_FENCED' })
  expect([ids(first.items), ids(await drain(source))]).toEqual([['a1'], ['a1', 'a2', 'a3']])
  expect([new Set(members).size, counts]).toEqual([2, ['joined-anew']])
})

it('and so is one that is fenced while it has nothing', async () => {
  let fenced = 0
  await using source = open('alerts', 1, undefined, Object.assign(Object.create(log) as Log, {
    range: log.range.bind(log), committedOffset: log.committedOffset.bind(log),
    consumer: (options: Parameters<Log['consumer']>[0]): Consumer => fenced++ > 0 ? log.consumer(options) : Object.assign(Object.create(log.consumer(options)) as Consumer, { poll: () => Promise.reject(new LatidoError('MEMBER_FENCED', 'nobody has polled', 'join anew')), [Symbol.asyncDispose]: () => Promise.resolve() }),
  }))
  expect((await source.next(0)).items).toEqual([])
  expect(counts).toEqual(['joined-anew'])
})

describe('of alerts that waited for longer than the log keeps them', () => {
  const MONTHS_MS = 90 * 86_400_000
  const gone = async (): Promise<void> => {
    for (const id of ['a1', 'a2', 'a3']) await append(TOPICS.alerts, 0, 'anna', inference.encodeAlert(change(id)))
    clock.advance(MONTHS_MS)
    for (const id of ['a4', 'a5']) await append(TOPICS.alerts, 0, 'anna', inference.encodeAlert(change(id)))
    expect(await log.enforceRetention()).toBe(3)
  }
  beforeEach(async () => {
    await log[Symbol.asyncDispose]()
    log = await openEmbeddedLog({ directory: `${directory.path}/short`, clock })
    await log.ensureTopics(topicSpecs({ partitions: 2, retentionMs: 86_400_000 }))
  })

  it('a source says how many there were, once, and goes on with what is left', async () => {
    await using source = open()
    await drain(source)
    await gone()
    const batch = await source.next(0)
    expect([ids(batch.items), batch.lost]).toEqual([['a4'], { lane: 'alerts', records: 3 }])
    await batch.done()
    const after = await source.next(0)
    expect([ids(after.items), after.lost]).toEqual([['a5'], undefined])
  })

  it('so does one that was not running, and the next one does not say it again', async () => {
    const first = open()
    await drain(first)
    await first[Symbol.asyncDispose]()
    await gone()
    const second = open()
    const batch = await second.next(0)
    expect([ids(batch.items), batch.lost]).toEqual([['a4'], { lane: 'alerts', records: 3 }])
    await second[Symbol.asyncDispose]()
    await using third = open()
    const again = await third.next(0)
    expect([ids(again.items), again.lost]).toEqual([['a4'], undefined])
  })

  it('and none are said to be where the log is away when it is asked', async () => {
    let isAway = false
    await using source = open('alerts', 1, undefined, Object.assign(Object.create(log) as Log, { consumer: log.consumer.bind(log), committedOffset: log.committedOffset.bind(log), range: (of: Parameters<Log['range']>[0]) => isAway ? Promise.reject(new LatidoError('BROKER_UNREACHABLE', 'away', 'wait')) : log.range(of) }))
    await drain(source)
    await gone()
    isAway = true
    await expect(source.next(0)).rejects.toThrow('away')
    isAway = false
    const batch = await source.next(0)
    expect([ids(batch.items), batch.lost]).toEqual([['a4'], { lane: 'alerts', records: 3 }])
  })
})

it('every score of the table, and each of its parts, is a feature of its view', () => {
  for (const name of CLINICAL_SCORE_NAMES) {
    const view = STANDARD_VIEWS.find(one => one.name === CLINICAL_SCORES[name].view)
    expect(view?.names).toEqual(expect.arrayContaining([name, ...Object.keys(CLINICAL_SCORES[name].parts)]))
  }
  expect(Object.keys(CLINICAL_SCORES.news2.parts)).toEqual(NEWS2_PARTS)
})

describe('clinical scores', () => {
  const EVERY_MS = 900_000
  /** A vector of now: points by part, those that are left out are absent. */
  async function news2 (patient: string, parts: Readonly<Record<string, number>>, version = 1): Promise<void> {
    const vector = emptyVector(news2View.names.length)
    const set = (name: string, value: number): void => { const at = news2View.names.indexOf(name); vector.values[at] = value; vector.times[at] = clock.now() - 60_000 }
    for (const [name, points] of Object.entries(parts)) set(name, points)
    if (Object.keys(parts).length > 0) set('news2', Object.values(parts).reduce((sum, points) => sum + points, 0))
    await append(TOPICS.features, 0, patient, vectors.encode({ type: 'vector', view: 'news2', version, asOf: clock.now(), trigger: 'charted', ...vector }))
  }
  const all = (pulse: number): Record<string, number> => ({ ...Object.fromEntries(NEWS2_PARTS.map(part => [part, 0])), news2Pulse: pulse })

  it('go out with their parts when they have changed, and of a patient one in a while, which is the newest', async () => {
    await using source = open('scores', 1, EVERY_MS)
    await drain(source)
    await news2('anna', all(1))
    await news2('anna', all(1))
    await news2('ben', all(0))
    const first = await drain(source)
    expect(ids(first)).toEqual(['news2 1', 'news2 0'])
    expect(first[0]).toEqual({
      kind: 'clinical-score', patient: { id: 'MRN-1' }, place: { ward: 'W7', bed: '2' }, score: 'news2', basis: 'news2@1', asOf: T, value: 1, missing: [],
      parts: NEWS2_PARTS.map(feature => ({ feature, points: feature === 'news2Pulse' ? 1 : 0, eventTime: T - 60_000 })),
    })
    clock.advance(60_000)
    await news2('anna', all(3))
    clock.advance(60_000)
    await news2('anna', all(2))
    expect(await drain(source)).toEqual([])
    clock.advance(EVERY_MS - 120_001)
    expect(await drain(source)).toEqual([])
    clock.advance(1)
    const [later, ...none] = await drain(source)
    expect([later, none]).toMatchObject([{ value: 2, asOf: T + 120_000 }, []])
  })

  it('that went back in the meantime are no news, and neither are absent ones or those of a version that nobody is served', async () => {
    await using source = open('scores', 1, EVERY_MS)
    await drain(source)
    await news2('anna', all(1))
    expect(ids(await drain(source))).toEqual(['news2 1'])
    await news2('anna', all(3))
    await news2('anna', all(1))
    await news2('anna', {})
    await news2('ben', all(2), 2)
    clock.advance(2 * EVERY_MS)
    expect(await drain(source)).toEqual([])
  })

  it('with a part that is missing are a lower bound, and whether they are is news', async () => {
    await using source = open('scores', 1, 0)
    await drain(source)
    const { news2Temperature: _, ...six } = all(1)
    await news2('anna', six)
    await news2('anna', all(1))
    expect(await drain(source)).toMatchObject([{ value: 1, missing: ['news2Temperature'] }, { value: 1, missing: [] }])
  })

  it('that were held when the process was killed go out after it, though others were sent since', async () => {
    const first = open('scores', 1, EVERY_MS)
    await drain(first)
    await news2('anna', all(1))
    await drain(first)
    await news2('anna', all(3))
    await news2('ben', all(0))
    expect(ids(await drain(first))).toEqual(['news2 0'])
    await first[Symbol.asyncDispose]()
    await using second = open('scores', 1, EVERY_MS)
    expect(ids(await drain(second))).toEqual(['news2 3', 'news2 0'])
  })

  it('of the time in which the counterparty was away are left out but for the newest', async () => {
    const first = open('scores', 1, EVERY_MS)
    await drain(first)
    await first[Symbol.asyncDispose]()
    for (const pulse of [1, 2, 3]) { await news2('anna', all(pulse)); clock.advance(EVERY_MS) }
    clock.advance(1)
    await using second = open('scores', 1, EVERY_MS)
    expect(await drain(second)).toEqual([])
    clock.advance(5_000)
    expect(ids(await drain(second))).toEqual(['news2 3'])
  })

  it('keep their place though nothing is sent for long, without a commit at each look', async () => {
    await using source = open('scores', 10, EVERY_MS)
    await drain(source)
    const place = (): Promise<number | undefined> => log.committedOffset('latido-hl7-out-scores', { topic: TOPICS.features, partition: 0 })
    await news2('anna', {})
    await drain(source)
    expect(await place()).toBe(0)
    clock.advance(5_000)
    await news2('anna', {})
    await drain(source)
    expect(await place()).toBe(2)
  })
})

it('reads no further ahead of a slow receiver than one fetch of the log, however much waits there', async () => {
  let records = 0
  const counting = { committedOffset: log.committedOffset.bind(log), range: log.range.bind(log), consumer: (options: Parameters<Log['consumer']>[0]): Consumer => {
    const consumer = log.consumer(options)
    const poll = consumer.poll.bind(consumer)
    consumer.poll = async maxWaitMs => {
      const runs = await poll(maxWaitMs)
      for (const run of runs) records = Math.max(records, run.nextOffset)
      return runs
    }
    return consumer
  } } as unknown as Log
  await using source = open('alerts', 1, undefined, counting)
  await drain(source)
  const long = { ...change('a'), basis: 'x'.repeat(10_000) }
  for (let i = 0; i < 40; i++) await append(TOPICS.alerts, 0, 'anna', ...Array.from({ length: 10 }, (_, j) => inference.encodeAlert({ ...long, alertId: `a${i * 10 + j}` })))
  expect(ids(await drain(source, 50))).toEqual(Array.from({ length: 50 }, (_, i) => `a${i}`))
  expect(records).toBeLessThan(200) // 1 MB of 4
  const rest = [...await drain(source), ...await drain(source)] // the end of a fetch is an empty batch
  expect(ids(rest)).toEqual(Array.from({ length: 350 }, (_, i) => `a${i + 50}`))
})
