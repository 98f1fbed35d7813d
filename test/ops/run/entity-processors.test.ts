import { expect, it } from 'vitest'
import { featuresMachine } from '../../../features/compute/index.ts'
import { count, featureView, last, mean, patients, type FeatureView } from '../../../features/define/index.ts'
import { featuresProcessor } from '../../../features/processor.ts'
import { readView } from '../../../features/serving/index.ts'
import type { FeatureVector } from '../../../features/vector.ts'
import { Closers } from '../../../ops/run/closers.ts'
import { openDataDir } from '../../../ops/run/data-dir.ts'
import { startEntityProcessors } from '../../../ops/run/entity-processors.ts'
import { openStores, type Stores } from '../../../ops/run/stores.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import { KeyedMachine, startProcessor, type Processor, type RunningProcessor } from '../../../streams/engine/index.ts'
import { TOPICS, type BedsideEvent, type EncounterAction, type PatientKey } from '../../../streams/events/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const START = Date.UTC(2030, 0, 7)
const spec = { version: 1, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '1 s' } } as const
const heart = { pulse: last('heartRate'), pulseMean5m: mean('heartRate').over('5 m'), readings5m: count('heartRate').over('5 m') }
const patientView: FeatureView = featureView({ ...spec, name: 'pulse', features: heart })
const deviceView: FeatureView = featureView({ ...spec, name: 'monitor', entity: 'device', features: heart })
const encounterView: FeatureView = featureView({ ...spec, name: 'stay', entity: 'encounter', features: heart })
const wardView: FeatureView = featureView({ ...spec, name: 'acuity', entity: 'ward', features: { patients: patients.count(patientView, 'pulse'), pulseMean: patients.mean(patientView, 'pulse') } })
const bedView: FeatureView = featureView({ ...spec, name: 'bedside', entity: 'bed', features: { pulse: patients.max(patientView, 'pulse') } })

interface Sent { readonly key: string, readonly at: number, readonly event: BedsideEvent }

const encounter = (action: EncounterAction, at: number, ward: string, bed: string): BedsideEvent => ({ type: 'encounter', action, eventTime: at, source: 'test', ward, bed, ageYears: 50, sex: 'female', hoursSinceHospitalAdmission: -1 })
const reading = (at: number, monitor: number, value: number): BedsideEvent => ({ type: 'observations', kind: 'device', source: `mqtt:monitor-${monitor}`, observations: [{ concept: 'heartRate', value, comparator: '=', eventTime: at, status: 'final', quality: 'valid', resultId: '' }] })

/** Four patients; monitors go from one to another; one patient is discharged and comes again. */
function story (): readonly Sent[] {
  const random = new SeededRandom(5)
  const sent: Sent[] = []
  let at = START
  for (let i = 0; i < 4; i++) sent.push({ key: `p${i}`, at, event: encounter('admit', at, i < 3 ? 'W' : 'X', String(i)) })
  for (let i = 0; i < 120; i++) {
    at += 1_000
    const patient = random.below(4)
    sent.push({ key: `p${patient}`, at, event: reading(at, (patient + (i < 60 ? 0 : 1)) % 4, 60 + random.below(40)) })
    if (i === 45) sent.push({ key: 'p0', at, event: encounter('discharge', at, 'W', '0') })
    if (i === 75) sent.push({ key: 'p0', at, event: encounter('admit', at, 'X', '9') })
  }
  return sent
}

/** One record after the other, each through all processors: partitions do not run ahead of each other, as they do not in life. */
async function run ({ log, codecs }: Stores, processors: readonly RunningProcessor[], sent: readonly Sent[]): Promise<void> {
  await using producer = log.producer()
  for (const { key, at, event } of sent) {
    const to = { topic: TOPICS.events, partition: partitionFor(Buffer.from(key), log.partitionsOf(TOPICS.events)) }
    await producer.append(to, [{ key: Buffer.from(key), value: codecs.encode(event), timestamp: at }])
    for (const processor of processors) while (await processor.step(0) > 0);
  }
}

/** What one machine says of the events that are a key's, in their order. */
function lastAlone (view: FeatureView, events: readonly Sent[]): FeatureVector {
  const machine = new KeyedMachine(featuresMachine([view]))
  let said: FeatureVector | undefined
  events.forEach(({ at, event }, i) => { machine.record(i, at, 'k', event, ({ out }) => { if (out.type === 'vector') said = out }) })
  return said!
}

it('computes views of wards, beds, devices and encounters beside those of patients', async () => {
  await using closers = new Closers()
  const directory = tempDir()
  const clock = new ManualClock(START)
  const stores = await openStores(closers.use(openDataDir(directory.path)), { clock, partitions: 3, retentionMs: 0, replay: true }, closers)
  const deadLetter = (): never => { throw new Error('refused') }
  const start = async <S, I, O>(processor: Processor<S, I, O>): Promise<RunningProcessor> => closers.use(await startProcessor(processor, { log: stores.log, clock, snapshots: stores.snapshots }))
  const views = [deviceView, encounterView, wardView, bedView]
  const processors = [
    await start(await featuresProcessor({ views: [patientView], codecs: stores.codecs, vectors: stores.vectors, online: stores.online, deadLetter, ownsTicks: false })),
    ...await startEntityProcessors(stores, { views, patientViews: [patientView] }, deadLetter, start),
  ]
  expect(processors.map(p => p.name)).toEqual(['latido-features', 'latido-members', 'latido-groups', 'latido-rekey', 'latido-device-features', 'latido-encounter-features'])
  const sent = story()
  for (const processor of processors) await processor.step(0) // partitions are assigned
  await run(stores, processors, sent)

  const now = sent.at(-1)!.at
  const read = async (view: FeatureView, entity: string): Promise<readonly (number | null)[]> => (await readView(stores.online, view, [entity as PatientKey], now))[0]!.features.map(f => f.value)
  const plain = (vector: FeatureVector): readonly (number | null)[] => [...vector.values].map(v => Number.isNaN(v) ? null : v)

  for (let monitor = 0; monitor < 4; monitor++) {
    const mine = sent.filter(({ event }) => event.type === 'observations' && event.source === `mqtt:monitor-${monitor}`)
    expect(await read(deviceView, `mqtt:monitor-${monitor}`), `monitor ${monitor}`).toEqual(plain(lastAlone(deviceView, mine)))
  }
  const again = sent.findIndex(({ key, event }, i) => i > 10 && key === 'p0' && event.type === 'encounter' && event.action === 'admit')
  const ofP0 = sent.filter(({ key }) => key === 'p0')
  const second = sent[again]!
  const split = ofP0.indexOf(second)
  expect(await read(encounterView, `p0.${START}`)).toEqual(plain(lastAlone(encounterView, ofP0.slice(0, split))))
  expect(await read(encounterView, `p0.${second.at}`)).toEqual(plain(lastAlone(encounterView, ofP0.slice(split))))

  const pulses = await Promise.all([0, 1, 2, 3].map(async i => (await read(patientView, `p${i}`))[0]!))
  expect(await read(wardView, 'W')).toEqual([2, (pulses[1]! + pulses[2]!) / 2])
  expect(await read(wardView, 'X')).toEqual([2, (pulses[0]! + pulses[3]!) / 2])
  expect([await read(bedView, 'W/0'), await read(bedView, 'X/9'), await read(bedView, 'W/1')]).toEqual([[null], [pulses[0]], [pulses[1]]])
})
