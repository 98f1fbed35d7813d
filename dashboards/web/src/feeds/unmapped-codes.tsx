import { useState, type ReactNode } from 'react'
import type { WireFeed, WireFeeds, WireUnmapped } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { useServerNow } from '../live.ts'
import { CodeForm, type Told } from './code-form.tsx'
import { ToldLine } from './told-line.tsx'

/** What is shown unasked: a feed may have hundreds, and the next feed stands below. */
const SHOWN = 10

interface Props { readonly feed: WireFeed, readonly concepts: WireFeeds['concepts'], readonly onMapped: () => void }

/** Codes that nothing maps, most often first, each with a form. */
export function UnmappedCodes ({ feed, concepts, onMapped }: Props): ReactNode {
  const { t, format } = useI18n()
  const [told, setTold] = useState<Told>({ kind: 'nothing' })
  const [all, setAll] = useState(false)
  const [wanted, setWanted] = useState('')
  const found = feed.unmapped.filter(code => wordsOf(code).includes(wanted.trim().toLowerCase()))
  const shown = all || wanted.trim() !== '' ? found : found.slice(0, SHOWN)
  return (
    <>
      <h3>{t('feeds.unmapped')}</h3>
      <ToldLine feed={feed.name} told={told} />
      {feed.unmapped.length === 0 && <p className="quiet">{t('feeds.unmappedNone')}</p>}
      {feed.unmapped.length > SHOWN && (
        <p className="unmapped-find">
          <label>{t('feeds.find')}<input type="search" name={`find-${feed.name}`} value={wanted} placeholder={t('feeds.findHint')} onChange={event => { setWanted(event.target.value) }} /></label>
          <span className="quiet" role="status">{t('feeds.shown', { shown: format.number(shown.length), total: format.number(feed.unmapped.length) })}</span>
          {wanted.trim() === '' && <button type="button" className="button-quiet" aria-expanded={all} onClick={() => { setAll(!all) }}>{t(all ? 'feeds.fewer' : 'feeds.all')}</button>}
        </p>
      )}
      {shown.length > 0 && (
        <table className="unmapped">
          <caption className="unseen">{t('feeds.unmapped')}</caption>
          <thead><tr><th scope="col">{t('feeds.code')}</th><th scope="col">{t('feeds.name')}</th><th scope="col">{t('feeds.unit')}</th><th scope="col" className="right">{t('feeds.count')}</th><th scope="col" className="right">{t('feeds.last')}</th><th scope="col">{t('feeds.mapTo')}</th></tr></thead>
          <tbody>{shown.map(code => <UnmappedRow key={`${code.system}|${code.code}`} feed={feed.name} code={code} concepts={concepts} onTold={news => { setTold(news); onMapped() }} />)}</tbody>
        </table>
      )}
      {feed.others > 0 && <p className="quiet">{t('feeds.others', { n: format.number(feed.others) })}</p>}
    </>
  )
}

interface RowProps { readonly feed: string, readonly code: WireUnmapped, readonly concepts: Props['concepts'], readonly onTold: (news: Told) => void }

function wordsOf ({ system, code, text }: WireUnmapped): string { return `${system} | ${code} ${text}`.toLowerCase() }

function UnmappedRow ({ feed, code, concepts, onTold }: RowProps): ReactNode {
  const { t, format } = useI18n()
  const now = useServerNow()
  return (
    <tr data-code={code.code}>
      <th scope="row"><code>{code.system === '' ? code.code : `${code.system} | ${code.code}`}</code></th>
      <td data-label={t('feeds.name')}>{code.text}</td>
      <td data-label={t('feeds.unit')}>{code.unit}</td>
      <td className="right number" data-label={t('feeds.count')}>{format.number(code.count)}</td>
      <td className="right quiet" data-label={t('feeds.last')}>{t('reading.ago', { age: format.age(now - code.lastAt) })}</td>
      <td><CodeForm feed={feed} code={code} concepts={concepts} onTold={onTold} /></td>
    </tr>
  )
}
