/** Model folders: `model.onnx`, `trees.json`, `manifest.json`, `CARD.md`, checked when loaded. */
import { fileURLToPath } from 'node:url'

export { loadModel } from './load.ts'
export type { Model } from './load.ts'
export { calibrate } from './calibration.ts'
export type { Knots } from './calibration.ts'
export type { ModelManifest, OperatingPoint, ReferenceFeature } from './manifest.ts'

/** The folder of the early-sepsis model that the repository carries; its CARD.md says what was measured. Compiled output (dist/inference/models) has no copy of it. */
export const SEPSIS_MODEL_DIRECTORY: string = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './sepsis' : '../../../inference/models/sepsis', import.meta.url))
