import fc from 'fast-check'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { calibrate, loadModel, SEPSIS_MODEL_DIRECTORY } from '../../../inference/models/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { TINY_MODEL } from '../tiny-model.ts'

describe('loadModel', () => {
  let folder: ReturnType<typeof tempDir>
  const manifestPath = (): string => join(folder.path, 'manifest.json')
  const change = (edit: (manifest: Record<string, unknown>) => void): void => {
    const manifest = JSON.parse(readFileSync(manifestPath(), 'utf8')) as Record<string, unknown>
    edit(manifest)
    writeFileSync(manifestPath(), JSON.stringify(manifest))
  }

  beforeEach(() => { folder = tempDir(); cpSync(TINY_MODEL, folder.path, { recursive: true }) })
  afterEach(() => { folder.remove() })

  it('gives name, view, features in order, threshold and calibration', async () => {
    const model = await loadModel(TINY_MODEL)
    expect(model).toMatchObject({ name: 'tiny', version: '0.0.1', view: 'tinyView', viewVersion: 1, threshold: 0.5 })
    expect(model.features.slice(0, 3)).toEqual(['pulse', 'pressure', 'flow'])
    expect(model.manifest.reference.features.map(f => f.name)).toEqual(model.features)
    expect(model.calibrate(0)).toBeLessThan(model.calibrate(1))
  })

  it('refuses a folder without a manifest', async () => {
    rmSync(manifestPath())
    await expect(loadModel(folder.path)).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining('manifest.json cannot be read') as unknown })
  })

  it('refuses a manifest that is not JSON', async () => {
    writeFileSync(manifestPath(), '{')
    await expect(loadModel(folder.path)).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining('not JSON') as unknown })
  })

  it.each<[string, (m: Record<string, unknown>) => void, string]>([
    ['without features', m => { m['features'] = [] }, 'features'],
    ['with a threshold that is no probability', m => { m['threshold'] = 3 }, 'threshold'],
    ['with calibration knots that do not rise', m => { m['calibration'] = { x: [0, 0], y: [0, 1] } }, 'x must rise'],
    ['whose reference has other features', m => { (m['features'] as string[]).reverse() }, 'the reference must have the features'],
    ['that names no trees', m => { delete (m['files'] as Record<string, unknown>)['trees.json'] }, 'trees.json'],
  ])('refuses a manifest %s, and says what is wrong', async (_what, edit, message) => {
    change(edit)
    await expect(loadModel(folder.path)).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining(message) as unknown })
  })

  it('refuses a file that is not the one the manifest was written for', async () => {
    writeFileSync(join(folder.path, 'trees.json'), '{}')
    await expect(loadModel(folder.path)).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining('trees.json') as unknown })
  })

  it.skipIf(!existsSync(join(SEPSIS_MODEL_DIRECTORY, 'manifest.json')))('accepts the model that the repository carries, which reads nothing of the time in the unit', async () => {
    const model = await loadModel(SEPSIS_MODEL_DIRECTORY)
    expect(model.view).toBe('sepsis')
    expect(model.features.filter(name => /hours|Total$/.test(name))).toEqual(['bilirubinTotal'].filter(name => model.features.includes(name)))
  })
})

describe('calibrate', () => {
  const knots = { x: [0.1, 0.4, 0.8], y: [0.01, 0.05, 0.6] }

  it('is linear between knots and constant outside', () => {
    expect([0, 0.1, 0.25, 0.4, 0.8, 1].map(x => calibrate(knots, x))).toEqual([0.01, 0.01, expect.closeTo(0.03, 12), 0.05, 0.6, 0.6])
  })

  it('leaves what is not a number not a number', () => { expect(calibrate(knots, NaN)).toBeNaN() })

  it('never turns two scores round', () => {
    const score = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(fc.property(score, score, (a, b) => { if (a <= b) expect(calibrate(knots, a)).toBeLessThanOrEqual(calibrate(knots, b)) }))
  })
})
