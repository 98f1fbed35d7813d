/** Which views there are, what is published of them, and what reads each. */
/** The catalogue, and what changes what is published. */
export { lintCatalogue, planCatalogue, publishedIn, publishViews, readCatalogue, retireView, runningCatalogue } from './catalogue.ts'
export type { LintReport } from './catalogue.ts'
/** The product's views and those of a user's folder. */
export { definedViews, loadOwnViews, withStandard } from './defined-views.ts'
/** What reads a version of a view. */
export { dependentsOf } from './dependents.ts'
/** Views by name and version. */
export { namedPatientViews } from './named-views.ts'
/** New versions, built beside those that serve. */
export { ViewBuilds } from './view-builds.ts'
/** Which versions an instance runs. */
export { openViewSet, unpublishedViewSet } from './view-set.ts'
export type { ViewSet } from './view-set.ts'
