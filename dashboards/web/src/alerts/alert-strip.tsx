import type { ReactNode } from 'react'
import type { WireAlert } from '../../../server/wire.ts'
import { useI18n, type I18n } from '../i18n/index.tsx'
import { partName } from '../i18n/feature-names.ts'
import { translateName } from '../i18n/translate.ts'
import { useServerNow } from '../live.ts'
import { AcknowledgeButton } from './acknowledge-button.tsx'
import { PriorityMark } from './priority-mark.tsx'

/** The value that raised an alert, and its limit: points, a share, or for no-data nothing. */
export function alertValue ({ rule, value, threshold, missing }: WireAlert, { t, format }: I18n): string {
  if (value === null) return ''
  const write = (n: number): string => rule === 'sepsis-risk' ? format.risk(n) : format.number(n)
  // NEWS2 is urgent below its limit too, where a single part scores 3 (RCP 2017).
  if (rule === 'news2-urgent' && threshold !== null && value < threshold) return `${missing.length > 0 ? '≥' : ''}${write(value)} (${t('alert.redPart')})`
  return `${missing.length > 0 ? '≥' : ''}${write(value)}${threshold === null ? '' : ` (${t('alert.limit', { limit: write(threshold) })})`}`
}

export function alertStateText (alert: WireAlert, { t }: I18n): string {
  if (alert.state === 'acknowledged' && alert.acknowledgedBy !== '') return t('alert.by', { who: translateName(t, 'role', alert.acknowledgedBy) })
  return alert.state === 'active' ? '' : t(`alert.state.${alert.state}`)
}

/** One line per alert: priority, rule, value, how long, and the button while nobody has acknowledged it. */
export function AlertStrip ({ alert }: { readonly alert: WireAlert }): ReactNode {
  const i18n = useI18n()
  const { t, format } = i18n
  const now = useServerNow()
  const wantsAcknowledgement = alert.state === 'active' || alert.state === 'latched'
  return (
    <div className={`strip strip-${alert.priority} strip-${alert.state}`} data-alert={alert.id} data-state={alert.state}>
      <PriorityMark alert={alert} />
      <span className="strip-what">
        <span className="strip-rule">{translateName(t, 'rule', alert.rule)} <span className="number">{alertValue(alert, i18n)}</span></span>
        <span className="strip-since">{[alertStateText(alert, i18n), t('alert.since', { age: format.age(now - alert.raisedAt) })].filter(text => text !== '').join(', ')}</span>
      </span>
      {wantsAcknowledgement && <AcknowledgeButton key={alert.state} alert={alert} />}
    </div>
  )
}

/** The parts of NEWS2 that an alert does without. */
export function missingParts (missing: readonly string[], { t }: I18n): string { return missing.map(name => partName(t, name).toLowerCase()).join(', ') }
