import type { ReactNode } from 'react'
import type { WirePatient } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'

/** Who and where. */
export function Encounter ({ patient }: { readonly patient: WirePatient }): ReactNode {
  const { t, format } = useI18n()
  const born = Date.parse(patient.identity?.birthDate ?? '')
  const facts: readonly (readonly [string, string])[] = [
    [t('patient.status'), t(patient.admitted ? 'patient.admitted' : 'patient.notAdmitted')],
    [t('patient.place'), [patient.ward, patient.bed].filter(text => text !== '').join(' / ')],
    [t('patient.age'), patient.ageYears === null ? '' : t('patient.years', { n: format.number(Math.floor(patient.ageYears)) })],
    [t('patient.sex'), translateName(t, 'sex', patient.sex)],
    [t('patient.born'), Number.isNaN(born) ? '' : patient.identity?.birthDate.length === 10 ? format.date(born) : patient.identity?.birthDate ?? ''],
    [t('patient.id'), patient.id],
    [t('patient.pseudonym'), patient.patient],
  ]
  return (
    <section className="panel" aria-labelledby="encounter">
      <h2 id="encounter">{t('patient.encounter')}</h2>
      <dl className="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value === '' ? '–' : value}</dd></div>)}</dl>
    </section>
  )
}
