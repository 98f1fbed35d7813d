/**
 * The worker thread that runs the models: `session.run` blocks its thread, so it must not be the engine's. The scorer sends one request at a time
 * and waits for its reply.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { assert, messageOf } from '../../streams/errors/index.ts'
import { loadExplainer, type Explainer } from '../explain/index.ts'
import type { ModelFiles, Reply, Request } from './protocol.ts'

/** More rows at once gain nothing (measured: 32 rows are as fast a row as 128) and would hold memory. */
const RUN_ROWS_MAX = 512

interface Loaded { readonly session: InferenceSession, readonly width: number, explainer (): Promise<Explainer> }

const models = new Map<string, Loaded>()
assert(parentPort !== null, 'the scoring worker runs as a worker thread')
const port = parentPort

function reply (message: Reply, transfer: ArrayBuffer[] = []): void { port.postMessage(message, transfer) }

async function load ({ onnxPath, treesPath, width }: ModelFiles): Promise<Loaded> {
  // One thread each: more spin and make the tail long; scale by workers.
  const session = await InferenceSession.create(onnxPath, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  let explainer: Promise<Explainer> | undefined
  return { session, width, explainer: () => explainer ??= loadExplainer(treesPath) }
}

async function score (model: Loaded, rows: Float32Array): Promise<Float32Array<ArrayBuffer>> {
  const count = rows.length / model.width
  const scores = new Float32Array(count)
  for (let from = 0; from < count; from += RUN_ROWS_MAX) {
    const to = Math.min(count, from + RUN_ROWS_MAX)
    const features = new Tensor('float32', rows.subarray(from * model.width, to * model.width), [to - from, model.width])
    const { score: out } = await model.session.run({ features })
    assert(out !== undefined, 'the model has no output named score')
    scores.set(out.data as Float32Array, from)
  }
  return scores
}

async function answer (request: Exclude<Request, { kind: 'close' }>): Promise<void> {
  const model = models.get(request.model)
  assert(model !== undefined, `the worker has no model ${request.model}`)
  if (request.kind === 'score') {
    const scores = await score(model, request.rows)
    reply({ kind: 'scored', id: request.id, scores }, [scores.buffer])
  } else {
    const explainer = await model.explainer()
    const contributions = Float64Array.from(explainer.explain(request.row).contributions)
    reply({ kind: 'explained', id: request.id, contributions }, [contributions.buffer])
  }
}

async function close (): Promise<void> {
  for (const { session } of models.values()) await session.release()
  port.close()
}

port.on('message', (request: Request) => {
  if (request.kind === 'close') void close()
  else answer(request).catch((e: unknown) => { reply({ kind: 'failed', id: request.id, why: messageOf(e) }) })
})

try {
  for (const files of workerData as readonly ModelFiles[]) models.set(files.name, await load(files))
  reply({ kind: 'ready' })
} catch (e) {
  reply({ kind: 'refused', why: messageOf(e) })
}
