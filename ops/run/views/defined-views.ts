import { type LoadedView, loadViews } from '../../../features/files/index.ts'
import type { DefinedViews } from '../../../features/published/index.ts'
import { ALL_VIEWS, PRODUCT_VIEWS, STANDARD_GROUP_VIEWS } from '../../../features/views/index.ts'

/** The views of a user's folder, with their places; none where none is named. Throws FILE_UNREADABLE or VIEW_INVALID. */
export async function loadOwnViews (folder: string): Promise<readonly LoadedView[]> {
  return folder === '' ? [] : await loadViews(folder, [...ALL_VIEWS, ...STANDARD_GROUP_VIEWS])
}

/** What this start is to run: the product's views, and the user's. */
export async function definedViews (folder: string): Promise<DefinedViews> {
  return withStandard(await loadOwnViews(folder))
}

export function withStandard (own: readonly LoadedView[]): DefinedViews {
  return { standard: PRODUCT_VIEWS, own: own.map(({ view }) => view) }
}
