import { featuresMachine } from '../../features/compute/index.ts'
import { STANDARD_VIEWS } from '../../features/views/index.ts'
import { KeyedMachine } from '../../streams/engine/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { SeededRandom } from '../kit/random.ts'
import { deviceSet, labSet, NUMERICS, PATIENTS, START_MS } from './device-set.ts'
import type { Benchmark, Measure } from './measure.ts'
import { bytesPerRecord, openStreamWork, recordsPerSecond, type StreamWork } from './stream-work.ts'

const STATE_PATIENTS = 3
const STATE_HOURS = 24
/** The pure part of the engine with the standard views: six numerics a record, one record a patient a second; and the state that a day of it leaves. */
export const engine: Benchmark = {
  summary: 'features machine: records a second, and bytes of state a patient',
  run: async ({ seconds = 5, runs = 3, say }) => {
    const rates: number[] = []
    for (let run = 0; run < runs; run++) rates.push(rate(seconds))
    const hours = seconds < 1 ? 0.1 : STATE_HOURS
    say(`${STATE_PATIENTS} patients for ${hours} hours of records`)
    return [
      { name: 'engine, standard views, six numerics a record', unit: 'records/s', values: rates },
      { name: 'engine, the same', unit: 'observations/s', values: rates.map(r => r * NUMERICS.length) },
      ...await throughProcessors(seconds, runs, say),
      { name: `state a patient after ${hours} h at 1 Hz`, unit: 'bytes', values: stateBytes(hours), target: '65536' },
    ]
  },
}

/** From bytes to bytes: decode, step, effects without a store, encode. A pass over the input is as long as it is. */
async function throughProcessors (seconds: number, runs: number, say: (line: string) => void): Promise<readonly Measure[]> {
  const work = await openStreamWork(Math.max(10, Math.round(seconds * 30)))
  const measured: Measure[] = []
  const measure = async (name: string, of: StreamWork): Promise<void> => {
    say(`${name}: ${of.records} records a pass`)
    await of.run() // warms up
    const rates: number[] = []
    for (let run = 0; run < runs; run++) rates.push(await recordsPerSecond(of))
    measured.push({ name: `${name}, bytes to bytes`, unit: 'records/s', values: rates }, { name: `${name}, JavaScript heap a record`, unit: 'bytes', values: [await bytesPerRecord(of)] })
  }
  await measure('features, six numerics a record', work.features)
  await measure('inference, vectors', await work.inference())
  return measured
}

function rate (seconds: number): number {
  const machine = new KeyedMachine(featuresMachine(STANDARD_VIEWS))
  const random = new SeededRandom(1)
  const keys = Array.from({ length: PATIENTS }, (_, i) => `patient-${i}`)
  const startedMs = systemClock.monotonicMs()
  let records = 0
  let outputs = 0
  for (let second = 0; systemClock.monotonicMs() - startedMs < seconds * 1_000; second++) {
    for (const key of keys) machine.record(records++, START_MS + second * 1_000, key, deviceSet(random, START_MS + second * 1_000), () => { outputs++ })
  }
  if (outputs === 0) throw new Error('no vector came out')
  return records / (systemClock.monotonicMs() - startedMs) * 1_000
}

/** Six numerics at 1 Hz, a laboratory panel each two hours, for so many hours. */
function stateBytes (hours: number): readonly number[] {
  const definition = featuresMachine(STANDARD_VIEWS)
  const machine = new KeyedMachine(definition)
  const random = new SeededRandom(2)
  const keys = Array.from({ length: STATE_PATIENTS }, (_, i) => `patient-${i}`)
  let offset = 0
  for (let second = 0; second < hours * 3_600; second++) {
    const at = START_MS + second * 1_000
    for (const key of keys) {
      machine.record(offset++, at, key, deviceSet(random, at), () => undefined)
      if (second % 7_200 === 0) machine.record(offset++, at, key, labSet(random, at), () => undefined)
    }
  }
  return keys.map(key => definition.codec.encode(machine.state(key)!).length)
}
