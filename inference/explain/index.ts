/** Exact explanations of tree models, in log-odds. */
export { explainerOf, loadExplainer } from './explainer.ts'
export type { Explainer, Explanation } from './explainer.ts'
export { loadForest, marginOf } from './forest.ts'
export type { Forest } from './forest.ts'
