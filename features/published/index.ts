/** Views that were published: what they mean is fixed, and a new version stands beside the old one until it has caught up. */
export { decodeViewRecord, encodeViewRecord } from './record.ts'
export type { ViewRecord } from './record.ts'
export { PublishedViews } from './published-views.ts'
export type { PublishedView } from './published-views.ts'
/** What a start runs, publishes and retires; refuses changed meanings. */
export { isOfPatients, planViewSet } from './plan-view-set.ts'
export type { DefinedViews, Dependent, Generation, ViewSetPlan } from './plan-view-set.ts'
/** Which version of a name is served. */
export { ViewAliases } from './aliases.ts'
