import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { loadModel, SEPSIS_MODEL_DIRECTORY } from '../../../inference/models/index.ts'
import { startScorer } from '../../../inference/scoring/index.ts'
import { spawnWorker } from '../../../inference/scoring/spawn.ts'
import { goldenOf, rowOf, TINY_MODEL } from '../tiny-model.ts'

const committed = [['the tiny model', TINY_MODEL], ['the sepsis model', SEPSIS_MODEL_DIRECTORY]].filter(([, directory]) => existsSync(join(directory as string, 'manifest.json'))) as [string, string][]

describe.each(committed)('scoring with %s', (_name, directory) => {
  it('says in ONNX, calibrated, what XGBoost said, absent values included', async () => {
    const model = await loadModel(directory)
    const golden = goldenOf(directory)
    await using scorer = await startScorer({ models: [model] })
    const width = model.features.length
    const rows = Float64Array.from(golden.rows.flat(), v => v ?? NaN)
    const all = await scorer.score(model.name, rows, width)
    const oneByOne = await Promise.all(golden.rows.map((_, i) => scorer.score(model.name, rowOf(golden, i), width)))
    for (const [i, expected] of golden.probability.entries()) {
      expect(all[i]).toBeCloseTo(expected, 5)
      expect(oneByOne[i]?.[0]).toBe(all[i])
    }
  })

  it('explains with the largest parts first, absent features among them', async () => {
    const model = await loadModel(directory)
    const golden = goldenOf(directory)
    await using scorer = await startScorer({ models: [model] })
    for (const [i, top] of golden.top.entries()) {
      const reasons = await scorer.explain(model.name, rowOf(golden, i), 3)
      expect(reasons).toHaveLength(3)
      for (const [k, reason] of reasons.entries()) expect(Math.abs(reason.contribution)).toBeCloseTo(Math.abs(top[k]?.[1] as number), 4)
      for (const { feature, value } of reasons) expect(value).toBe(golden.rows[i]?.[model.features.indexOf(feature)] ?? NaN)
    }
  })
})

describe('the scorer', () => {
  it('scores nothing to nothing', async () => {
    await using scorer = await startScorer({ models: [await loadModel(TINY_MODEL)] })
    expect(await scorer.score('tiny', new Float64Array(0), 8)).toHaveLength(0)
  })

  it('leaves the caller\'s rows as they were', async () => {
    await using scorer = await startScorer({ models: [await loadModel(TINY_MODEL)] })
    const rows = new Float64Array(16).fill(0.1)
    await scorer.score('tiny', rows, 8)
    await scorer.explain('tiny', rows.subarray(0, 8), 2)
    expect(rows).toEqual(new Float64Array(16).fill(0.1))
  })

  it('does not take rows of another width, or a model it was not started with', async () => {
    await using scorer = await startScorer({ models: [await loadModel(TINY_MODEL)] })
    await expect(scorer.score('tiny', new Float64Array(7), 7)).rejects.toThrow(/reads 8 features/)
    await expect(scorer.score('other', new Float64Array(8), 8)).rejects.toThrow(/no model other/)
  })

  it('does not start on an ONNX file that is none', async () => {
    const model = await loadModel(TINY_MODEL)
    await expect(startScorer({ models: [{ ...model, onnxPath: model.treesPath }] })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  })

  it('comes back after its thread is killed', async () => {
    const model = await loadModel(TINY_MODEL)
    const files = { name: model.name, onnxPath: model.onnxPath, treesPath: model.treesPath, width: 8 }
    const threads: Worker[] = []
    await using scorer = await startScorer({ models: [model], spawn: () => {
      const thread = spawnWorker([files]) as Worker
      threads.push(thread)
      return thread
    } })
    await scorer.score('tiny', new Float64Array(8), 8)
    await threads[0]?.terminate()
    expect(await scorer.score('tiny', new Float64Array(8), 8)).toHaveLength(1)
    expect(threads).toHaveLength(2)
  })
})
