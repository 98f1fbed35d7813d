import type { ReactNode } from 'react'
import type { WirePatient, WirePriority } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'

const PRIORITIES: readonly WirePriority[] = ['high', 'medium', 'low']
const MARKS = { high: '!!!', medium: '!!', low: '!' } as const

/** What the ward looks like in one line. */
export function Counts ({ patients }: { readonly patients: readonly WirePatient[] }): ReactNode {
  const { t, format } = useI18n()
  const alerts = patients.flatMap(patient => patient.alerts)
  const waiting = alerts.filter(alert => alert.state === 'active' || alert.state === 'latched')
  return (
    <dl className="counts">
      <div><dt>{t('board.beds')}</dt><dd>{format.number(patients.length)}</dd></div>
      <div className="counts-waiting">
        <dt>{t('board.unacknowledged')}</dt>
        <dd>{PRIORITIES.map(priority => {
          const n = waiting.filter(alert => alert.priority === priority).length
          return <span key={priority} className={`count count-${priority} ${n === 0 ? 'count-zero' : ''}`}><span aria-hidden="true">{MARKS[priority]}</span> <span className="unseen">{t(`priority.${priority}`)}</span> {format.number(n)}</span>
        })}</dd>
      </div>
      <div><dt>{t('board.acknowledged')}</dt><dd>{format.number(alerts.filter(alert => alert.state === 'acknowledged').length)}</dd></div>
      <div><dt>{t('board.incomplete')}</dt><dd>{format.number(patients.filter(patient => patient.news2?.atLeast === true).length)}</dd></div>
    </dl>
  )
}
