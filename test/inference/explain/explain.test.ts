import fc from 'fast-check'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { explainerOf, loadExplainer, loadForest, marginOf, type Forest } from '../../../inference/explain/index.ts'
import { goesLeft } from '../../../inference/explain/forest.ts'
import { SEPSIS_MODEL_DIRECTORY } from '../../../inference/models/index.ts'
import { goldenOf, rowOf, TINY_MODEL } from '../tiny-model.ts'

const committed = [['the tiny model', TINY_MODEL], ['the sepsis model', SEPSIS_MODEL_DIRECTORY]].filter(([, directory]) => existsSync(join(directory as string, 'trees.json'))) as [string, string][]

describe.each(committed)('explanations of %s', (_name, directory) => {
  const golden = goldenOf(directory)

  it('agree with XGBoost\'s pred_contribs on invented rows, absent values included', async () => {
    const explainer = await loadExplainer(join(directory, 'trees.json'))
    for (const [i, top] of golden.top.entries()) {
      const { base, margin, contributions } = explainer.explain(rowOf(golden, i))
      expect(base).toBeCloseTo(golden.base, 4)
      expect(margin).toBeCloseTo(golden.margin[i] as number, 4)
      for (const [feature, contribution] of top) expect(contributions[feature]).toBeCloseTo(contribution, 4)
    }
  })
})

/** The definition itself: each feature's part averaged over all subsets, an unknown feature following both branches by cover. For few features only. */
function naiveShapley (forest: Forest, row: Float64Array): number[] {
  const count = row.length
  const worth = (known: number): number => {
    const below = (node: number): number => {
      const feature = forest.feature[node] as number
      if (feature < 0) return forest.threshold[node] as number
      const [left, right] = [forest.left[node] as number, forest.right[node] as number]
      if (known >> feature & 1) return below(goesLeft(forest, node, row[feature] as number) ? left : right)
      return (below(left) * (forest.cover[left] as number) + below(right) * (forest.cover[right] as number)) / (forest.cover[node] as number)
    }
    return Array.from(forest.start).reduce((sum, root) => sum + below(root), forest.base)
  }
  const factorial = (n: number): number => n < 2 ? 1 : n * factorial(n - 1)
  return Array.from({ length: count }, (_, i) => {
    let sum = 0
    for (let set = 0; set < 1 << count; set++) {
      if (set >> i & 1) continue
      const size = set.toString(2).replaceAll('0', '').length
      sum += factorial(size) * factorial(count - size - 1) / factorial(count) * (worth(set | 1 << i) - worth(set))
    }
    return sum
  })
}

interface Split { readonly feature: number, readonly threshold: number, readonly missingLeft: boolean, readonly left: Tree, readonly right: Tree }
type Tree = Split | { readonly leaf: number, readonly cover: number }

const FEATURES = 3
const leaf = fc.record({ leaf: fc.integer({ min: -8, max: 8 }), cover: fc.integer({ min: 1, max: 9 }) })
const { tree } = fc.letrec<{ tree: Tree }>(tie => ({
  tree: fc.oneof({ depthSize: 'small', maxDepth: 4 }, leaf, fc.record({ feature: fc.nat(FEATURES - 1), threshold: fc.integer({ min: -2, max: 2 }), missingLeft: fc.boolean(), left: tie('tree'), right: tie('tree') })),
}))

function forestOf (trees: readonly Tree[]): Forest {
  const nodes: { feature: number, threshold: number, left: number, right: number, missingLeft: number, cover: number }[] = []
  const add = (t: Tree): number => {
    const at = nodes.push({ feature: -1, threshold: 0, left: -1, right: -1, missingLeft: 0, cover: 0 }) - 1
    if ('leaf' in t) nodes[at] = { feature: -1, threshold: t.leaf, left: -1, right: -1, missingLeft: 0, cover: t.cover }
    else {
      const [left, right] = [add(t.left), add(t.right)]
      nodes[at] = { feature: t.feature, threshold: t.threshold, left, right, missingLeft: t.missingLeft ? 1 : 0, cover: (nodes[left]?.cover ?? 0) + (nodes[right]?.cover ?? 0) }
    }
    return at
  }
  const start = Int32Array.from(trees, add)
  return {
    base: 0.25, start, feature: Int32Array.from(nodes, n => n.feature), threshold: Float64Array.from(nodes, n => n.threshold), left: Int32Array.from(nodes, n => n.left),
    right: Int32Array.from(nodes, n => n.right), missingLeft: Uint8Array.from(nodes, n => n.missingLeft), cover: Float64Array.from(nodes, n => n.cover),
  }
}

const row = fc.array(fc.constantFrom(-3, -2, -1, 0, 1, 2, 3, NaN), { minLength: FEATURES, maxLength: FEATURES }).map(values => Float64Array.from(values))

describe('explanations of any forest', () => {
  it('equal the definition of the Shapley value, also on thresholds, absent values and features that repeat on a path', () => {
    fc.assert(fc.property(fc.array(tree, { minLength: 1, maxLength: 3 }), row, (trees, values) => {
      const forest = forestOf(trees)
      const { contributions } = explainerOf(forest).explain(values)
      const expected = naiveShapley(forest, values)
      expected.forEach((part, i) => { expect(contributions[i]).toBeCloseTo(part, 9) })
    }))
  })

  it('add up to the margin', () => {
    fc.assert(fc.property(fc.array(tree, { minLength: 1, maxLength: 3 }), row, (trees, values) => {
      const forest = forestOf(trees)
      const { base, margin, contributions } = explainerOf(forest).explain(values)
      expect(contributions.reduce((a, b) => a + b, base)).toBeCloseTo(margin, 9)
      expect(margin).toBeCloseTo(marginOf(forest, values), 12)
    }))
  })

  it('are refused when they do not add up: nothing wrong is shown', () => {
    const forest = forestOf([{ feature: 0, threshold: 0, missingLeft: true, left: { leaf: 1, cover: 1 }, right: { leaf: 2, cover: 1 } }])
    const explainer = explainerOf(forest)
    forest.threshold[1] = 5
    expect(() => explainer.explain(Float64Array.of(-1))).toThrow(/does not add up/)
  })
})

describe('trees.json', () => {
  const write = (change: (forest: Record<string, unknown>) => void): string => {
    const forest = JSON.parse(readFileSync(join(TINY_MODEL, 'trees.json'), 'utf8')) as Record<string, unknown>
    change(forest)
    const path = join(mkdtempSync(join(tmpdir(), 'latido-trees-')), 'trees.json')
    writeFileSync(path, JSON.stringify(forest))
    return path
  }

  it.each([
    ['an array too short', (f: Record<string, unknown>) => { (f['cover'] as number[]).pop() }, /differ in length/],
    ['a child before its parent, which would loop', (f: Record<string, unknown>) => { (f['left'] as number[])[0] = 0 }, /child stands before/],
    ['a missing part', (f: Record<string, unknown>) => { delete f['base'] }, /base/],
  ])('is refused with %s', async (_what, change, message) => {
    await expect(loadForest(write(change))).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringMatching(message) as unknown })
  })
})
