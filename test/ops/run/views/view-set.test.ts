import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { featuresMachine } from '../../../../features/compute/index.ts'
import { featureView, last, mean, minus, viewKey, type FeatureView } from '../../../../features/define/index.ts'
import type { FeatureVector } from '../../../../features/vector.ts'
import { unpackVector } from '../../../../features/vector-codec.ts'
import { STANDARD_VIEWS } from '../../../../features/views/index.ts'
import { Closers } from '../../../../ops/run/closers.ts'
import { openDataDir } from '../../../../ops/run/data-dir.ts'
import { openPipeline, type Pipeline } from '../../../../ops/run/pipeline.ts'
import { openStores, type Stores } from '../../../../ops/run/stores.ts'
import { ViewBuilds } from '../../../../ops/run/views/view-builds.ts'
import { openViewSet, type ViewSet } from '../../../../ops/run/views/view-set.ts'
import { partitionFor } from '../../../../streams/codec/index.ts'
import { KeyedMachine, type RunningProcessor } from '../../../../streams/engine/index.ts'
import { patientKeyOf, TOPICS, type BedsideEvent, type PatientKey } from '../../../../streams/events/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { recordsOf } from '../../../kit/read-topic.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const START = Date.UTC(2030, 0, 7)
const PARTITIONS = 2
let directory: ReturnType<typeof tempDir>
let clock: ManualClock
beforeEach(() => { directory = tempDir(); clock = new ManualClock(START) })
afterEach(() => { directory.remove() })

const shock1 = featureView({ name: 'shock', version: 1, owner: 'o', description: 'd', ttl: '1 h', emit: { every: '1 s' }, features: { index: minus(last('heartRate'), mean('heartRate').over('30 m')) } }) as FeatureView
const shock2 = featureView({ name: 'shock', version: 2, owner: 'o', description: 'd', ttl: '1 h', emit: { every: '1 s' }, features: { index: minus(last('heartRate'), mean('heartRate').over('1 h')), mean: mean('systolic').over('1 h') } }) as FeatureView

interface Running { readonly stores: Stores, readonly set: ViewSet, readonly builds: ViewBuilds, readonly pipeline: Pipeline, readonly said: readonly string[], of (generation: number): RunningProcessor, stop (): Promise<void> }

async function start (own: readonly FeatureView[], mayPublish: 'yes' | 'no' = 'yes'): Promise<Running> {
  const closers = new Closers()
  try {
    const dir = closers.use(openDataDir(directory.path))
    const stores = await openStores(dir, { clock, partitions: PARTITIONS, retentionMs: 0, replay: false }, closers)
    const quiet = (): void => undefined
    const said: string[] = []
    const set = await openViewSet(stores.log, { views: { standard: STANDARD_VIEWS, own }, dependents: [], mayPublish, say: line => { said.push(line) } })
    const pipeline = await openPipeline(stores, { clock, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, sealer: { seal: b => b, open: b => b }, model: 'off', views: set, alerts: {}, driftWindowMs: 60_000, ownsTicks: false }, closers)
    const builds = closers.use(new ViewBuilds({ log: stores.log, set, clock: new ManualClock(START), say: line => { said.push(line) }, onFailure: e => { throw e } }))
    const of = (generation: number): RunningProcessor => pipeline.processors.find(p => p.name === (generation === 0 ? 'latido-features' : `latido-features-${generation}`))!
    return { stores, set, builds, pipeline, said, of, stop: () => closers[Symbol.asyncDispose]() }
  } catch (e) {
    await closers[Symbol.asyncDispose]()
    throw e
  }
}

const drain = async (...processors: readonly RunningProcessor[]): Promise<void> => { for (const processor of processors) while (await processor.step(0) > 0); }
const settle = async (r: Running): Promise<void> => { for (let n = 0; n < 6; n++) { clock.advance(1); for (const p of r.pipeline.processors) await p.step(0) } }
const numerics = (heartRate: number): BedsideEvent => ({
  type: 'observations', kind: 'device', source: 'test',
  observations: ([['heartRate', heartRate], ['systolic', 200 - heartRate]] as const).map(([concept, value]) => ({ concept, value, comparator: '=', eventTime: clock.now(), status: 'final', quality: 'valid', resultId: '' })),
})

