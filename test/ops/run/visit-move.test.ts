import { afterEach, expect, it } from 'vitest'
import { Closers } from '../../../ops/run/closers.ts'
import { openDataDir } from '../../../ops/run/data-dir.ts'
import { offlineDecode, OFFLINE_TOPICS } from '../../../ops/run/offline/offline-decode.ts'
import { openPipeline, type Pipeline } from '../../../ops/run/pipeline.ts'
import { openStores, type Stores } from '../../../ops/run/stores.ts'
import { OfflineBatchBuilder } from '../../../features/offline/batch.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import { TOPICS, type BedsideEvent, type EncounterEvent, type PatientKey } from '../../../streams/events/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { ManualClock } from '../../../streams/time/index.ts'

const START = Date.UTC(2030, 0, 7)
const PARTITIONS = 4
const directory = tempDir()
afterEach(() => { directory.remove() })

const [WRONG, RIGHT] = ['loser', 'survivor-2'] as const
const stay = (action: EncounterEvent['action'], more: Partial<EncounterEvent> = {}): EncounterEvent => ({ type: 'encounter', action, eventTime: START, source: 'hl7:his', ward: '', bed: '', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1, ...more })
const charted = (breaths: number): BedsideEvent => ({
  type: 'observations', kind: 'charted', source: 'test',
  observations: ([['respiratoryRate', breaths], ['spo2', 90], ['heartRate', 124], ['systolic', 96], ['temperature', 38.6]] as const).map(([concept, value]) => ({ concept, value, comparator: '=', eventTime: START, status: 'final', quality: 'valid', resultId: `${breaths}|${concept}` })),
})

interface Instance extends AsyncDisposable { readonly stores: Stores, readonly applied: ReadonlyMap<string, number>, settle (): Promise<void>, feed (patient: string, event: BedsideEvent): Promise<void> }

async function start (clock: ManualClock): Promise<Instance> {
  const closers = new Closers()
  const stores = await openStores(closers.use(openDataDir(directory.path)), { clock, partitions: PARTITIONS, retentionMs: 0, replay: false }, closers)
  const quiet = (): void => undefined
  const applied = new Map<string, number>()
  const pipeline: Pipeline = await openPipeline(stores, { clock, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, sealer: { seal: b => b, open: b => b }, model: 'off', alerts: {}, driftWindowMs: 60_000, ownsTicks: false, onApplied: what => { applied.set(what, (applied.get(what) ?? 0) + 1) } }, closers)
  return {
    stores, applied,
    settle: async () => { for (let n = 0; n < 6; n++) for (const processor of pipeline.processors) { clock.advance(1); await processor.step(0) } },
    feed: async (patient, event) => { const key = Buffer.from(patient); await stores.log.producer().append({ topic: TOPICS.events, partition: partitionFor(key, PARTITIONS) }, [{ key, value: stores.codecs.encode(event) }]) },
    [Symbol.asyncDispose]: () => closers[Symbol.asyncDispose](),
  }
}

async function rulesOf ({ stores }: Instance, patient: string): Promise<readonly string[]> {
  const [[row]] = await stores.online.get(['alerts'], [patient]) as [[{ value: Buffer } | undefined]]
  return (JSON.parse((row?.value ?? '[]').toString()) as { rule: string }[]).map(one => one.rule)
}

async function bedOf ({ stores }: Instance, patient: string): Promise<string> {
  const [[row]] = await stores.online.get(['encounters'], [patient]) as [[{ value: Buffer } | undefined]]
  if (row === undefined) return 'never seen'
  const { action, bed, eventTime } = JSON.parse(row.value.toString()) as EncounterEvent
  return `${action} ${bed} since ${eventTime - START}`
}

/** What the offline store is told of stays. */
async function toldOffline ({ stores }: Instance): Promise<readonly string[]> {
  const decode = offlineDecode(stores.codecs, stores.vectors, stores.inference)
  const batch = new OfflineBatchBuilder()
  for (const topic of OFFLINE_TOPICS) {
    for (let partition = 0; partition < stores.log.partitionsOf(topic); partition++) {
      const reader = stores.log.reader({ topic, partition }, 0)
      for (let run = await reader.next(); run !== undefined; run = await reader.next()) while (run.records.next()) decode(topic, partition, run.records, batch)
    }
  }
  return batch.encounters.filter(({ event }) => event.action !== 'update').map(({ patient, event }) => `${patient} ${event.action} ${event.bed}`).toSorted()
}

it('moves a visit through the whole pipeline and over a restart: bed, alerts, late records; readings stay and are counted; nothing is refused', async () => {
  const clock = new ManualClock(START)
  expect(partitionFor(Buffer.from(WRONG), PARTITIONS)).not.toBe(partitionFor(Buffer.from(RIGHT), PARTITIONS))
  {
    await using before = await start(clock)
    await before.feed(WRONG, stay('admit', { ward: 'W', bed: '1', visit: 'V', ageYears: 60 }))
    await before.feed(WRONG, charted(27))
    await before.settle()
    expect(await rulesOf(before, WRONG)).toEqual(['news2-emergency'])
    await before.feed(WRONG, stay('update', { visit: 'V', movedTo: RIGHT as PatientKey }))
  } // it stops before anybody has read the move
  await using after = await start(clock)
  await after.settle()
  expect([await bedOf(after, WRONG), await bedOf(after, RIGHT)]).toEqual([expect.stringMatching(/^discharge 1/), 'admit 1 since 0'])
  expect([await rulesOf(after, WRONG), await rulesOf(after, RIGHT)]).toEqual([[], []])
  expect(after.applied.get('left-behind')).toBe(5)

  await after.feed(WRONG, charted(29)) // late, under the old name: it alerts nobody
  await after.feed(RIGHT, charted(28))
  await after.settle()
  expect([await rulesOf(after, WRONG), await rulesOf(after, RIGHT)]).toEqual([[], ['news2-emergency']])

  await after.feed(WRONG, stay('transfer', { ward: 'W', bed: '2', visit: 'V' })) // another instance took it, which never saw the move
  await after.settle()
  await after.settle()
  expect(await bedOf(after, RIGHT)).toBe('transfer 2 since 0')
  expect(await bedOf(after, WRONG)).toMatch(/^discharge 1/)
  expect(await toldOffline(after)).toEqual([`${WRONG} admit 1`, `${WRONG} discharge 1`, `${WRONG} transfer 2`, `${RIGHT} admit 1`, `${RIGHT} transfer 2`])
  expect(await after.stores.log.range({ topic: TOPICS.deadLetters, partition: 0 })).toMatchObject({ start: 0, end: 0 })
})
