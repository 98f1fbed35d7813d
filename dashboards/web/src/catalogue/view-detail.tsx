import type { ReactNode } from 'react'
import type { WireCatalogueConcept, WireCatalogueFeature, WireCatalogueView } from '../../../server/wire.ts'
import { featureName } from '../i18n/feature-names.ts'
import type { Format } from '../i18n/format.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { keyOf, type Found } from './search.ts'

export function kilobytes (format: Format, bytes: number | null): string { return bytes === null ? '–' : `${format.number(bytes / 1_024, 1)}\u00a0KB` }

/** One view in full; `brief`: the features that were found alone. */
export function ViewDetail ({ found: { view, features }, brief = false }: { readonly found: Found, readonly brief?: boolean }): ReactNode {
  return (
    <section className="panel catalogue-detail" data-detail={keyOf(view)}>
      <h2>{keyOf(view)} <span className="quiet">{view.description}</span></h2>
      {!brief && <Properties view={view} />}
      <FeatureTable features={features} />
      {!brief && view.concepts.length > 0 && <ConceptTable concepts={view.concepts} />}
    </section>
  )
}

function Properties ({ view }: { readonly view: WireCatalogueView }): ReactNode {
  const { t, format } = useI18n()
  const { emit, owner, fingerprint, stateBytes, deviceStateBytes, dependents, origin, ttlMs, entity } = view
  const on = [...emit.on, ...emit.onChange]
  const every = format.age(emit.everyMs)
  const rows: readonly (readonly [string, ReactNode])[] = [
    [t('catalogue.entity'), translateName(t, 'catalogue.entity', entity)], [t('catalogue.owner'), owner], [t('catalogue.origin'), t(`catalogue.origin.${origin}`)], [t('catalogue.ttl'), format.age(ttlMs)],
    [t('catalogue.emits'), on.length === 0 ? t('catalogue.emitsEvery', { every }) : t('catalogue.emitsOn', { every, on: on.join(', ') })],
    ...stateBytes === null ? [] : [[t('catalogue.kept'), t('catalogue.keptMost', { device: kilobytes(format, deviceStateBytes), all: kilobytes(format, stateBytes) })] as const],
    [t('catalogue.readBy'), dependents.length === 0 ? t('catalogue.nobody') : dependents.join('; ')], [t('catalogue.fingerprint'), <code key="f">{fingerprint.slice(0, 16)}</code>],
  ]
  return <dl className="catalogue-properties">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
}

/** What a feature means is said in English, as it is on the command line. */
function FeatureTable ({ features }: { readonly features: readonly WireCatalogueFeature[] }): ReactNode {
  const { t, format } = useI18n()
  return (
    <table className="catalogue-features">
      <caption className="unseen">{t('catalogue.features')}</caption>
      <thead><tr><th scope="col">{t('features.name')}</th><th scope="col">{t('catalogue.meaning')}</th><th scope="col">{t('catalogue.unit')}</th><th scope="col">{t('catalogue.windows')}</th></tr></thead>
      <tbody>{features.map(({ name, unit, meaning, windowsMs }) => (
        <tr key={name}>
          <th scope="row">{featureName(t, name)} <code className="quiet">{name}</code></th>
          <td lang="en" data-label={t('catalogue.meaning')}>{meaning}</td>
          <td className="number" data-label={t('catalogue.unit')}>{format.unit(unit)}</td>
          <td className="number" data-label={t('catalogue.windows')}>{windowsMs.map(ms => format.age(ms)).join(', ')}</td>
        </tr>
      ))}</tbody>
    </table>
  )
}

function ConceptTable ({ concepts }: { readonly concepts: readonly WireCatalogueConcept[] }): ReactNode {
  const { t, format } = useI18n()
  return (
    <>
      <h3>{t('catalogue.sources')}</h3>
      <table className="catalogue-concepts">
        <thead><tr><th scope="col">{t('catalogue.concept')}</th><th scope="col">{t('catalogue.unit')}</th><th scope="col">LOINC</th><th scope="col">MDC</th><th scope="col">{t('catalogue.codes')}</th></tr></thead>
        <tbody>{concepts.map(({ id, unit, loinc, mdc, aliases }) => (
          <tr key={id}>
            <th scope="row">{translateName(t, 'concept', id)} <code className="quiet">{id}</code></th>
            <td className="number" data-label={t('catalogue.unit')}>{format.unit(unit)}</td>
            <td data-label="LOINC">{loinc.join(' ')}</td><td data-label="MDC">{mdc.join(' ')}</td><td className="quiet catalogue-aliases" data-label={t('catalogue.codes')}>{aliases.join(' ')}</td>
          </tr>
        ))}</tbody>
      </table>
    </>
  )
}
