import type { ReactNode } from 'react'
import { useI18n } from '../i18n/index.tsx'
import { useLive, useServerNow } from '../live.ts'

/** Says that alerts do not arrive here any more, and how old the values on the page are. */
export function LostBanner (): ReactNode {
  const { t, format } = useI18n()
  const { connection, board } = useLive()
  const now = useServerNow()
  if (connection !== 'lost') return null
  return (
    <div className="lost">
      <svg viewBox="0 0 24 24" width="36" height="36" aria-hidden="true"><path d="M12 2 1 21h22Z" fill="none" stroke="currentColor" strokeWidth="2" strokeLinejoin="round" /><path d="M12 9v6M12 17.2v1.6" stroke="currentColor" strokeWidth="2.4" /></svg>
      <div>
        <strong role="alert">{t('lost.title')}</strong>
        <span>{board === undefined ? t('lost.never') : t('lost.detail', { age: format.age(now - board.now) })}</span>
      </div>
    </div>
  )
}
