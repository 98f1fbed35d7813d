import { useState, type ReactNode } from 'react'
import type { WireFeed, WireFeeds } from '../../../server/wire.ts'
import { ApiFailure, postJson, usePolled, type Sending } from '../api.ts'
import { useI18n } from '../i18n/index.tsx'
import { DeviceClocks } from './device-clocks.tsx'
import { HealthTag } from './health-tag.tsx'
import { OwnCodes } from './own-codes.tsx'
import { UnmappedCodes } from './unmapped-codes.tsx'

const FEEDS_POLL_MS = 5_000

/** Every feed: how it stands, what became of its messages, and the codes that nothing maps. */
export function FeedsPage (): ReactNode {
  const { t } = useI18n()
  const { data, failure, refresh } = usePolled<WireFeeds>('/api/feeds', FEEDS_POLL_MS)
  return (
    <div className="feeds">
      <h1>{t('feeds.title')}</h1>
      <p className="feeds-intro">{t('feeds.intro')}</p>
      {failure !== undefined && <p className="notice" role="alert">{failure.status === 404 ? t('feeds.none') : t('page.failed', { reason: failure.message })}</p>}
      {data === undefined && failure === undefined && <p className="notice">{t('page.loading')}</p>}
      {data !== undefined && data.feeds.length === 0 && <p className="notice">{t('feeds.none')}</p>}
      {data !== undefined && data.feeds.length > 0 && <Reload onDone={refresh} />}
      {data?.feeds.map(feed => <FeedPanel key={feed.name} feed={feed} concepts={data.concepts} onMapped={refresh} />)}
    </div>
  )
}

function FeedPanel ({ feed, concepts, onMapped }: { readonly feed: WireFeed, readonly concepts: WireFeeds['concepts'], readonly onMapped: () => void }): ReactNode {
  const { t, format } = useI18n()
  const { name, connector, endpoint, health, configuration, counts, codes, clocks, zone, site } = feed
  const heading = `feed-${name}`
  return (
    <section className="panel feed" aria-labelledby={heading} data-feed={name}>
      <div className="panel-head"><h2 id={heading}>{name} <span className="quiet">{connector}</span> <code className="quiet">{endpoint}</code></h2><HealthTag health={health} /></div>
      {configuration.state !== 'current' && (
        <div className="feed-configuration" role="status"><p><strong>{t(`feeds.config.${configuration.state}`)}</strong></p><ul>{configuration.faults.slice(0, 10).map(fault => <li key={fault}><code>{fault}</code></li>)}</ul></div>
      )}
      <dl className="feed-facts">
        {(['published', 'duplicates', 'refused', 'archived', 'codesIgnored'] as const).map(what => <div key={what}><dt>{t(`feeds.${what}`)}</dt><dd className="number">{format.number(counts[what])}</dd></div>)}
        <div><dt>{t('feeds.codes')}</dt><dd className="number">{format.number(codes)}</dd></div>
        <div><dt>{t('feeds.zone')}</dt><dd>{zone}</dd></div>
        {site !== '' && <div><dt>{t('feeds.site')}</dt><dd>{site}</dd></div>}
      </dl>
      {clocks !== null && <DeviceClocks clocks={clocks} />}
      <UnmappedCodes feed={feed} concepts={concepts} onMapped={onMapped} />
      <OwnCodes feed={feed} concepts={concepts} onChanged={onMapped} />
    </section>
  )
}

interface Reloaded { readonly changed: readonly string[], readonly refused: readonly string[] }

function Reload ({ onDone }: { readonly onDone: () => void }): ReactNode {
  const { t } = useI18n()
  const [sending, setSending] = useState<Sending>({ kind: 'idle' })
  const reload = async (): Promise<void> => {
    setSending({ kind: 'sending' })
    try {
      const { changed, refused } = await postJson<Reloaded>('/api/feeds/reload', {})
      setSending({ kind: 'done', text: t('feeds.reloaded', { changed: changed.length, refused: refused.length }) })
      onDone()
    } catch (error) {
      setSending({ kind: 'failed', reason: error instanceof ApiFailure ? error.message : String(error) })
    }
  }
  return (
    <p className="feeds-reload">
      <button type="button" disabled={sending.kind === 'sending'} onClick={() => { void reload() }}>{sending.kind === 'sending' ? t('feeds.sending') : t('feeds.reload')}</button>
      <span role="status">{sending.kind === 'done' && sending.text}</span>
      {sending.kind === 'failed' && <span className="did-not" role="alert">{t('feeds.failed', { reason: sending.reason })}</span>}
    </p>
  )
}
