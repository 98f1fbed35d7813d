import type { ReactNode } from 'react'
import { useI18n } from '../i18n/index.tsx'
import { Link } from '../shell/router.tsx'
import type { Told } from './code-form.tsx'

/** What was done last with a code of the feed, and the way to the letters that it concerns. */
export function ToldLine ({ feed, told }: { readonly feed: string, readonly told: Told }): ReactNode {
  const { t } = useI18n()
  return (
    <p role="status" className={told.kind === 'nothing' ? 'unseen' : 'feed-mapped'}>
      {told.kind === 'taken' && t('feeds.taken', told)}
      {told.kind === 'removed' && t('feeds.removed', told)}
      {(told.kind === 'mapped' || told.kind === 'ignored') && <>{t(told.kind === 'mapped' ? 'feeds.mapped' : 'feeds.ignored', told)} <Link href={`/deadletters?cause=code-unknown&feed=${encodeURIComponent(feed)}`}>{t('feeds.toLetters')}</Link></>}
    </p>
  )
}
