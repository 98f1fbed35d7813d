import type { FeatureView } from '../../../features/define/index.ts'
import { nearNames } from '../../../streams/shapes/index.ts'
import { ALL_VIEWS } from '../../../features/views/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { loadOwnViews } from './defined-views.ts'

/** The views of patients that `vitals,labs@2` names, of the product and of a user's folder ('' for none); without a version the newest. Throws VIEW_UNKNOWN. */
export async function namedPatientViews (folder: string, names: string): Promise<readonly FeatureView[]> {
  const own = (await loadOwnViews(folder)).map(({ view }) => view)
  const views = [...ALL_VIEWS, ...own].filter(({ entity }) => entity === 'patient')
  return names.split(',').map(text => {
    const [name = '', version] = text.trim().split('@')
    const view = views.filter(v => v.name === name && (version === undefined || v.version === Number(version))).sort((a, b) => b.version - a.version)[0]
    if (view !== undefined) return view
    const near = nearNames(name, new Set(views.map(v => v.name)))
    throw new LatidoError('VIEW_UNKNOWN', `there is no view of patients "${text.trim()}"`, near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${[...new Set(views.map(v => v.name))].join(', ')}`)
  })
}