async function feed ({ log, codecs }: Stores, patient: string, event: BedsideEvent): Promise<void> {
  const key = Buffer.from(patient)
  clock.advance(700)
  await log.producer().append({ topic: TOPICS.events, partition: partitionFor(key, PARTITIONS) }, [{ key, value: codecs.encode(event) }])
}

async function hour (r: Running, base: number, patients: readonly string[] = ['a', 'b', 'c']): Promise<void> {
  for (let i = 0; i < 60; i++) { clock.advance(50_000); for (const p of patients) await feed(r.stores, p, numerics(base + i % 7 + p.charCodeAt(0) % 5)) }
}

/** What the online store has of a view, by patient. */
async function online ({ stores }: Running, view: FeatureView): Promise<Readonly<Record<string, readonly number[]>>> {
  return Object.fromEntries((await stores.online.scan(`${view.name}@${view.version}`)).map(({ entity, value }) => [entity, [value.readDoubleLE(0), ...unpackVector(value.subarray(8)).values]]))
}

/** The last vector of each patient by one machine over the whole log, as if the view had always been there. */
async function afresh ({ stores: { log, codecs } }: Running, view: FeatureView): Promise<Readonly<Record<string, readonly number[]>>> {
  const newest: Record<string, readonly number[]> = {}
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const machine = new KeyedMachine(featuresMachine([view]))
    for await (const record of recordsOf(log, TOPICS.events, partition)) {
      const decoded = codecs.decode(record)
      if (decoded.kind === 'refused') throw new Error('refused')
      machine.record(record.offset, record.timestamp, patientKeyOf(record), decoded.value, ({ key, out }) => { if (out.type === 'vector') newest[key] = [out.asOf, ...out.values] })
    }
  }
  return newest
}

/** Vectors on the log, by `view@version`. */
async function written ({ stores: { log, codecs, vectors } }: Running): Promise<ReadonlyMap<string, readonly FeatureVector[]>> {
  const found = new Map<string, FeatureVector[]>()
  for await (const { valueBuffer, valueStart, valueEnd } of recordsOf(log, TOPICS.features)) {
    if (codecs.book.nameOf(valueBuffer, valueStart, valueEnd) !== 'latido.FeatureVector') continue
    const vector = vectors.decode(valueBuffer, valueStart, valueEnd)
    found.set(viewKey(vector), [...found.get(viewKey(vector)) ?? [], vector])
  }
  return found
}

const survivor = ['s1', 's2', 's3', 's4', 's5'].find(name => partitionFor(Buffer.from(name), PARTITIONS) !== partitionFor(Buffer.from('loser'), PARTITIONS))!

