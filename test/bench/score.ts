import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadModel, SEPSIS_MODEL_DIRECTORY } from '../../inference/models/index.ts'
import { startScorer } from '../../inference/scoring/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { TINY_MODEL } from '../inference/tiny-model.ts'
import { SeededRandom } from '../kit/random.ts'
import { quantile, type Benchmark } from './measure.ts'

const BATCH = 256

/** Scores by the model's worker: whole batches, and one row at a time. The repository's sepsis model, or the tests' tiny one where it is missing. */
export const score: Benchmark = {
  summary: 'model scores a second',
  run: async ({ seconds = 3, runs = 3, say }) => {
    const folder = existsSync(join(SEPSIS_MODEL_DIRECTORY, 'manifest.json')) ? SEPSIS_MODEL_DIRECTORY : TINY_MODEL
    const model = await loadModel(folder)
    say(`${model.name} ${model.version}, ${model.features.length} features`)
    await using scorer = await startScorer({ models: [model] })
    const width = model.features.length
    const random = new SeededRandom(1)
    const rows = (n: number): Float64Array => Float64Array.from({ length: n * width }, () => random.next() * 100)
    const rates: number[] = []
    const p50: number[] = []
    for (let run = 0; run < runs; run++) {
      const startedMs = systemClock.monotonicMs()
      let scored = 0
      while (systemClock.monotonicMs() - startedMs < seconds * 500) scored += (await scorer.score(model.name, rows(BATCH), width)).length
      rates.push(scored / (systemClock.monotonicMs() - startedMs) * 1_000)
      const waits: number[] = []
      const thenMs = systemClock.monotonicMs()
      while (systemClock.monotonicMs() - thenMs < seconds * 500) {
        const row = rows(1)
        const sentMs = systemClock.monotonicMs()
        await scorer.score(model.name, row, width)
        waits.push(systemClock.monotonicMs() - sentMs)
      }
      p50.push(quantile(waits, 0.5))
    }
    return [{ name: `scores, batches of ${BATCH}`, unit: 'rows/s', values: rates }, { name: 'one score, p50', unit: 'ms', values: p50 }]
  },
}
