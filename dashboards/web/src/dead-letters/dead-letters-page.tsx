import { useState, type ReactNode } from 'react'
import type { WireDropRound, WireLetters, WireRetryRound } from '../../../server/wire.ts'
import { ApiFailure, postJson, usePolled, type Sending } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { Link, setQuery, usePlace } from '../shell/router.tsx'
import { LetterTable } from './letter-table.tsx'

const LETTERS_POLL_MS = 5_000
/** That one request drops. */
const DROPPED_MAX = 50_000
const STATES = ['open', 'retried', 'dropped', 'all'] as const
const FILTERS = ['cause', 'feed', 'state', 'after'] as const

/** Dead letters, filtered by the address, with what can be done with them. */
export function DeadLettersPage (): ReactNode {
  const { t, format } = useI18n()
  const { query } = usePlace()
  const wanted = new URLSearchParams(FILTERS.flatMap(name => { const value = query.get(name) ?? ''; return value === '' ? [] : [[name, value]] }))
  const { data, failure, refresh } = usePolled<WireLetters>(`/api/deadletters${wanted.size === 0 ? '' : `?${wanted.toString()}`}`, LETTERS_POLL_MS)
  const older = new URLSearchParams(wanted)
  if (typeof data?.next === 'number') older.set('after', String(data.next))
  const newest = new URLSearchParams(wanted)
  newest.delete('after')
  return (
    <div className="letters">
      <h1>{t('letters.title')}</h1>
      <p className="letters-intro">{t('letters.intro')}</p>
      <Filters data={data} onRetried={refresh} />
      {failure !== undefined && <p className="notice" role="alert">{t('page.failed', { reason: failure.message })}</p>}
      {data === undefined && failure === undefined && <p className="notice">{t('page.loading')}</p>}
      {data !== undefined && <p className="quiet" role="status">{t('letters.matching', { n: format.number(data.matching) })}</p>}
      {data !== undefined && data.letters.length === 0 && <p className="notice">{t('letters.none')}</p>}
      {data !== undefined && data.letters.length > 0 && <LetterTable letters={data.letters} onDone={refresh} />}
      <p className="letters-pages">
        {query.has('after') && <Link href={`/deadletters${newest.size === 0 ? '' : `?${newest.toString()}`}`}>{t('letters.newest')}</Link>}
        {typeof data?.next === 'number' && <Link href={`/deadletters?${older.toString()}`}>{t('letters.older')}</Link>}
      </p>
    </div>
  )
}

function Filters ({ data, onRetried }: { readonly data: WireLetters | undefined, readonly onRetried: () => void }): ReactNode {
  const { t } = useI18n()
  const { query } = usePlace()
  const cause = query.get('cause') ?? ''
  const feed = query.get('feed') ?? ''
  const feeds = [...new Set([...data?.feeds ?? [], ...feed === '' ? [] : [feed]])]
  const set = (name: string, value: string): void => { setQuery('after', ''); setQuery(name, value) }
  return (
    <div className="letters-filters">
      <label>{t('letters.cause')}
        <select name="cause" value={cause} onChange={event => { set('cause', event.target.value) }}><option value="">{t('letters.all')}</option>{[...new Set([...data?.causes ?? [], ...cause === '' ? [] : [cause]])].map(one => <option key={one} value={one}>{translateName(t, 'cause', one)}</option>)}</select>
      </label>
      <label>{t('letters.feed')}
        <select name="feed" value={feed} onChange={event => { set('feed', event.target.value) }}><option value="">{t('letters.all')}</option>{feeds.map(one => <option key={one} value={one}>{one}</option>)}</select>
      </label>
      <label>{t('letters.state')}
        <select name="state" value={query.get('state') ?? 'open'} onChange={event => { set('state', event.target.value === 'open' ? '' : event.target.value) }}>{STATES.map(one => <option key={one} value={one}>{t(`letters.state.${one}`)}</option>)}</select>
      </label>
      <RetryAll cause={cause} feed={feed} possible={data?.letters.some(({ retryable }) => retryable) === true} onDone={onRetried} />
      {!query.has('state') && <DropAll cause={cause} feed={feed} matching={data?.matching ?? 0} onDone={onRetried} />}
    </div>
  )
}

function RetryAll ({ cause, feed, possible, onDone }: { readonly cause: string, readonly feed: string, readonly possible: boolean, readonly onDone: () => void }): ReactNode {
  const { t } = useI18n()
  const [sending, setSending] = useState<Sending>({ kind: 'idle' })
  const send = async (): Promise<void> => {
    setSending({ kind: 'sending' })
    try {
      const { tried, published, duplicate, refused, left } = await postJson<WireRetryRound>('/api/deadletters/retry', { ...cause === '' ? {} : { cause }, ...feed === '' ? {} : { feed } })
      setSending({ kind: 'done', text: t('letters.round', { tried, published, duplicate, refused, left }) })
    } catch (error) {
      setSending({ kind: 'failed', reason: error instanceof ApiFailure ? error.message : String(error) })
    }
    onDone()
  }
  return (
    <>
      <button type="button" disabled={!possible || sending.kind === 'sending'} onClick={() => { void send() }}>{sending.kind === 'sending' ? t('feeds.sending') : t('letters.retryAll')}</button>
      <span role="status" className="letters-round">{sending.kind === 'done' && sending.text}</span>
      {sending.kind === 'failed' && <span className="did-not" role="alert">{t('feeds.failed', { reason: sending.reason })}</span>}
    </>
  )
}

/** In two steps, of which the second says how many: those that were counted, and none that came since. */
function DropAll ({ cause, feed, matching, onDone }: { readonly cause: string, readonly feed: string, readonly matching: number, readonly onDone: () => void }): ReactNode {
  const { t, format } = useI18n()
  const [counted, setCounted] = useState<{ readonly cause: string, readonly feed: string, readonly n: number }>()
  const [sending, setSending] = useState<Sending>({ kind: 'idle' })
  const asking = counted !== undefined && counted.cause === cause && counted.feed === feed // another filter asks anew
  const send = async (limit: number): Promise<void> => {
    setSending({ kind: 'sending' })
    try {
      const { dropped, left } = await postJson<WireDropRound>('/api/deadletters/drop', { ...cause === '' ? {} : { cause }, ...feed === '' ? {} : { feed }, limit })
      setSending({ kind: 'done', text: t('letters.dropRound', { dropped: format.number(dropped), left: format.number(left) }) })
    } catch (error) {
      setSending({ kind: 'failed', reason: error instanceof ApiFailure ? error.message : String(error) })
    }
    setCounted(undefined)
    onDone()
  }
  const busy = sending.kind === 'sending'
  return (
    <>
      {!asking && <button type="button" className="button-quiet" disabled={matching === 0 || busy} onClick={() => { setCounted({ cause, feed, n: Math.min(matching, DROPPED_MAX) }) }}>{t('letters.dropAll')}</button>}
      {asking && <button type="button" autoFocus disabled={busy} onClick={() => { void send(counted.n) }}>{busy ? t('feeds.sending') : t('letters.dropAllReally', { n: format.number(counted.n) })}</button>}
      {asking && <button type="button" className="button-quiet" disabled={busy} onClick={() => { setCounted(undefined) }}>{t('letters.keep')}</button>}
      <span role="status" className="letters-round">{sending.kind === 'done' && sending.text}</span>
      {sending.kind === 'failed' && <span className="did-not" role="alert">{t('feeds.failed', { reason: sending.reason })}</span>}
    </>
  )
}
