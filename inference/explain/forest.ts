import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import { lineOfShapeFault, readShape } from '../../streams/shapes/index.ts'

const numbers = z.array(z.number())

const schema = z.object({ base: z.number(), start: numbers, feature: numbers, threshold: numbers, left: numbers, right: numbers, missingLeft: numbers, cover: numbers })
  .refine(f => [f.threshold, f.left, f.right, f.missingLeft, f.cover].every(a => a.length === f.feature.length), 'the arrays differ in length')
  .refine(f => f.start.length > 0 && f.start.every((s, i) => s < f.feature.length && (i === 0 ? s === 0 : s > (f.start[i - 1] as number))), 'the roots are not in order')
  .refine(f => f.feature.every((feature, n) => feature < 0 || (f.left[n] as number) > n && (f.right[n] as number) > n && (f.left[n] as number) < f.feature.length && (f.right[n] as number) < f.feature.length), 'a child stands before its parent')

/**
 * Gradient-boosted trees as flat arrays, in the float32 values that XGBoost holds (inference/training/trees.py). At a split a row goes left where
 * float32(value) < threshold, else right; an absent (NaN) value goes left if `missingLeft`. A leaf has feature -1 and its margin as threshold.
 */
export interface Forest {
  /** Log-odds before any tree. */
  readonly base: number
  /** Each tree's root. */
  readonly start: Int32Array
  readonly feature: Int32Array
  readonly threshold: Float64Array
  readonly left: Int32Array
  readonly right: Int32Array
  readonly missingLeft: Uint8Array
  /** Training weight that passed through the node. */
  readonly cover: Float64Array
}

/** Reads and checks `trees.json`. Rejects with MODEL_INVALID. */
export async function loadForest (path: string): Promise<Forest> {
  const invalid = (why: string, cause: unknown): LatidoError => new LatidoError('MODEL_INVALID', `${path}: ${why}`, 'train the model again, or restore its folder from the repository', cause)
  const text = await readFile(path, 'utf8').catch((e: unknown) => { throw invalid(messageOf(e), e) })
  let json: unknown
  try { json = JSON.parse(text) } catch (e) { throw invalid('not JSON', e) }
  const read = readShape(schema, json, 'shown')
  if (read.kind === 'invalid') throw invalid(lineOfShapeFault(read.faults[0]), undefined)
  const f = read.value
  return {
    base: f.base, start: Int32Array.from(f.start), feature: Int32Array.from(f.feature), threshold: Float64Array.from(f.threshold, Math.fround),
    left: Int32Array.from(f.left), right: Int32Array.from(f.right), missingLeft: Uint8Array.from(f.missingLeft), cover: Float64Array.from(f.cover),
  }
}

export function goesLeft (forest: Forest, node: number, value: number): boolean {
  return Number.isNaN(value) ? forest.missingLeft[node] === 1 : Math.fround(value) < (forest.threshold[node] as number)
}

/** Log-odds of one row: the sum of a leaf of each tree. */
export function marginOf (forest: Forest, row: Float64Array): number {
  let margin = forest.base
  for (const root of forest.start) {
    let node = root
    for (let feature = forest.feature[node] as number; feature >= 0; feature = forest.feature[node] as number) {
      node = (goesLeft(forest, node, row[feature] as number) ? forest.left[node] : forest.right[node]) as number
    }
    margin += forest.threshold[node] as number
  }
  return margin
}
