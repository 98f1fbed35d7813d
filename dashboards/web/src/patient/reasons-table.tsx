import type { ReactNode } from 'react'
import type { WireReason } from '../../../server/wire.ts'
import { useI18n, type I18n } from '../i18n/index.tsx'
import { NEWS2_PARTS, featureName, news2PartOf } from '../i18n/feature-names.ts'
import { useServerNow } from '../live.ts'
import { ShareBar } from '../shell/share-bar.tsx'
import { readingText } from './news2-table.tsx'

/** Why: each reason's value, its part in the score as a bar (to the left where some lower it), and its age. */
export function ReasonsTable ({ reasons, caption }: { readonly reasons: readonly WireReason[], readonly caption: string }): ReactNode {
  const i18n = useI18n()
  const { t, format } = i18n
  const now = useServerNow()
  const largest = Math.max(...reasons.map(reason => Math.abs(reason.contribution ?? 0)), 1e-9)
  const signed = reasons.some(reason => (reason.contribution ?? 0) < 0)
  const sorted = [...reasons].sort((a, b) => Math.abs(b.contribution ?? 0) - Math.abs(a.contribution ?? 0))
  return (
    <table className="reasons">
      <caption className="unseen">{caption}</caption>
      <thead><tr><th scope="col">{t('reasons.name')}</th><th scope="col" className="right">{t('reasons.value')}</th><th scope="col" colSpan={2}>{t('reasons.contribution')}</th><th scope="col" className="right">{t('reasons.age')}</th></tr></thead>
      <tbody>{sorted.map(reason => (
        <tr key={reason.feature}>
          <th scope="row">{featureName(t, reason.feature)}</th>
          <td className="right number">{valueText(reason, i18n)}</td>
          <td className="right number">{reason.contribution === null ? '–' : `${reason.contribution > 0 ? '+' : ''}${format.significant(reason.contribution, 2)}`}</td>
          <td className="bar-cell"><ShareBar share={(reason.contribution ?? 0) / largest} signed={signed} /></td>
          <td className="right quiet">{reason.eventTime === null ? '–' : format.age(now - reason.eventTime)}</td>
        </tr>
      ))}</tbody>
    </table>
  )
}

/** A part of NEWS2 carries what was measured; a feature of a model is a plain number. */
function valueText ({ feature, value }: WireReason, i18n: I18n): string {
  if (value === null) return '–'
  const part = /^news2./.test(feature) ? news2PartOf(feature) : undefined
  const concept = NEWS2_PARTS.find(one => one.part === part)?.concept
  return concept === undefined ? i18n.format.significant(value) : readingText({ concept, value, unit: '' }, i18n)
}
