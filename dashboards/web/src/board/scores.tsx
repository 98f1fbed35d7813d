import type { ReactNode } from 'react'
import type { WirePatient } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { missingParts } from '../alerts/alert-strip.tsx'

/** Clinical risk of an aggregate NEWS2 (RCP 2017): 0 none, 1-4 low, 5-6 medium, 7 or more high. */
export function news2Band (score: number): 'none' | 'low' | 'medium' | 'high' {
  if (score >= 7) return 'high'
  if (score >= 5) return 'medium'
  return score >= 1 ? 'low' : 'none'
}

/** NEWS2, with a "≥" where parts are missing, and the sepsis risk. Colour is kept for alerts; scores speak by number and word. */
export function Scores ({ patient: { news2, score } }: { readonly patient: WirePatient }): ReactNode {
  const i18n = useI18n()
  const { t, format } = i18n
  const probability = score?.probability ?? null
  return (
    <dl className="scores">
      <div className={`score score-${news2 === null ? 'unknown' : news2Band(news2.score)}`}>
        <dt>{t('news2.label')}</dt>
        <dd>
          <span className="score-value number" data-news2>{news2 === null ? '–' : <>{news2.atLeast && <abbr className="atleast" title={t('news2.atLeast', { score: news2.score })}>≥</abbr>}{format.number(news2.score)}</>}</span>
          <span className="score-word">{news2 === null ? t('news2.none') : t(`news2.band.${news2Band(news2.score)}`)}</span>
        </dd>
      </div>
      <div className={`score ${probability === null ? 'score-unknown' : ''}`}>
        <dt>{t('risk.label')}</dt>
        <dd><span className="score-value number">{probability === null ? '–' : format.risk(probability)}</span>{probability === null && <span className="score-word">{t('risk.none')}</span>}</dd>
      </div>
      {news2?.atLeast === true && <div className="score-missing"><dt className="unseen">{t('news2.label')}</dt><dd>{t('news2.missing', { parts: missingParts(news2.missing, i18n) })}</dd></div>}
    </dl>
  )
}
