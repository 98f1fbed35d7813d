import v8 from 'node:v8'
import vm from 'node:vm'
import { featuresMachine } from '../../../features/compute/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { deviceSet, labSet, START_MS } from '../device-set.ts'

const LAB_EVERY_S = 7_200

/** Bytes of the snapshots of three patients: six numerics at 1 Hz for so many hours, a laboratory panel each two hours. */
export function encodedBytes (hours: number, say: (line: string) => void): readonly number[] {
  say(`three patients for ${hours} hours`)
  const machine = new KeyedMachine(featuresMachine(STANDARD_VIEWS))
  const keys = ['a', 'b', 'c']
  feed(machine, keys, hours * 3_600, 1)
  return keys.map(key => featuresMachine(STANDARD_VIEWS).codec.encode(machine.state(key)!).length)
}

/** Bytes of memory a patient, over so many: a day of numerics (every second minute: the rings are as full as at 1 Hz) and twelve panels. */
export function heapBytes (patients: number, say: (line: string) => void): number {
  say(`${patients} patients for a day`)
  v8.setFlagsFromString('--expose_gc')
  const collect = vm.runInNewContext('gc') as () => void
  const used = (): number => { collect(); collect(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external }
  const machine = new KeyedMachine(featuresMachine(STANDARD_VIEWS))
  const before = used()
  feed(machine, Array.from({ length: patients }, (_, i) => `patient-${i}`), 86_400, 120)
  const after = used()
  if (machine.keys !== patients) throw new Error('patients are missing')
  return (after - before) / patients
}

function feed<State, Out> (machine: KeyedMachine<State, ReturnType<typeof deviceSet>, Out>, keys: readonly string[], seconds: number, every: number): void {
  const random = new SeededRandom(2)
  let offset = 0
  for (let second = 0; second < seconds; second += every) {
    const at = START_MS + second * 1_000
    for (const key of keys) {
      machine.record(offset++, at, key, deviceSet(random, at), () => {})
      if (second % LAB_EVERY_S === 0) machine.record(offset++, at, key, labSet(random, at), () => {})
    }
  }
}
