import { LaidVector } from '../../features/vector-codec.ts'
import { isLatidoError } from '../../streams/errors/index.ts'
import type { ScoredVector } from '../alerts/index.ts'
import type { Reason } from '../alerts/types.ts'

/** A loaded model behind its worker. Rows are vectors of its view, NaN where absent. */
export interface ServingModel {
  readonly name: string
  readonly version: string
  readonly view: string
  readonly viewVersion: number
  /** Names of its inputs: the view's features in order. */
  readonly features: readonly string[]
  /** From this probability on a score is explained: where an alert may stand or is near. */
  readonly explainFrom: number
  score (rows: Float64Array, width: number): Promise<Float64Array>
  explain (row: Float64Array, top: number): Promise<readonly { readonly feature: string, readonly value: number | null, readonly contribution: number }[]>
}

const REASONS_SHOWN = 6
const ATTEMPTS_MAX = 3

/** Completes vectors with the score of the model that reads their view: one call a model a batch. Pure: the same vectors get the same scores. */
export async function scoreBatch (models: readonly ServingModel[], batch: readonly ScoredVector[]): Promise<void> {
  for (const model of models) {
    const mine = batch.filter(({ vector }) => vector.view === model.view && vector.version === model.viewVersion)
    if (mine.length === 0) continue
    const width = model.features.length
    const rows = new Float64Array(mine.length * width)
    mine.forEach(({ vector }, i) => { copyValues(vector, rows, i * width) })
    const probabilities = await retried(() => model.score(rows, width))
    await Promise.all(mine.map((scored, i) => complete(model, scored, probabilities[i]!, rows.subarray(i * width, (i + 1) * width))))
  }
}

/** Straight from its bytes where it is laid over some. */
function copyValues (vector: ScoredVector['vector'], rows: Float64Array, at: number): void {
  if (vector instanceof LaidVector) vector.packed.readValues(rows, at)
  else rows.set(vector.values, at)
}

async function complete (model: ServingModel, scored: ScoredVector, probability: number, row: Float64Array): Promise<void> {
  const { vector } = scored
  const explained = probability >= model.explainFrom ? await retried(() => model.explain(row.slice(), REASONS_SHOWN)) : []
  let present = 0
  for (const value of row) if (!Number.isNaN(value)) present++
  scored.score = {
    model: model.name, modelVersion: model.version, view: vector.view, viewVersion: vector.version, asOf: vector.asOf, probability, presentShare: present / row.length,
    reasons: explained.map((r): Reason => {
      const time = vector.times[model.features.indexOf(r.feature)] ?? NaN
      return { feature: r.feature, value: r.value, contribution: r.contribution, eventTime: Number.isNaN(time) ? null : time }
    }),
  }
}

/** A worker that died is started again by its scorer; scoring has no effects, so it is simply asked again. */
async function retried<T> (run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (e) {
      if (attempt === ATTEMPTS_MAX || !isLatidoError(e) || e.code !== 'SCORER_FAILED') throw e
    }
  }
}
