import { useState, type FormEvent, type ReactNode } from 'react'
import type { WireFeed, WireFeeds, WireUnmapped } from '../../../server/wire.ts'
import { ApiFailure, postJson, type Sending } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { useServerNow } from '../live.ts'
import { Link } from '../shell/router.tsx'

interface Props { readonly feed: WireFeed, readonly concepts: WireFeeds['concepts'], readonly onMapped: () => void }

/** Codes that nothing maps, most often first, each with a form. */
export function UnmappedCodes ({ feed, concepts, onMapped }: Props): ReactNode {
  const { t, format } = useI18n()
  const [mapped, setMapped] = useState('')
  return (
    <>
      <h3>{t('feeds.unmapped')}</h3>
      <p role="status" className={mapped === '' ? 'unseen' : 'feed-mapped'}>{mapped !== '' && <>{t('feeds.mapped', { code: mapped })} <Link href={`/deadletters?cause=code-unknown&feed=${encodeURIComponent(feed.name)}`}>{t('feeds.toLetters')}</Link></>}</p>
      {feed.unmapped.length === 0 && <p className="quiet">{t('feeds.unmappedNone')}</p>}
      {feed.unmapped.length > 0 && (
        <table className="unmapped">
          <caption className="unseen">{t('feeds.unmapped')}</caption>
          <thead><tr><th scope="col">{t('feeds.code')}</th><th scope="col">{t('feeds.name')}</th><th scope="col">{t('feeds.unit')}</th><th scope="col" className="right">{t('feeds.count')}</th><th scope="col" className="right">{t('feeds.last')}</th><th scope="col">{t('feeds.mapTo')}</th></tr></thead>
          <tbody>{feed.unmapped.map(code => <UnmappedRow key={`${code.system}|${code.code}`} feed={feed.name} code={code} concepts={concepts} onMapped={() => { setMapped(code.code); onMapped() }} />)}</tbody>
        </table>
      )}
      {feed.others > 0 && <p className="quiet">{t('feeds.others', { n: format.number(feed.others) })}</p>}
    </>
  )
}

function UnmappedRow ({ feed, code, concepts, onMapped }: { readonly feed: string, readonly code: WireUnmapped, readonly concepts: Props['concepts'], readonly onMapped: () => void }): ReactNode {
  const { t, format } = useI18n()
  const now = useServerNow()
  return (
    <tr data-code={code.code}>
      <th scope="row"><code>{code.system === '' ? code.code : `${code.system} | ${code.code}`}</code></th>
      <td data-label={t('feeds.name')}>{code.text}</td>
      <td data-label={t('feeds.unit')}>{code.unit}</td>
      <td className="right number" data-label={t('feeds.count')}>{format.number(code.count)}</td>
      <td className="right quiet" data-label={t('feeds.last')}>{t('reading.ago', { age: format.age(now - code.lastAt) })}</td>
      <td><MapForm feed={feed} code={code} concepts={concepts} onMapped={onMapped} /></td>
    </tr>
  )
}

function MapForm ({ feed, code, concepts, onMapped }: { readonly feed: string, readonly code: WireUnmapped, readonly concepts: Props['concepts'], readonly onMapped: () => void }): ReactNode {
  const { t, format } = useI18n()
  const [concept, setConcept] = useState('')
  const [unit, setUnit] = useState('')
  const [sending, setSending] = useState<Sending>({ kind: 'idle' })
  const send = async (): Promise<void> => {
    setSending({ kind: 'sending' })
    try {
      await postJson(`/api/feeds/${encodeURIComponent(feed)}/codes`, { system: code.system, code: code.code, concept, unit })
      onMapped()
    } catch (error) {
      setSending({ kind: 'failed', reason: error instanceof ApiFailure ? error.message : String(error) })
    }
  }
  const submit = (event: FormEvent): void => { event.preventDefault(); void send() }
  return (
    <form className="map-code" onSubmit={submit}>
      <select required aria-label={t('feeds.conceptOf', { code: code.code })} value={concept} onChange={event => { setConcept(event.target.value) }}>
        <option value="">{t('feeds.choose')}</option>
        {concepts.map(({ id, unit: canonical }) => <option key={id} value={id}>{translateName(t, 'concept', id)} ({format.unit(canonical)})</option>)}
      </select>
      <input aria-label={t('feeds.unitOf', { code: code.code })} value={unit} maxLength={40} size={8} placeholder={t('feeds.unitHint')} onChange={event => { setUnit(event.target.value) }} />
      <button type="submit" aria-label={t('feeds.mapOf', { code: code.code })} disabled={sending.kind === 'sending'}>{sending.kind === 'sending' ? t('feeds.sending') : t('feeds.map')}</button>
      {sending.kind === 'failed' && <span className="did-not" role="alert">{t('feeds.failed', { reason: sending.reason })}</span>}
    </form>
  )
}
