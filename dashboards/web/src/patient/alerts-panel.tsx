import type { ReactNode } from 'react'
import type { WireAlert, WirePatient } from '../../../server/wire.ts'
import { AlertStrip, alertStateText, alertValue, missingParts } from '../alerts/alert-strip.tsx'
import { PriorityMark } from '../alerts/priority-mark.tsx'
import { usePolled } from '../api.ts'
import { mostUrgentFirst } from '../board/bed-card.tsx'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { ReasonsTable } from './reasons-table.tsx'

const HISTORY_POLL_MS = 10_000

/** Open alerts with their reasons, then past ones. */
export function AlertsPanel ({ patient }: { readonly patient: WirePatient }): ReactNode {
  const { t } = useI18n()
  const history = usePolled<readonly WireAlert[]>(`/api/patients/${encodeURIComponent(patient.patient)}/alerts`, HISTORY_POLL_MS)
  const open = mostUrgentFirst(patient.alerts)
  const past = (history.data ?? []).filter(alert => alert.state === 'cleared')
  return (
    <section className="panel patient-alerts" aria-labelledby="alerts">
      <h2 id="alerts">{t('patient.alerts')}</h2>
      {open.length === 0 && <p className="quiet">{t('board.noAlerts')}</p>}
      {open.map(alert => <OpenAlert key={alert.id} alert={alert} />)}
      <h3>{t('patient.history')}</h3>
      {past.length === 0 ? <p className="quiet">{t('patient.noHistory')}</p> : <ul className="past">{past.map(alert => <PastAlert key={alert.id} alert={alert} />)}</ul>}
    </section>
  )
}

function OpenAlert ({ alert }: { readonly alert: WireAlert }): ReactNode {
  const i18n = useI18n()
  const { t, format } = i18n
  const times = [alert.onsetEventTime === null ? '' : t('alert.onset', { time: format.timeWithSeconds(alert.onsetEventTime) }), t('alert.raised', { time: format.timeWithSeconds(alert.raisedAt) }), t('alert.basis', { basis: alert.basis })]
  return (
    <article className="why">
      <AlertStrip alert={alert} />
      <p className="quiet why-times">{times.filter(text => text !== '').join(' · ')}</p>
      {alert.missing.length > 0 && <p className="why-missing">{t('alert.lowerBound', { parts: missingParts(alert.missing, i18n) })}</p>}
      {alert.reasons.length === 0 ? <p className="quiet">{alert.rule === 'no-data' ? t('alert.noReasons') : ''}</p> : <ReasonsTable reasons={alert.reasons} caption={t('alert.why')} />}
    </article>
  )
}

function PastAlert ({ alert }: { readonly alert: WireAlert }): ReactNode {
  const i18n = useI18n()
  const { t, format } = i18n
  const who = alert.acknowledgedBy === '' ? '' : t('alert.by', { who: translateName(t, 'role', alert.acknowledgedBy) })
  return (
    <li>
      <PriorityMark alert={alert} />
      <span>{translateName(t, 'rule', alert.rule)} <span className="number">{alertValue(alert, i18n)}</span></span>
      <span className="quiet">{[t('alert.raised', { time: format.dayAndTime(alert.raisedAt) }), t('alert.changed', { time: format.dayAndTime(alert.changedAt) }), alertStateText(alert, i18n), who].filter(text => text !== '').join(' · ')}</span>
    </li>
  )
}
