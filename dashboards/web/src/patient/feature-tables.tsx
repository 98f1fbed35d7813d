import type { ReactNode } from 'react'
import type { WireFeatures, WireViewValues } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { featureName } from '../i18n/feature-names.ts'

/** Every feature of every view, folded away: for whoever wants to know what the model saw. */
export function FeatureTables ({ features }: { readonly features: WireFeatures | undefined }): ReactNode {
  const { t } = useI18n()
  return (
    <section className="panel features" aria-labelledby="features">
      <h2 id="features">{t('patient.features')}</h2>
      {features?.views.map(view => <ViewTable key={`${view.view}@${view.version}`} view={view} />)}
    </section>
  )
}

function ViewTable ({ view }: { readonly view: WireViewValues }): ReactNode {
  const { t, format } = useI18n()
  const present = view.features.filter(feature => feature.present).length
  return (
    <details>
      <summary>{t('features.view', { view: view.view, version: view.version })} <span className="quiet">{t('features.present', { n: present, total: view.features.length })}</span></summary>
      <table>
        <thead><tr><th scope="col">{t('features.name')}</th><th scope="col" className="right">{t('features.value')}</th><th scope="col" className="right">{t('features.age')}</th></tr></thead>
        <tbody>{view.features.map(feature => (
          <tr key={feature.name} className={feature.present ? '' : 'is-missing'}>
            <th scope="row">{featureName(t, feature.name)} <code className="quiet">{feature.name}</code></th>
            <td className="right number">{feature.present && feature.value !== null ? `${format.significant(feature.value, 4)} ${format.unit(feature.unit)}` : t('features.absent')}</td>
            <td className="right quiet">{feature.present && feature.ageMs !== null ? format.age(feature.ageMs) : '–'}</td>
          </tr>
        ))}</tbody>
      </table>
    </details>
  )
}
