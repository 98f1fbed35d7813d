import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import { lineOfShapeFault, readShape } from '../../streams/shapes/index.ts'
import { calibrate } from './calibration.ts'
import { manifestSchema, type ModelManifest } from './manifest.ts'

/** A model folder that was checked: what scoring, alerts and drift need of it. */
export interface Model {
  readonly name: string
  readonly version: string
  /** The view whose vectors it reads; the caller checks that `features` are that view's names. */
  readonly view: string
  readonly viewVersion: number
  readonly features: readonly string[]
  /** Alerts at or above this calibrated probability. */
  readonly threshold: number
  readonly manifest: ModelManifest
  readonly onnxPath: string
  readonly treesPath: string
  /** Raw score to calibrated probability. */
  calibrate (raw: number): number
}

const ACTION = 'train the model again, or restore its folder from the repository'

/** Reads and checks a model folder: manifest, and the files it names by their hash. Rejects with MODEL_INVALID. */
export async function loadModel (directory: string): Promise<Model> {
  const manifest = parseManifest(await read(join(directory, 'manifest.json')))
  for (const [name, { sha256 }] of Object.entries(manifest.files)) {
    const found = createHash('sha256').update(await read(join(directory, name))).digest('hex')
    if (found !== sha256) throw new LatidoError('MODEL_INVALID', `${join(directory, name)} is not the file that the manifest of ${manifest.name} ${manifest.version} names`, ACTION)
  }
  const { name, version, view, viewVersion, features, threshold, calibration } = manifest
  return {
    name, version, view, viewVersion, features, threshold, manifest,
    onnxPath: join(directory, 'model.onnx'), treesPath: join(directory, 'trees.json'),
    calibrate: raw => calibrate(calibration, raw),
  }
}

function parseManifest (content: Buffer): ModelManifest {
  let json: unknown
  try { json = JSON.parse(content.toString()) } catch (e) { throw new LatidoError('MODEL_INVALID', `manifest.json is not JSON: ${messageOf(e)}`, ACTION, e) }
  const read = readShape(manifestSchema, json, 'shown')
  if (read.kind === 'invalid') throw new LatidoError('MODEL_INVALID', `manifest.json: ${lineOfShapeFault(read.faults[0])}`, ACTION)
  return read.value
}

async function read (path: string): Promise<Buffer> {
  return readFile(path).catch((e: unknown) => { throw new LatidoError('MODEL_INVALID', `${path} cannot be read: ${messageOf(e)}`, ACTION, e) })
}
