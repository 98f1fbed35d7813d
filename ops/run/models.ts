import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FeatureView } from '../../features/define/index.ts'
import { RISK_HYSTERESIS } from '../../inference/alerts/index.ts'
import { loadModel, SEPSIS_MODEL_DIRECTORY, type Model } from '../../inference/models/index.ts'
import type { DriftReference } from '../../inference/monitors/index.ts'
import { startScorer } from '../../inference/scoring/index.ts'
import type { ServingModel } from '../../inference/scoring/score-batch.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import type { Closers } from './closers.ts'

export interface LoadedModels { readonly serving: readonly ServingModel[], readonly references: readonly DriftReference[], readonly sepsis: Model | undefined }

/** Loads the sepsis model, checks it against its view, starts its worker. `off`: none. Throws MODEL_INVALID. */
export async function loadModels (directory: string, views: readonly FeatureView[], closers: Closers): Promise<LoadedModels> {
  const model = await modelIn(directory)
  if (model === undefined) return { serving: [], references: [], sepsis: undefined }
  const view = views.find(v => v.name === model.view && v.version === model.viewVersion)
  if (view === undefined || view.names.join() !== model.features.join()) {
    throw new LatidoError('MODEL_INVALID', `model ${model.name} ${model.version} does not read the features of ${model.view}@${model.viewVersion}`, 'train it again on the present view, or restore the view\'s version')
  }
  const scorer = closers.use(await startScorer({ models: [model] }))
  return {
    sepsis: model,
    serving: [{
      name: model.name, version: model.version, view: model.view, viewVersion: model.viewVersion, features: model.features, explainFrom: model.threshold * RISK_HYSTERESIS,
      score: (rows, width) => scorer.score(model.name, rows, width),
      explain: (row, top) => scorer.explain(model.name, row, top),
    }],
    references: [referenceOf(model)],
  }
}

/** The model of a folder; '' is the one that comes along, `off` none. Throws MODEL_INVALID. */
export async function modelIn (directory: string): Promise<Model | undefined> {
  const folder = directory === '' ? SEPSIS_MODEL_DIRECTORY : directory
  return directory === 'off' || (directory === '' && !existsSync(join(folder, 'manifest.json'))) ? undefined : await loadModel(folder)
}

/** The reference counts stays, not rows: hours of one stay resemble each other too much to count each. */
function referenceOf (model: Model): DriftReference {
  const { features, stays } = model.manifest.reference
  return { view: model.view, version: model.viewVersion, features: features.map((f, place) => ({ name: f.name, place, edges: f.edges, shares: f.shares, missingShare: f.missingShare, count: stays })) }
}