describe('a new version beside the old one', () => {
  it('is built from the log while the old one goes on, and takes over with the numbers of a fresh replay', async () => {
    const first = await start([shock1])
    await hour(first, 80)
    await settle(first)
    expect(await online(first, shock1)).toEqual(await afresh(first, shock1))
    await first.stop()

    const second = await start([shock2])
    const publishedAt = second.set.published().find(p => p.definition.version === 2 && p.definition.name === 'shock')!.publishedAt
    expect(second.said).toContain('view shock@2 is published; its state is built from the log')
    expect(second.set.aliases.versionOf('shock')).toBe(1)
    await hour(second, 95, ['a', 'b']) // c is silent from here on
    await drain(second.of(0), second.of(1))
    for (let looks = 0; looks < 3; looks++) await second.builds.look()
    expect(second.set.aliases.versionOf('shock')).toBe(1)
    expect((await online(second, shock1))['a']).toEqual((await afresh(second, shock1))['a'])

    await drain(second.of(2))
    await second.builds.look()
    expect(second.set.aliases.versionOf('shock')).toBe(2)
    expect(second.said).toContain('view shock@2 has caught up, and is served as shock')
    expect(await online(second, shock2)).toEqual(await afresh(second, shock2))
    expect(Object.keys(await online(second, shock2)).sort()).toEqual(['a', 'b', 'c'])
    const vectors = await written(second)
    expect(vectors.get('shock@2')!.every(v => v.asOf >= publishedAt)).toBe(true)
    expect(vectors.get('shock@1')!.some(v => v.asOf > publishedAt)).toBe(true)
    await second.stop()

    const third = await start([shock2])
    expect(third.said).toEqual(['view shock@1 is retired'])
    expect(third.set.generations.map(g => g.number)).toEqual([0, 2])
    expect(third.set.aliases.versionOf('shock')).toBe(2)
    await hour(third, 70)
    await settle(third)
    expect(await online(third, shock2)).toEqual(await afresh(third, shock2))
    await third.stop()
    await expect(start([shock1])).rejects.toMatchObject({ code: 'VIEW_RETIRED' })
  })

  it('a build that was cut off goes on at the next start', async () => {
    const first = await start([])
    await hour(first, 80)
    await settle(first)
    await first.stop()
    const second = await start([shock2])
    await second.of(1).step(0)
    await second.stop()
    const third = await start([shock2])
    expect(third.said).toEqual([])
    await hour(third, 90)
    await drain(third.of(1))
    for (let looks = 0; looks < 2; looks++) await third.builds.look()
    expect(third.builds.building).toEqual([])
    expect(await online(third, shock2)).toEqual(await afresh(third, shock2))
    const times = (await written(third)).get('shock@2')!.map(v => `${v.asOf} ${v.values.join()}`)
    expect(new Set(times).size).toBe(times.length) // nothing twice
    await third.stop()
  })

  it('a changed meaning ends the start before anything runs, and names what differs', async () => {
    await (await start([shock1])).stop()
    await expect(start([{ ...shock2, version: 1 }])).rejects.toMatchObject({ code: 'VIEW_CHANGED', message: expect.stringContaining('features that differ: index; features that are new: mean') as string, action: expect.stringContaining('raise its version to 2') as string })
  })

  it('where a start may change nothing, a new view is refused with the command that publishes it', async () => {
    await expect(start([shock1], 'no')).rejects.toMatchObject({ code: 'NOT_PROVISIONED', action: expect.stringContaining('latido features publish') as string })
    await (await start([], 'no')).stop()
  })

  it('patients who are merged are merged in each generation, with its own state, and late records are sent on once', async () => {
    const first = await start([])
    await feed(first.stores, 'loser', numerics(80))
    await settle(first)
    await first.stop()
    const running = await start([shock2])
    expect(partitionFor(Buffer.from('loser'), PARTITIONS)).not.toBe(partitionFor(Buffer.from(survivor), PARTITIONS))
    await feed(running.stores, survivor, numerics(100))
    await settle(running)
    await feed(running.stores, 'loser', { type: 'merge', survivor: survivor as PatientKey, eventTime: START, source: 'test' })
    await settle(running)
    await feed(running.stores, 'loser', numerics(90))
    await settle(running)
    clock.advance(2_000) // so that it speaks at once
    await feed(running.stores, survivor, numerics(110))
    await settle(running)
    const { log, codecs } = running.stores
    const names: string[] = []
    for await (const r of recordsOf(log, TOPICS.events, partitionFor(Buffer.from(survivor), PARTITIONS))) names.push(codecs.book.nameOf(r.valueBuffer, r.valueStart, r.valueEnd)!.slice(7))
    expect(names.filter(name => name !== 'Tick')).toEqual(['Observations', 'Transfer', 'Transfer', 'Observations', 'Observations'])
    expect((await online(running, shock2))[survivor]!.slice(1)).toEqual([110 - (80 + 100 + 90 + 110) / 4, (120 + 100 + 110 + 90) / 4])
    expect(await running.stores.log.range({ topic: TOPICS.deadLetters, partition: 0 })).toMatchObject({ end: 0 })
    await running.stop()
  })
})
