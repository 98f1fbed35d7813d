import { avroTopic, defineProcessor, fields, type DefinedProcessor } from '../../../streams/processors/index.ts'
import { count, hopping, last, max, mean, min, populationDeviation } from '../../../streams/windows/index.ts'

export const OBSERVATION = {
  type: 'record', name: 'Observation', fields: [
    { name: 'patientId', type: 'string' }, { name: 'code', type: 'string' }, { name: 'value', type: 'double' },
    { name: 'unit', type: 'string' }, { name: 'eventTime', type: 'long' }, { name: 'source', type: 'string' },
  ],
} as const

export type Window = 'hop' | 'tumble'

/** The workload of the benchmark, as anybody would write it. */
export function vitals (name: string, input: string, output: string, window: Window): DefinedProcessor {
  return defineProcessor({
    name,
    input: avroTopic(input, OBSERVATION),
    key: fields('patientId', 'code'),
    machine: hopping({ size: '60 s', every: window === 'hop' ? '10 s' : '60 s', grace: '10 s' })
      .eventTime('eventTime').of('value')
      .aggregate({ n: count(), mean: mean(), min: min(), max: max(), sd: populationDeviation(), last: last() })
      .onClose(),
    output: { topic: output, json: { p: 'key.patientId', c: 'key.code', ws: 'start', n: 'value.n', mean: 'value.mean', min: 'value.min', max: 'value.max', sd: 'value.sd', last: 'value.last' } },
  })
}
