/** Feature views from plain TypeScript files in a folder of the user's own. */
export { loadViews, LOAD_LIMITS } from './load-views.ts'
export type { LoadedView, LoadLimits } from './load-views.ts'
/** What TypeScript's checker says of such a folder. */
export { checkTypes } from './check-types.ts'
export type { TypeCheck, TypeFault } from './check-types.ts'
/** A folder to begin with: a first view, and the configuration that lets an editor find `latido/features`. */
export { newViewsFolder, typeSettings } from './new-folder.ts'
/** Where the modules are that a view may import, by the name it imports them by. */
export { PRODUCT_ROOT, PUBLIC_MODULES } from './product.ts'
