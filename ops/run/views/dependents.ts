import { membersIn, viewKey } from '../../../features/define/index.ts'
import type { DefinedViews, Dependent } from '../../../features/published/index.ts'
import { STANDARD_SERVICES } from '../../../features/serving/index.ts'
import { labsView, news2View, vitalsView } from '../../../features/views/index.ts'
import { ALERT_RULES, ALERT_VIEWS } from '../../../inference/alerts/index.ts'
import { modelIn } from '../models.ts'

/** What reads which version of a view: models, other views, feature services, alert rules, the ward board. */
export async function dependentsOf (model: string, { standard, own }: DefinedViews): Promise<readonly Dependent[]> {
  const loaded = await modelIn(model)
  const all = [...standard, ...own]
  const rules = ALERT_RULES.filter(rule => rule.startsWith('news2')).join(', ')
  return [
    ...(loaded === undefined ? [] : [{ view: loaded.view, version: loaded.viewVersion, by: `model ${loaded.name} ${loaded.version}` }, { view: loaded.view, version: loaded.viewVersion, by: 'alert rule sepsis-risk' }]),
    ...all.flatMap(view => [...new Set(view.expressions.flatMap(membersIn).map(viewKey))].map(key => ({ ...split(key), by: `view ${viewKey(view)}` }))),
    ...STANDARD_SERVICES.flatMap(({ name, features }) => [...new Set(features.map(f => f.split(':')[0]!))].flatMap(reference => {
      const { view, version } = split(reference)
      const meant = Number.isNaN(version) ? all.find(v => v.name === view)?.version : version
      return meant === undefined ? [] : [{ view, version: meant, by: `feature service ${name}` }]
    })),
    ...all.filter(view => ALERT_VIEWS.includes(view.name)).map(({ name, version }) => ({ view: name, version, by: name === news2View.name ? `alert rules ${rules}` : 'alert rule no-data' })),
    ...[vitalsView, labsView, news2View].map(({ name, version }) => ({ view: name, version, by: 'ward board' })),
  ]
}

function split (reference: string): { readonly view: string, readonly version: number } {
  const [view = '', version] = reference.split('@')
  return { view, version: Number(version) }
}
