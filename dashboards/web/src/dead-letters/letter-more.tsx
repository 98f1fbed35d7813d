import { useState, type ReactNode } from 'react'
import type { WireLetter } from '../../../server/wire.ts'
import { ApiFailure, getBytes } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { Link } from '../shell/router.tsx'
import { linesOf, textOf, type MessageLine } from './place.ts'

type Shown = { readonly kind: 'closed' | 'asking' } | { readonly kind: 'open', readonly lines: readonly MessageLine[] } | { readonly kind: 'failed', readonly reason: string }

/** Causes that end when the feed's mapping says more. */
const MENDED_BY_MAPPING = new Set(['code-unknown', 'unit-unknown'])

/** What one refusal wants of the reader and, when asked for, the message with the place marked: it may name a patient, so nothing shows it unasked. */
export function LetterMore ({ letter: { offset, cause, detail, feed, source } }: { readonly letter: WireLetter }): ReactNode {
  const { t } = useI18n()
  const [shown, setShown] = useState<Shown>({ kind: 'closed' })
  const show = async (): Promise<void> => {
    setShown({ kind: 'asking' })
    try {
      setShown({ kind: 'open', lines: linesOf(textOf(await getBytes(`/api/deadletters/${offset}?raw=1`)), detail) })
    } catch (error) {
      setShown({ kind: 'failed', reason: error instanceof ApiFailure ? error.message : String(error) })
    }
  }
  return (
    <div className="letter-more">
      <p>{translateName(t, 'advice', cause)} {MENDED_BY_MAPPING.has(cause) && feed !== '' && <Link href="/feeds">{t('letters.toFeeds')}</Link>}</p>
      <p className="quiet">{t('letters.source')}: <code>{source}</code></p>
      {shown.kind !== 'open' && <p><button type="button" aria-label={t('letters.showOf', { offset })} disabled={shown.kind === 'asking'} onClick={() => { void show() }}>{t('letters.show')}</button> <span className="quiet">{t('letters.showNote')}</span></p>}
      {shown.kind === 'failed' && <p className="did-not" role="alert">{t('feeds.failed', { reason: shown.reason })}</p>}
      {shown.kind === 'open' && (
        <ol className="letter-message" aria-label={t('letters.message', { offset })} tabIndex={0}>
          {shown.lines.map(({ before, marked, after, isPlace }, i) => <li key={i} className={isPlace ? 'letter-place' : ''}><code>{before}{marked !== '' && <mark>{marked}</mark>}{after}</code></li>)}
        </ol>
      )}
    </div>
  )
}
