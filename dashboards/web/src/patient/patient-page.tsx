import type { ReactNode } from 'react'
import type { WireFeatures, WirePatient } from '../../../server/wire.ts'
import { usePolled } from '../api.ts'
import { ageAndSex, nameOf } from '../board/bed-card.tsx'
import { Scores } from '../board/scores.tsx'
import { PATIENT_TILES, Vitals } from '../board/vitals.tsx'
import { useI18n } from '../i18n/index.tsx'
import { useLive } from '../live.ts'
import { Link } from '../shell/router.tsx'
import { AlertsPanel } from './alerts-panel.tsx'
import { Encounter } from './encounter.tsx'
import { FeatureTables } from './feature-tables.tsx'
import { News2Table } from './news2-table.tsx'
import { ReasonsTable } from './reasons-table.tsx'
import { Trends } from './trends.tsx'

const PATIENT_POLL_MS = 5_000
const FEATURES_POLL_MS = 3_000

/** One patient: alerts and why, latest values, NEWS2 by part, trends, features. Live while the patient is on the board. */
export function PatientPage ({ patient: key }: { readonly patient: string }): ReactNode {
  const { t } = useI18n()
  const { board } = useLive()
  const url = `/api/patients/${encodeURIComponent(key)}`
  const asked = usePolled<WirePatient>(url, PATIENT_POLL_MS)
  const features = usePolled<WireFeatures>(`${url}/features`, FEATURES_POLL_MS)
  const patient = board?.patients.find(one => one.patient === key) ?? asked.data
  if (patient === undefined) return <p className="notice"><Link href="/">{t('patient.back')}</Link> {asked.failure === undefined ? t('page.loading') : asked.failure.status === 404 ? t('patient.notfound') : t('page.failed', { reason: asked.failure.message })}</p>

  return (
    <div className="patient">
      <PatientHead patient={patient} />
      <section className="panel patient-now" aria-labelledby="now"><h2 id="now">{t('patient.vitals')}</h2><Vitals patient={patient} tiles={PATIENT_TILES} /></section>
      <AlertsPanel patient={patient} />
      <section className="panel" aria-labelledby="parts"><h2 id="parts">{t('news2.title')}</h2><News2Table patient={patient} features={features.data} /></section>
      <div className="patient-side">
        <section className="panel" aria-labelledby="risk"><h2 id="risk">{t('reasons.score')}</h2>{patient.score === null ? <p className="quiet">{t('risk.none')}</p> : <ScoreReasons patient={patient} />}</section>
        <Encounter patient={patient} />
      </div>
      <Trends patient={patient.patient} />
      <FeatureTables features={features.data} />
    </div>
  )
}

function PatientHead ({ patient }: { readonly patient: WirePatient }): ReactNode {
  const i18n = useI18n()
  const { t } = i18n
  return (
    <div className="patient-head">
      <Link className="back" href={patient.ward === '' ? '/' : `/?ward=${encodeURIComponent(patient.ward)}`}>‹ {t('patient.back')}</Link>
      <span className="bed-label">{patient.bed === '' ? t('board.noBed') : patient.bed}</span>
      <div className="patient-who"><h1>{nameOf(patient, false, i18n)}</h1><p className="quiet">{[patient.ward, ageAndSex(patient, i18n), patient.id].filter(text => text !== '').join(' · ')}</p></div>
      <Scores patient={patient} />
    </div>
  )
}

function ScoreReasons ({ patient: { score } }: { readonly patient: WirePatient }): ReactNode {
  const { t, format } = useI18n()
  if (score === null) return null
  const share = score.presentShare === null ? '' : t('risk.present', { share: format.percent(score.presentShare) })
  return (
    <>
      <p className="risk-line"><span className="risk-number number">{score.probability === null ? '–' : format.risk(score.probability)}</span> <span className="quiet">{[`${score.model} ${score.modelVersion}`, share].filter(text => text !== '').join(', ')}</span></p>
      <ReasonsTable reasons={score.reasons} caption={t('reasons.score')} />
    </>
  )
}
