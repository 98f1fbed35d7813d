import type { StateMachine } from '../../../streams/engine/index.ts'
import type { FlyweightOf } from '../../../streams/codec/index.ts'
import { avroTopic, defineProcessor, fields, type DefinedProcessor } from '../../../streams/processors/index.ts'
import { OBSERVATION } from './processor.ts'

/** Upper limits by LOINC code, of the shared workload; not clinical ones. */
const LIMITS: Readonly<Record<string, number>> = { '8867-4': 100, '9279-1': 20, '59408-5': 98.5, '8480-6': 143, '8462-4': 89, '8310-5': 37.6 }

interface Crossing { readonly t: number, readonly code: string, readonly value: number }
interface Before { value: number }

/** Says each time that a series goes over its limit. */
const crossings: StateMachine<Before, FlyweightOf<typeof OBSERVATION>, Crossing> = {
  name: 'crossings',
  empty: () => ({ value: Number.NEGATIVE_INFINITY }),
  step: (before, input, emit) => {
    if (input.kind === 'tick') return
    const { code, value, eventTime } = input.value
    const limit = LIMITS[code] ?? Number.POSITIVE_INFINITY
    if (value > limit && before.value <= limit) emit({ t: eventTime, code, value })
    before.value = value
  },
  nextDue: () => undefined,
  codec: {
    version: 1,
    encode: ({ value }) => { const bytes = Buffer.allocUnsafe(8); bytes.writeDoubleLE(value); return bytes },
    decode: bytes => ({ value: bytes.readDoubleLE() }),
  },
}

/** An alert at each upward crossing, with the time of the reading: what latency is measured by. */
export function alerts (name: string, input: string, output: string): DefinedProcessor {
  return defineProcessor({ name, input: avroTopic(input, OBSERVATION), key: fields('patientId', 'code'), machine: crossings, output: { topic: output } })
}
