import { useState, type ReactNode } from 'react'
import type { WireLetter } from '../../../server/wire.ts'
import { ApiFailure, postJson, type Sending } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { useServerNow } from '../live.ts'
import { LetterMore } from './letter-more.tsx'

const COLUMNS = 8

export function LetterTable ({ letters, onDone }: { readonly letters: readonly WireLetter[], readonly onDone: () => void }): ReactNode {
  const { t } = useI18n()
  return (
    <section className="panel">
      <table className="letter-table">
        <caption className="unseen">{t('letters.title')}</caption>
        <thead><tr>
          <th scope="col" className="right">{t('letters.offset')}</th><th scope="col">{t('letters.cause')}</th><th scope="col">{t('letters.where')}</th><th scope="col">{t('letters.feed')}</th>
          <th scope="col" className="right">{t('letters.bytes')}</th><th scope="col" className="right">{t('letters.refused')}</th><th scope="col">{t('letters.state')}</th><th scope="col">{t('letters.do')}</th>
        </tr></thead>
        <tbody>{letters.map(letter => <LetterRow key={letter.offset} letter={letter} onDone={onDone} />)}</tbody>
      </table>
    </section>
  )
}

function LetterRow ({ letter, onDone }: { readonly letter: WireLetter, readonly onDone: () => void }): ReactNode {
  const { t, format } = useI18n()
  const now = useServerNow()
  const [explained, setExplained] = useState(false)
  const { offset, cause, detail, feed, source, bytes, refusedAt } = letter
  const more = `letter-${offset}-more`
  return (
    <>
      <tr data-letter={offset}>
        <td className="right number" data-label={t('letters.offset')}>{offset}</td>
        <th scope="row">{translateName(t, 'cause', cause)}</th>
        <td data-label={t('letters.where')}>{detail}</td>
        <td data-label={t('letters.feed')}>{feed === '' ? <code className="quiet">{source}</code> : feed}</td>
        <td className="right number" data-label={t('letters.bytes')}>{format.number(bytes)}</td>
        <td className="right quiet" data-label={t('letters.refused')}>{t('reading.ago', { age: format.age(now - refusedAt) })}</td>
        <td data-label={t('letters.state')}><State letter={letter} /></td>
        <td>
          <span className="letter-actions">
            <button type="button" className="button-quiet" aria-label={t('letters.explainOf', { offset })} aria-expanded={explained} aria-controls={more} onClick={() => { setExplained(!explained) }}>{t('letters.explain')}</button>
            {letter.state === 'open' && <Actions letter={letter} onDone={onDone} />}
          </span>
        </td>
      </tr>
      <tr id={more} hidden={!explained} data-explained={offset}>{explained && <td colSpan={COLUMNS}><LetterMore letter={letter} /></td>}</tr>
    </>
  )
}

function State ({ letter: { state, attempts, last } }: { readonly letter: WireLetter }): ReactNode {
  const { t, format } = useI18n()
  const now = useServerNow()
  return (
    <>
      <span>{t(`letters.state.${state}`)}{attempts > 1 && <span className="quiet"> {t('letters.tried', { n: attempts })}</span>}</span>
      {last !== null && <span className="letter-last">{t('letters.by', { outcome: translateName(t, 'letters.outcome', last.outcome), who: last.by, age: format.age(now - last.at) })}{last.cause !== '' ? `: ${translateName(t, 'cause', last.cause)}` : last.detail !== '' && `: ${last.detail}`}</span>}
    </>
  )
}

/** Retry, or drop in two steps: a dropped letter does not come back. */
function Actions ({ letter: { offset, retryable }, onDone }: { readonly letter: WireLetter, readonly onDone: () => void }): ReactNode {
  const { t } = useI18n()
  const [asking, setAsking] = useState(false)
  const [sending, setSending] = useState<Sending>({ kind: 'idle' })
  const send = async (what: 'retry' | 'drop'): Promise<void> => {
    setSending({ kind: 'sending' })
    try {
      await postJson(`/api/deadletters/${offset}/${what}`, {})
      setSending({ kind: 'idle' })
    } catch (error) {
      setSending({ kind: 'failed', reason: error instanceof ApiFailure ? error.message : String(error) })
    }
    setAsking(false)
    onDone()
  }
  const busy = sending.kind === 'sending'
  return (
    <span className="letter-actions">
      {!asking && retryable && <button type="button" aria-label={t('letters.retryOf', { offset })} disabled={busy} onClick={() => { void send('retry') }}>{busy ? t('feeds.sending') : t('letters.retry')}</button>}
      {!asking && !retryable && <span className="quiet">{t('letters.noFeed')}</span>}
      {!asking && <button type="button" className="button-quiet" aria-label={t('letters.dropOf', { offset })} disabled={busy} onClick={() => { setAsking(true) }}>{t('letters.drop')}</button>}
      {asking && <button type="button" autoFocus disabled={busy} onClick={() => { void send('drop') }}>{t('letters.dropReally')}</button>}
      {asking && <button type="button" className="button-quiet" disabled={busy} onClick={() => { setAsking(false) }}>{t('letters.keep')}</button>}
      {sending.kind === 'failed' && <span className="did-not" role="alert">{t('feeds.failed', { reason: sending.reason })}</span>}
    </span>
  )
}
