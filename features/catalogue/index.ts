/** The feature catalogue: what each view is, in words and in plain data; what its plan keeps; what is legal and doubtful. */
export { explainFeature } from './explain.ts'
export { catalogueOf } from './entries.ts'
export type { CatalogueConcept, CatalogueFeature, CatalogueSource, CatalogueView } from './entries.ts'
/** What planned views keep of a key. */
export { planSummary } from './plan-summary.ts'
export type { PlanSummary, PlannedSeries } from './plan-summary.ts'
export { lintViews, STATE_BUDGET_BYTES } from './lint.ts'
export type { Finding, FindingKind, Linted } from './lint.ts'
