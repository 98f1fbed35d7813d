import { useState, type ReactNode } from 'react'
import type { WireCodes, WireFeed, WireFeeds, WireMappedCode } from '../../../server/wire.ts'
import { usePolled } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { CodeForm, IGNORE, useChange, type CodeFormProps, type Told } from './code-form.tsx'
import { ToldLine } from './told-line.tsx'

const CODES_POLL_MS = 5_000
/** What is shown unasked, and at most: a table may have thousands of rows. */
const SHOWN = 20
const SHOWN_MAX = 1_000

interface Props { readonly feed: WireFeed, readonly concepts: WireFeeds['concepts'], readonly onChanged: () => void }

/** The feed's own table, on request: what each code means, to be changed or taken out. */
export function OwnCodes ({ feed, concepts, onChanged }: Props): ReactNode {
  const { t } = useI18n()
  const [open, setOpen] = useState(false)
  const place = `own-codes-${feed.name}`
  if (feed.codes === 0 && !open) return null
  return (
    <>
      <h3>{t('feeds.table')} <button type="button" className="button-quiet" aria-label={t('feeds.tableOf', { feed: feed.name })} aria-expanded={open} aria-controls={place} onClick={() => { setOpen(!open) }}>{t(open ? 'feeds.tableClose' : 'feeds.tableOpen')}</button></h3>
      <div id={place} hidden={!open} className="own-codes">{open && <Table feed={feed} concepts={concepts} onChanged={onChanged} />}</div>
    </>
  )
}

function Table ({ feed, concepts, onChanged }: Props): ReactNode {
  const { t, format } = useI18n()
  const [all, setAll] = useState(false)
  const [wanted, setWanted] = useState('')
  const [told, setTold] = useState<Told>({ kind: 'nothing' })
  const query = new URLSearchParams({ find: wanted.trim(), limit: String(all ? SHOWN_MAX : SHOWN) })
  const { data, failure, refresh } = usePolled<WireCodes>(`/api/feeds/${encodeURIComponent(feed.name)}/codes?${query.toString()}`, CODES_POLL_MS)
  return (
    <>
      <ToldLine feed={feed.name} told={told} />
      {failure !== undefined && <p className="notice" role="alert">{t('page.failed', { reason: failure.message })}</p>}
      <p className="unmapped-find">
        <label>{t('feeds.find')}<input type="search" name={`find-own-${feed.name}`} value={wanted} placeholder={t('feeds.findOwnHint')} onChange={event => { setWanted(event.target.value) }} /></label>
        {data !== undefined && <span className="quiet" role="status">{t('feeds.shown', { shown: format.number(data.codes.length), total: format.number(data.matching) })}</span>}
        {data !== undefined && (all || data.matching > data.codes.length) && <button type="button" className="button-quiet" aria-expanded={all} onClick={() => { setAll(!all) }}>{t(all ? 'feeds.fewer' : 'feeds.all')}</button>}
      </p>
      {data !== undefined && data.codes.length > 0 && (
        <table className="unmapped">
          <caption className="unseen">{t('feeds.table')}</caption>
          <thead><tr><th scope="col">{t('feeds.code')}</th><th scope="col">{t('feeds.means')}</th><th scope="col">{t('feeds.unit')}</th><th scope="col">{t('letters.do')}</th></tr></thead>
          <tbody>{data.codes.map(code => <OwnRow key={`${code.system}|${code.code}`} feed={feed.name} code={code} concepts={concepts} onTold={news => { setTold(news); refresh(); onChanged() }} />)}</tbody>
        </table>
      )}
    </>
  )
}

/** `seen`: the row as it stood when the button was pressed; what is another by then is not overruled. */
type Doing = { readonly kind: 'nothing' } | { readonly kind: 'change' | 'remove', readonly seen: WireMappedCode }
const NOTHING: Doing = { kind: 'nothing' }

interface RowProps extends Omit<CodeFormProps, 'was'> { readonly code: WireMappedCode }

function OwnRow ({ feed, code, concepts, onTold }: RowProps): ReactNode {
  const { t } = useI18n()
  const [doing, setDoing] = useState<Doing>(NOTHING)
  const { sending, send } = useChange(feed, code, onTold)
  const { system, concept, unit } = code
  const told = (news: Told): void => { setDoing(NOTHING); onTold(news) }
  const remove = async (seen: WireMappedCode): Promise<void> => { await send('codes/remove', 'removed', { concept: seen.concept, unit: seen.unit }); setDoing(NOTHING) }
  const busy = sending.kind === 'sending'
  return (
    <tr data-own={code.code}>
      <th scope="row"><code>{system === '' ? code.code : `${system} | ${code.code}`}</code></th>
      <td data-label={t('feeds.means')}>{concept === IGNORE ? t('feeds.notWanted') : translateName(t, 'concept', concept)}</td>
      <td data-label={t('feeds.unit')}>{unit}</td>
      <td>
        <span className="letter-actions">
          {doing.kind === 'nothing' && <button type="button" aria-label={t('feeds.changeOf', { code: code.code })} onClick={() => { setDoing({ kind: 'change', seen: code }) }}>{t('feeds.change')}</button>}
          {doing.kind === 'nothing' && <button type="button" className="button-quiet" aria-label={t('feeds.removeOf', { code: code.code })} onClick={() => { setDoing({ kind: 'remove', seen: code }) }}>{t('feeds.remove')}</button>}
          {doing.kind === 'change' && <CodeForm feed={feed} code={code} concepts={concepts} was={doing.seen} onTold={told} />}
          {doing.kind === 'remove' && <button type="button" autoFocus disabled={busy} onClick={() => { void remove(doing.seen) }}>{t('feeds.removeReally', { code: code.code })}</button>}
          {doing.kind !== 'nothing' && <button type="button" className="button-quiet" disabled={busy} onClick={() => { setDoing(NOTHING) }}>{t('letters.keep')}</button>}
        </span>
        {sending.kind === 'failed' && <span className="did-not" role="alert">{t('feeds.failed', { reason: sending.reason })}</span>}
      </td>
    </tr>
  )
}
