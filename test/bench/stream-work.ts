import { Session } from 'node:inspector'
import { featuresProcessor } from '../../features/processor.ts'
import { openVectorCodec } from '../../features/vector-codec.ts'
import type { OnlineStore } from '../../features/online/index.ts'
import { STANDARD_VIEWS } from '../../features/views/index.ts'
import { ALERT_DEFAULTS } from '../../inference/alerts/index.ts'
import { openInferenceCodecs } from '../../inference/codecs.ts'
import { inferenceProcessor } from '../../inference/processors.ts'
import type { ServingModel } from '../../inference/scoring/score-batch.ts'
import { BatchBuilder, BatchCursor } from '../../streams/codec/index.ts'
import { keyedProcessor, type Processor, type ProcessorDefinition } from '../../streams/engine/index.ts'
import { openEventCodecs, SchemaBook, TOPICS } from '../../streams/events/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { SeededRandom } from '../kit/random.ts'
import { deviceSet, PATIENTS, START_MS } from './device-set.ts'

/** A processor with its input, as bytes: what the loop does with each batch, without the log and the stores behind it. */
export interface StreamWork { readonly records: number, run (): Promise<readonly Buffer[]> }

const NOWHERE: OnlineStore = {
  put: () => Promise.resolve(), get: (tables, entities) => Promise.resolve(entities.map(() => tables.map(() => undefined))), scan: () => Promise.resolve([]), erase: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve(),
}

/** So many seconds of all patients through features and inference; the vectors of the first are the input of the second. */
export async function openStreamWork (seconds: number): Promise<{ readonly features: StreamWork, readonly inference: () => Promise<StreamWork> }> {
  const book = await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } })
  const codecs = await openEventCodecs(book)
  const vectors = await openVectorCodec(book, TOPICS.features)
  const parts = { codecs, vectors, inference: await openInferenceCodecs(book), online: NOWHERE, deadLetter: () => { throw new Error('a record was refused') } }
  const random = new SeededRandom(1)
  const keys = Array.from({ length: PATIENTS }, (_, i) => Buffer.from((i * 2_654_435_761 % 2 ** 32).toString(16).padStart(32, 'a')))
  const batches = Array.from({ length: seconds }, (_, second) => {
    const at = START_MS + second * 1_000
    return built(builder => { for (const key of keys) builder.append(at, key, codecs.encode(deviceSet(random, at))) }, second * PATIENTS)
  })
  const features = await featuresProcessor({ ...parts, views: STANDARD_VIEWS, ownsTicks: true })
  const work = workOf(features, batches, seconds * PATIENTS)
  return {
    features: work,
    inference: async () => {
      const made = await work.run()
      const records = made.reduce((n, batch) => n + batch.readInt32BE(57), 0)
      const namesOf = (name: string): readonly string[] | undefined => STANDARD_VIEWS.find(v => v.name === name)?.names
      return workOf(await inferenceProcessor(parts, { models: [flatModel()], alerts: ALERT_DEFAULTS, namesOf }), made, records)
    },
  }
}

/** A model that costs nothing: what is measured is how its rows are made. */
function flatModel (): ServingModel {
  const view = STANDARD_VIEWS.find(v => v.name === 'sepsis')!
  return { name: 'flat', version: '1', view: view.name, viewVersion: view.version, features: view.names, explainFrom: 2, score: (rows, width) => Promise.resolve(new Float64Array(rows.length / width)), explain: () => Promise.resolve([]) }
}

function workOf<State, In, Out> (processor: Processor<State, In, Out>, batches: readonly Buffer[], records: number): StreamWork {
  return { records, run: async () => await pass(keyedProcessor(processor), processor.input, batches) }
}

/** One pass over the whole input with fresh state: prepare, step, effects, outputs; answers the batches of outputs. */
async function pass (definition: ProcessorDefinition, topic: string, batches: readonly Buffer[]): Promise<readonly Buffer[]> {
  const program = definition.program(0, new Set())
  const made: Buffer[] = []
  let offset = 0
  const builder = new BatchBuilder()
  const out = (): BatchBuilder => builder
  for (const batch of batches) {
    const opened = program.open({ topic, partition: 0, records: new BatchCursor([batch], 0), nextOffset: -1 }, Number.MAX_SAFE_INTEGER)
    await definition.prepare?.([opened])
    for (let wait = opened.step(out); wait !== undefined; wait = opened.step(out)) await wait
    await opened.effects?.()
    opened.write(out)
    if (builder.count === 0) continue
    made.push(builder.finish(offset, -1))
    offset += builder.count
    builder.reset()
  }
  return made
}

function built (fill: (builder: BatchBuilder) => void, baseOffset: number): Buffer {
  const builder = new BatchBuilder()
  fill(builder)
  return builder.finish(baseOffset, -1)
}

export async function recordsPerSecond (work: StreamWork): Promise<number> {
  const startedMs = systemClock.monotonicMs()
  await work.run()
  return work.records / (systemClock.monotonicMs() - startedMs) * 1_000
}

interface ProfileNode { readonly selfSize: number, readonly children: readonly ProfileNode[] }

/** Bytes of the JavaScript heap that a record costs, by V8's allocation sampler; an estimate to a few per cent. */
export async function bytesPerRecord (work: StreamWork): Promise<number> {
  const session = new Session()
  session.connect()
  const post = async (method: string, parameters: object = {}): Promise<unknown> => await new Promise((resolve, reject) => { session.post(method, parameters, (e, answer) => { if (e === null) resolve(answer); else reject(e) }) })
  await post('HeapProfiler.startSampling', { samplingInterval: 16_384, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true })
  await work.run()
  const { profile } = await post('HeapProfiler.stopSampling') as { readonly profile: { readonly head: ProfileNode } }
  session.disconnect()
  const sum = (node: ProfileNode): number => node.selfSize + node.children.reduce((n, child) => n + sum(child), 0)
  return sum(profile.head) / work.records
}
