import avro from 'avsc'
import { compileEncoder, compileFlyweight, KeyInterner, StringInterner } from '../../streams/codec/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import type { Benchmark, Measure } from './measure.ts'

const EVENT = {
  type: 'record', name: 'Observations', fields: [
    { name: 'kind', type: 'int' }, { name: 'source', type: 'string' },
    {
      name: 'observations', type: {
        type: 'array', items: {
          type: 'record', name: 'Observation', fields: [
            { name: 'concept', type: 'string' }, { name: 'value', type: 'double' }, { name: 'comparator', type: 'int' }, { name: 'eventTime', type: 'long' },
            { name: 'status', type: 'int' }, { name: 'quality', type: 'int' }, { name: 'resultId', type: 'string' },
          ],
        },
      },
    },
  ],
} as const
const NAMES = ['heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure']
const VALUES = 1_000
const START_MS = Date.UTC(2026, 0, 5)

interface Told { readonly kind: number, readonly source: string, readonly observations: readonly { readonly concept: string, readonly value: number, readonly comparator: number, readonly eventTime: number, readonly status: number, readonly quality: number, readonly resultId: string }[] }
/** Values one behind the other in one buffer, as a batch has them. */
interface Stream { readonly buffer: Buffer, readonly starts: Int32Array }

const type = avro.Type.forSchema(JSON.parse(JSON.stringify(EVENT)) as avro.Schema)

function told (i: number, observations: number): Told {
  return { kind: 0, source: `mqtt:monitor-${i % 30}`, observations: NAMES.slice(0, observations).map((concept, j) => ({ concept, value: 80 + i % 10 + j / 3, comparator: 0, eventTime: START_MS + i * 1_000, status: 1, quality: 0, resultId: '' })) }
}

function streamOf (values: readonly Buffer[]): Stream {
  const starts = new Int32Array(values.length + 1)
  values.forEach((value, i) => { starts[i + 1] = starts[i]! + value.length })
  return { buffer: Buffer.concat(values), starts }
}

/** What comes out is added up, so that nothing is left out as unused. */
let used = 0

/** Nanoseconds a value, after a turn to warm up. */
function timed (name: string, runs: number, seconds: number, values: number, one: (i: number) => number): Measure {
  const turn = (ms: number): number => {
    const startedMs = systemClock.monotonicMs()
    let turns = 0
    while (systemClock.monotonicMs() - startedMs < ms) {
      for (let i = 0; i < values; i++) used += one(i)
      turns++
    }
    return (systemClock.monotonicMs() - startedMs) * 1e6 / (turns * values)
  }
  turn(seconds * 250)
  return { name, unit: 'ns', values: Array.from({ length: runs }, () => turn(seconds * 1_000)) }
}

/** Avro by position against Avro by objects: an event of one and of six observations, both ways; and what interning costs. */
export const codec: Benchmark = {
  summary: 'Avro by position and by objects; interning',
  run: ({ seconds = 1, runs = 3, say }) => {
    const measures: Measure[] = []
    const measure = (name: string, one: (i: number) => number): void => { measures.push(timed(name, runs, seconds, VALUES, one)) }
    for (const n of [1, 6]) {
      const values = Array.from({ length: VALUES }, (_, i) => told(i, n))
      const { buffer, starts } = streamOf(values.map(v => type.toBuffer(v)))
      const what = `event of ${n}`
      say(what)
      measure(`${what}, decode, avsc`, i => (type.decode(buffer, starts[i]!) as { readonly value: Told }).value.observations.length)
      measure(`${what}, decode, flyweight`, flyweightReader(buffer, starts))
      measure(`${what}, encode, avsc`, i => type.toBuffer(values[i]!).length)
      measure(`${what}, encode, by position`, positionalWriter(values))
    }
    return Promise.resolve([...measures, ...interning(runs, seconds)])
  },
}

/** Everything that the event says, its strings interned. */
function flyweightReader (buffer: Buffer, starts: Int32Array): (i: number) => number {
  const laid = new (compileFlyweight(EVENT))()
  const concepts = new StringInterner()
  const sources = new StringInterner()
  return i => {
    laid.over(buffer, starts[i]!, starts[i + 1]!)
    let sum = sources.of(buffer, laid.sourceStart, laid.sourceEnd).length + laid.kind
    const items = laid.observations
    while (items.next()) sum += items.value + items.eventTime + items.status + concepts.of(buffer, items.conceptStart, items.conceptEnd).length
    return sum
  }
}

function positionalWriter (values: readonly Told[]): (i: number) => number {
  const encoder = new (compileEncoder(EVENT))()
  return i => {
    const { kind, source, observations } = values[i]!
    const items = encoder.begin(1).kind(kind).source(source).observations(observations.length)
    for (const o of observations) items.item().concept(o.concept).value(o.value).comparator(o.comparator).eventTime(o.eventTime).status(o.status).quality(o.quality).resultId(o.resultId)
    return encoder.finish()
  }
}

function interning (runs: number, seconds: number): readonly Measure[] {
  const { buffer, starts } = streamOf(Array.from({ length: VALUES }, (_, i) => Buffer.from((i * 2_654_435_761 % 2 ** 32).toString(16).padStart(32, '7'))))
  const keys = new KeyInterner()
  const strings = new StringInterner('latin1')
  return [
    timed('key of 32 bytes, decoded', runs, seconds, VALUES, i => buffer.toString('latin1', starts[i]!, starts[i + 1]!).length),
    timed('key of 32 bytes, interned', runs, seconds, VALUES, i => keys.intern(buffer, starts[i]!, starts[i + 1]!)),
    timed('key of 32 bytes, its string interned', runs, seconds, VALUES, i => strings.of(buffer, starts[i]!, starts[i + 1]!).length),
  ]
}
