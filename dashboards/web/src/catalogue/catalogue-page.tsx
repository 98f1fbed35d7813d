import type { ReactNode } from 'react'
import type { WireCatalogueView } from '../../../server/wire.ts'
import { usePolled } from '../api.ts'
import { featureName } from '../i18n/feature-names.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { Link, setQuery, usePlace } from '../shell/router.tsx'
import { keyOf, searchCatalogue, type Found } from './search.ts'
import { kilobytes, ViewDetail } from './view-detail.tsx'

const CATALOGUE_POLL_MS = 5_000

/** Every view that runs; the address says what is searched and which one is open. */
export function CataloguePage (): ReactNode {
  const { t } = useI18n()
  const { query } = usePlace()
  const { data, failure } = usePolled<readonly WireCatalogueView[]>('/api/catalogue', CATALOGUE_POLL_MS)
  const search = query.get('q') ?? ''
  const open = query.get('view') ?? ''
  const found = searchCatalogue(data ?? [], search, name => featureName(t, name))
  const chosen = found.find(({ view }) => keyOf(view) === open)
  return (
    <div className="catalogue">
      <h1>{t('catalogue.title')}</h1>
      <p className="catalogue-intro">{t('catalogue.intro')}</p>
      <p className="catalogue-search">
        <label>{t('catalogue.search')}<input type="search" name="q" value={search} placeholder={t('catalogue.searchHint')} onChange={event => { setQuery('q', event.target.value) }} /></label>
        {data !== undefined && <span className="quiet" role="status">{t('catalogue.found', { views: found.length, features: found.reduce((n, { features }) => n + features.length, 0) })}</span>}
      </p>
      {failure !== undefined && <p className="notice">{t('page.failed', { reason: failure.message })}</p>}
      {data !== undefined && found.length === 0 && <p className="notice">{t('catalogue.none')}</p>}
      {found.length > 0 && <ViewTable found={found} open={open} search={search} />}
      {chosen !== undefined && <ViewDetail key={open} found={chosen} />}
      {search !== '' && chosen === undefined && found.slice(0, 5).map(one => <ViewDetail key={keyOf(one.view)} found={one} brief />)}
    </div>
  )
}

function ViewTable ({ found, open, search }: { readonly found: readonly Found[], readonly open: string, readonly search: string }): ReactNode {
  const { t } = useI18n()
  return (
    <section className="panel">
      <table className="catalogue-views">
        <caption className="unseen">{t('catalogue.title')}</caption>
        <thead><tr>
          <th scope="col">{t('catalogue.view')}</th><th scope="col">{t('catalogue.entity')}</th><th scope="col">{t('catalogue.state')}</th><th scope="col" className="right">{t('catalogue.features')}</th>
          <th scope="col" className="right">{t('catalogue.ttl')}</th><th scope="col" className="right">{t('catalogue.kept')}</th><th scope="col">{t('catalogue.owner')}</th><th scope="col">{t('catalogue.readBy')}</th>
        </tr></thead>
        <tbody>{found.map(one => <ViewRow key={keyOf(one.view)} found={one} isOpen={keyOf(one.view) === open} search={search} />)}</tbody>
      </table>
    </section>
  )
}

function ViewRow ({ found: { view, features }, isOpen, search }: { readonly found: Found, readonly isOpen: boolean, readonly search: string }): ReactNode {
  const { t, format } = useI18n()
  const key = keyOf(view)
  const parameters = new URLSearchParams({ ...search === '' ? {} : { q: search }, ...isOpen ? {} : { view: key } }).toString()
  return (
    <tr className={isOpen ? 'is-open' : ''} data-view={key}>
      <th scope="row"><Link href={`/catalogue${parameters === '' ? '' : `?${parameters}`}`} aria-expanded={isOpen}>{key}</Link><span className="catalogue-description">{view.description}</span></th>
      <td data-label={t('catalogue.entity')}>{translateName(t, 'catalogue.entity', view.entity)}</td>
      <td data-label={t('catalogue.state')}><State view={view} /></td>
      <td className="right number" data-label={t('catalogue.features')}>{features.length === view.features.length ? features.length : `${features.length} / ${view.features.length}`}</td>
      <td className="right number" data-label={t('catalogue.ttl')}>{format.age(view.ttlMs)}</td>
      <td className="right number" data-label={t('catalogue.kept')}>{kilobytes(format, view.deviceStateBytes)}</td>
      <td data-label={t('catalogue.owner')}>{view.owner}</td>
      <td className="quiet catalogue-readers" data-label={t('catalogue.readBy')}>{view.dependents.length === 0 ? t('catalogue.nobody') : view.dependents.join('; ')}</td>
    </tr>
  )
}

function State ({ view: { state, served, name } }: { readonly view: WireCatalogueView }): ReactNode {
  const { t } = useI18n()
  return <><span className={state === 'building' ? 'tag tag-strong' : ''}>{t(`catalogue.state.${state}`)}</span>{served && state === 'live' && <span className="quiet catalogue-served">{t('catalogue.served', { name })}</span>}</>
}
