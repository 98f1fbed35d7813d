import type { ReactNode } from 'react'
import type { WireDrift } from '../../../server/wire.ts'
import { usePolled } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { featureName } from '../i18n/feature-names.ts'
import { setQuery, usePlace } from '../shell/router.tsx'
import { ShareBar } from '../shell/share-bar.tsx'
import { mostDriftFirst, psiScale, searchDrift, viewOf } from './order.ts'

const DRIFT_POLL_MS = 5_000

/** Every feature of every view against its frozen reference, worst first; the address says what is looked for. */
export function DriftPage (): ReactNode {
  const { t, format } = useI18n()
  const { query } = usePlace()
  const { data, failure } = usePolled<readonly WireDrift[]>('/api/drift', DRIFT_POLL_MS)
  const rows = mostDriftFirst(data ?? [])
  const found = searchDrift(rows, { text: query.get('q') ?? '', view: query.get('view') ?? '', alarmsOnly: query.get('state') === 'drift' }, name => featureName(t, name))
  const newest = rows.reduce<WireDrift | undefined>((a, b) => a === undefined || b.windowEnd > a.windowEnd ? b : a, undefined)
  return (
    <div className="drift">
      <h1>{t('drift.title')}</h1>
      <p className="drift-intro">{t('drift.intro')}</p>
      {failure !== undefined && <p className="notice">{t('page.failed', { reason: failure.message })}</p>}
      {data !== undefined && rows.length === 0 && <p className="notice">{t('drift.none')}</p>}
      {newest !== undefined && (
        <>
          <p className="drift-summary"><strong>{t('drift.summary', { n: rows.filter(row => row.alarm).length, total: rows.length })}</strong> <span className="quiet">{t('drift.window')}: {format.dayAndTime(newest.windowStart)} – {format.dayAndTime(newest.windowEnd)}</span></p>
          <Filters rows={rows} found={found.length} />
          {found.length === 0 ? <p className="notice">{t('drift.noneFound')}</p> : <DriftTable rows={found} scale={psiScale(rows)} />}
        </>
      )}
    </div>
  )
}

function Filters ({ rows, found }: { readonly rows: readonly WireDrift[], readonly found: number }): ReactNode {
  const { t } = useI18n()
  const { query } = usePlace()
  const view = query.get('view') ?? ''
  const views = [...new Set([...rows.map(viewOf), ...view === '' ? [] : [view]])].sort((a, b) => a.localeCompare(b))
  return (
    <p className="drift-filters">
      <label>{t('drift.search')}<input type="search" name="q" value={query.get('q') ?? ''} placeholder={t('drift.searchHint')} onChange={event => { setQuery('q', event.target.value) }} /></label>
      <label>{t('drift.view')}
        <select name="view" value={view} onChange={event => { setQuery('view', event.target.value) }}><option value="">{t('drift.all')}</option>{views.map(one => <option key={one} value={one}>{one}</option>)}</select>
      </label>
      <label>{t('drift.alarm')}
        <select name="state" value={query.get('state') === 'drift' ? 'drift' : ''} onChange={event => { setQuery('state', event.target.value) }}><option value="">{t('drift.all')}</option><option value="drift">{t('drift.alarm.yes')}</option></select>
      </label>
      <span className="quiet" role="status">{t('drift.found', { n: found, total: rows.length })}</span>
    </p>
  )
}

function DriftTable ({ rows, scale }: { readonly rows: readonly WireDrift[], readonly scale: number }): ReactNode {
  const { t } = useI18n()
  return (
    <section className="panel">
      <table>
        <caption className="unseen">{t('drift.title')}</caption>
        <thead><tr>
          <th scope="col">{t('drift.feature')}</th><th scope="col">{t('drift.view')}</th><th scope="col">{t('drift.alarm')}</th><th scope="col" className="right">{t('drift.psi')}</th><td /><th scope="col" className="right">{t('drift.threshold')}</th>
          <th scope="col" className="right">{t('drift.missing')}</th><td /><th scope="col" className="right">{t('drift.referenceMissing')}</th><th scope="col" className="right">{t('drift.count')}</th>
        </tr></thead>
        <tbody>{rows.map(row => <DriftRow key={`${viewOf(row)}/${row.feature}`} row={row} scale={scale} />)}</tbody>
      </table>
    </section>
  )
}

function DriftRow ({ row, scale }: { readonly row: WireDrift, readonly scale: number }): ReactNode {
  const { t, format } = useI18n()
  const state = row.psi === null ? 'drift.notMeasured' : row.alarm ? 'drift.alarm.yes' : 'drift.alarm.no'
  return (
    <tr className={row.alarm ? 'is-drift' : ''}>
      <th scope="row">{featureName(t, row.feature)} <code className="quiet">{row.feature}</code></th>
      <td className="quiet">{viewOf(row)}</td>
      <td><span className={row.alarm ? 'tag tag-strong' : 'quiet'}>{t(state)}</span></td>
      <td className="right number">{row.psi === null ? '–' : format.number(row.psi, 3)}</td>
      <td className="bar-cell">{row.psi !== null && <ShareBar share={row.psi / scale} strong={row.alarm} {...row.threshold === null ? {} : { mark: row.threshold / scale }} />}</td>
      <td className="right number quiet">{row.threshold === null ? '–' : format.number(row.threshold, 3)}</td>
      <td className="right number">{row.missingShare === null ? '–' : format.percent(row.missingShare)}</td>
      <td className="bar-cell bar-narrow">{row.missingShare !== null && <ShareBar share={row.missingShare} {...row.referenceMissingShare === null ? {} : { mark: row.referenceMissingShare }} />}</td>
      <td className="right number quiet">{row.referenceMissingShare === null ? '–' : format.percent(row.referenceMissingShare)}</td>
      <td className="right number quiet">{format.number(row.count)}</td>
    </tr>
  )
}
