import { assert } from '../../streams/errors/index.ts'
import type { Model } from '../models/index.ts'
import type { WorkerLike } from './protocol.ts'
import { QUEUE_DEFAULTS, ScoringQueue, type QueueOptions } from './queue.ts'
import { spawnWorker } from './spawn.ts'

/** One feature's part in one score. */
export interface Contribution {
  readonly feature: string
  /** NaN: absent. That, too, has a part. */
  readonly value: number
  /** Log-odds; positive raises the score. */
  readonly contribution: number
}

/** Scores vectors by the models it was started with, in a worker thread. The caller sees to it that a vector has `model.features` in their order. */
export interface Scorer extends AsyncDisposable {
  /** `rows`: row after row of `width` values, NaN = absent. One calibrated probability a row. Rejects with SCORER_FAILED; scoring has no effects, so come again. */
  score (model: string, rows: Float64Array, width: number): Promise<Float64Array>
  /** The `top` largest parts by size, largest first. Exact; rejects with SCORER_FAILED also when the parts do not add up to the score. */
  explain (model: string, row: Float64Array, top: number): Promise<readonly Contribution[]>
}

export interface ScorerOptions extends Partial<QueueOptions> {
  readonly models: readonly Model[]
  /** For tests: another worker. */
  readonly spawn?: () => WorkerLike
}

/** Starts the worker and waits until it has loaded the models. Rejects with MODEL_INVALID or SCORER_FAILED. */
export async function startScorer (options: ScorerOptions): Promise<Scorer> {
  const { models, spawn, ...queueOptions } = options
  const files = models.map(({ name, onnxPath, treesPath, features }) => ({ name, onnxPath, treesPath, width: features.length }))
  const queue = new ScoringQueue(spawn ?? (() => spawnWorker(files)), { ...QUEUE_DEFAULTS, ...queueOptions })
  await queue.started()
  return new WorkerScorer(new Map(models.map(model => [model.name, model])), queue)
}

class WorkerScorer implements Scorer {
  readonly #models: ReadonlyMap<string, Model>
  readonly #queue: ScoringQueue

  constructor (models: ReadonlyMap<string, Model>, queue: ScoringQueue) {
    this.#models = models
    this.#queue = queue
  }

  async score (name: string, rows: Float64Array, width: number): Promise<Float64Array> {
    const model = this.#modelOf(name, width)
    assert(rows.length % width === 0, `${rows.length} values are not rows of ${width}`)
    if (rows.length === 0) return new Float64Array(0)
    const raw = await this.#queue.score(name, Float32Array.from(rows), rows.length / width)
    return Float64Array.from(raw, score => model.calibrate(score))
  }

  async explain (name: string, row: Float64Array, top: number): Promise<readonly Contribution[]> {
    const model = this.#modelOf(name, row.length)
    const contributions = await this.#queue.explain(name, Float64Array.from(row))
    return model.features
      .map((feature, i) => ({ feature, value: row[i] as number, contribution: contributions[i] as number }))
      .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
      .slice(0, top)
  }

  [Symbol.asyncDispose] (): Promise<void> { return this.#queue[Symbol.asyncDispose]() }

  #modelOf (name: string, width: number): Model {
    const model = this.#models.get(name)
    assert(model !== undefined, `the scorer has no model ${name}`)
    assert(width === model.features.length, `model ${name} reads ${model.features.length} features, not ${width}`)
    return model
  }
}
