import type { ReactNode } from 'react'
import type { WireAlert, WirePatient } from '../../../server/wire.ts'
import { AlertStrip, missingParts } from '../alerts/alert-strip.tsx'
import { useI18n, type I18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { Link } from '../shell/router.tsx'
import { Scores } from './scores.tsx'
import { BOARD_TILES, Vitals } from './vitals.tsx'

const STRIPS_MAX = 3
const RANK = { active: 0, latched: 1, acknowledged: 2, cleared: 3 } as const
const PRIORITY_RANK = { high: 0, medium: 1, low: 2 } as const

export function mostUrgentFirst (alerts: readonly WireAlert[]): readonly WireAlert[] {
  return alerts.filter(alert => alert.state !== 'cleared').sort((a, b) => RANK[a.state] - RANK[b.state] || PRIORITY_RANK[a.priority] - PRIORITY_RANK[b.priority] || a.raisedAt - b.raisedAt)
}

/** One bed. */
export function BedCard ({ patient, initials }: { readonly patient: WirePatient, readonly initials: boolean }): ReactNode {
  const i18n = useI18n()
  const { t } = i18n
  const alerts = mostUrgentFirst(patient.alerts)
  const worst = alerts[0]
  const tone = worst === undefined ? '' : worst.state === 'acknowledged' ? `bed-seen bed-${worst.priority}` : `bed-${worst.priority}`
  return (
    <article className={`bed ${tone}`} data-patient={patient.patient}>
      <Link className="bed-head" href={`/patient/${encodeURIComponent(patient.patient)}`}>
        <span className="bed-label"><span className="unseen">{t('board.bed')} </span>{patient.bed === '' ? t('board.noBed') : patient.bed}</span>
        <span className="bed-who"><span className="bed-name">{nameOf(patient, initials, i18n)}</span><span className="bed-facts"><strong>{patient.ward}</strong> {ageAndSex(patient, i18n)}</span></span>
      </Link>
      <Scores patient={patient} />
      <Vitals patient={patient} tiles={BOARD_TILES} />
      <div className="bed-alerts">
        {patient.news2?.atLeast === true && <p className="bed-missing">{t('news2.lowerBound', { parts: missingParts(patient.news2.missing, i18n) })}</p>}
        {alerts.slice(0, STRIPS_MAX).map(alert => <AlertStrip key={alert.id} alert={alert} />)}
        {alerts.length > STRIPS_MAX && <span className="quiet">{t('board.moreAlerts', { n: alerts.length - STRIPS_MAX })}</span>}
        {alerts.length === 0 && <span className="bed-calm">{t('board.noAlerts')}</span>}
      </div>
    </article>
  )
}

export function nameOf ({ identity }: WirePatient, initials: boolean, { t }: I18n): string {
  if (identity === null || identity.familyName + identity.givenName === '') return t('patient.unknownName')
  if (initials) return [identity.givenName, identity.familyName].filter(name => name !== '').map(name => `${[...name][0]}.`).join(' ')
  return [identity.familyName, identity.givenName].filter(name => name !== '').join(', ')
}

export function ageAndSex ({ ageYears, sex }: WirePatient, { t, format }: I18n): string {
  const age = ageYears === null || ageYears < 0 ? '' : t('patient.years', { n: format.number(Math.floor(ageYears)) })
  return [age, translateName(t, 'sex', sex)].filter(text => text !== '').join(' ')
}
