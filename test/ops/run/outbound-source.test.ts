import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { OutboundItem, OutboundSource, SourceIdentity } from '../../../connectors/kit/index.ts'
import type { AlertChange, Score } from '../../../inference/alerts/index.ts'
import { openInferenceCodecs, type InferenceCodecs } from '../../../inference/codecs.ts'
import { openEventCodecs, SchemaBook, TOPICS, topicSpecs, type EventCodecs, type PatientKey } from '../../../streams/events/index.ts'
import { openEmbeddedLog, type Log } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { logOutboundSource } from '../../../ops/run/outbound-source.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const T = 1_900_000_000_000
let directory: ReturnType<typeof tempDir>
let log: Log
let codecs: EventCodecs
let inference: InferenceCodecs
const counts: string[] = []
const known = new Map<PatientKey, SourceIdentity>([['anna' as PatientKey, { id: 'MRN-1' }], ['ben' as PatientKey, { id: 'MRN-2' }]])

beforeEach(async () => {
  directory = tempDir()
  log = await openEmbeddedLog({ directory: directory.path, clock: new ManualClock(T) })
  await log.ensureTopics(topicSpecs({ partitions: 2, retentionMs: 0 }))
  const book = await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } })
  codecs = await openEventCodecs(book)
  inference = await openInferenceCodecs(book)
  counts.length = 0
})
afterEach(async () => { await log[Symbol.asyncDispose](); directory.remove() })

const change = (alertId: string): AlertChange => ({ alertId, rule: 'news2-urgent', priority: 'medium', state: 'active', raisedAt: T, changedAt: T, onsetEventTime: T - 5, value: 5, threshold: 5, missing: [], reasons: [], acknowledgedBy: 'nurse-role', basis: 'news2@1' })
const scored: Score = { model: 'sepsis', modelVersion: '1', view: 'sepsis', viewVersion: 1, asOf: T, probability: 0.5, presentShare: 1, reasons: [] }

async function append (topic: string, partition: number, patient: string, ...values: Buffer[]): Promise<void> {
  await log.producer().append({ topic, partition }, values.map(value => ({ key: Buffer.from(patient), value, timestamp: T })))
}

function open (itemsMax = 1): OutboundSource {
  return logOutboundSource({
    log, group: 'latido-hl7-out', instance: randomUUID(), codecs, inference, itemsMax, identityOf: patient => known.get(patient), onCount: what => { counts.push(what) },
    online: { get: (_tables, [patient]) => Promise.resolve([[patient === 'anna' ? { entity: 'anna', version: 1, value: Buffer.from(JSON.stringify({ ward: 'W7', bed: '2' })) } as never : undefined]]) },
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

const ids = (items: readonly OutboundItem[]): readonly string[] => items.map(item => item.kind === 'alert' ? item.id : item.model)

it('alerts and scores come with who they are about and where, in order', async () => {
  await using source = open()
  await drain(source)
  await append(TOPICS.alerts, 0, 'anna', inference.encodeAlert(change('a1')), inference.encodeAlert(change('a2')))
  await append(TOPICS.scores, 1, 'ben', inference.encodeScore(scored))
  const items = await drain(source)
  expect([...ids(items)].toSorted()).toEqual(['a1', 'a2', 'sepsis'])
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
  await using source = open(10)
  await drain(source)
  await append(TOPICS.alerts, 0, 'nobody', inference.encodeAlert(change('a1')))
  await append(TOPICS.alerts, 0, 'anna', codecs.encode({ type: 'tick' }), inference.encodeAlert(change('a2')))
  expect(ids(await drain(source))).toEqual(['a2'])
  expect(counts).toEqual(['patient-unknown'])
})
