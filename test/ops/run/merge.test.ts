import { afterEach, expect, it } from 'vitest'
import { Closers } from '../../../ops/run/closers.ts'
import { openDataDir } from '../../../ops/run/data-dir.ts'
import { openPipeline } from '../../../ops/run/pipeline.ts'
import { openStores, type Stores } from '../../../ops/run/stores.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import { patientKeyOf, TOPICS, type BedsideEvent, type PatientKey } from '../../../streams/events/index.ts'
import { recordsOf } from '../../kit/read-topic.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { ManualClock } from '../../../streams/time/index.ts'

const START = Date.UTC(2030, 0, 7)
const PARTITIONS = 4
const directory = tempDir()
afterEach(() => { directory.remove() })

async function feed ({ log, codecs }: Stores, patient: string, event: BedsideEvent): Promise<void> {
  const key = Buffer.from(patient)
  await log.producer().append({ topic: TOPICS.events, partition: partitionFor(key, PARTITIONS) }, [{ key, value: codecs.encode(event) }])
}

/** `key Record` of everything on a topic but ticks. */
async function records ({ log, codecs }: Stores, topic: string): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const r of recordsOf(log, topic)) lines.push(`${patientKeyOf(r)} ${codecs.book.nameOf(r.valueBuffer, r.valueStart, r.valueEnd)}`)
  return lines.filter(line => !line.endsWith(' latido.Tick'))
}

const charted = (breaths: number): BedsideEvent => ({
  type: 'observations', kind: 'charted', source: 'test',
  observations: ([['respiratoryRate', breaths], ['spo2', 90], ['heartRate', 124], ['systolic', 96], ['temperature', 38.6]] as const).map(([concept, value]) => ({ concept, value, comparator: '=', eventTime: START, status: 'final', quality: 'valid', resultId: `${breaths}|${concept}` })),
})
const admit = (bed: string): BedsideEvent => ({ type: 'encounter', action: 'admit', eventTime: START, source: 'test', ward: 'W', bed, ageYears: 60, sex: 'female', hoursSinceHospitalAdmission: -1 })

it('moves a patient to another through the whole pipeline: series, bed, alerts, late records; nothing is refused', async () => {
  await using closers = new Closers()
  const clock = new ManualClock(START)
  const dir = closers.use(openDataDir(directory.path))
  const stores = await openStores(dir, { clock, partitions: PARTITIONS, retentionMs: 0, replay: false }, closers)
  const quiet = (): void => undefined
  const pipeline = await openPipeline(stores, { clock, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, sealer: { seal: b => b, open: b => b }, model: 'off', alerts: {}, driftWindowMs: 60_000, ownsTicks: false }, closers)
  const settle = async (): Promise<void> => { for (let n = 0; n < 6; n++) for (const processor of pipeline.processors) { clock.advance(1); await processor.step(0) } }
  const [loser, survivor] = ['loser', 'survivor-2'] as const
  expect(partitionFor(Buffer.from(loser), PARTITIONS)).not.toBe(partitionFor(Buffer.from(survivor), PARTITIONS))

  await feed(stores, loser, admit('1'))
  await feed(stores, loser, charted(27))
  await feed(stores, survivor, admit('2'))
  await settle()
  const alertsOf = async (patient: string): Promise<readonly { rule: string }[]> => JSON.parse(((await stores.online.get(['alerts'], [patient]))[0]![0]?.value ?? '[]').toString()) as { rule: string }[]
  expect((await alertsOf(loser)).map(a => a.rule)).toEqual(['news2-emergency'])

  await feed(stores, loser, { type: 'merge', survivor: survivor as PatientKey, eventTime: START, source: 'test' })
  await settle()
  await feed(stores, loser, charted(28)) // late, under the old name
  await settle()
  await settle()

  expect(await alertsOf(loser)).toEqual([])
  expect((await alertsOf(survivor)).map(a => a.rule)).toEqual(['news2-emergency'])
  const stays = (await stores.online.get(['encounters'], [loser, survivor])).map(([row]) => row)
  expect(stays.map(row => { const { action, bed } = JSON.parse(row!.value.toString()) as { action: string, bed: string }; return `${action} ${bed}` })).toEqual(['discharge 1', 'update 2'])
  expect((await records(stores, TOPICS.events)).filter(line => line.startsWith(survivor))).toEqual([`${survivor} latido.Encounter`, `${survivor} latido.Transfer`, `${survivor} latido.Observations`])
  expect((await records(stores, TOPICS.features)).filter(line => /Transfer|Merge/.test(line))).toEqual([`${loser} latido.Merge`])
  expect(await records(stores, TOPICS.deadLetters)).toEqual([])

  await feed(stores, survivor, { type: 'merge', survivor: survivor as PatientKey, eventTime: START, source: 'test' })
  await settle()
  expect(await records(stores, TOPICS.deadLetters)).toEqual([' latido.DeadLetter'])
})
