import type { ReactNode } from 'react'
import type { WireFeature, WireFeatures, WirePatient, WireReading } from '../../../server/wire.ts'
import { useI18n, type I18n } from '../i18n/index.tsx'
import { NEWS2_PARTS, news2Feature, news2PartOf } from '../i18n/feature-names.ts'
import { translateName } from '../i18n/translate.ts'
import { useServerNow } from '../live.ts'

/** The seven parts: measured value, points, age. A part that is missing says so: it counts 0 in a lower bound. */
export function News2Table ({ patient, features }: { readonly patient: WirePatient, readonly features: WireFeatures | undefined }): ReactNode {
  const i18n = useI18n()
  const { t, format } = i18n
  const now = useServerNow()
  const own = news2View(features)
  const missing = new Set(patient.news2?.missing.map(news2PartOf) ?? [])
  return (
    <table className="news2">
      <caption className="unseen">{t('news2.title')}</caption>
      <thead><tr><th scope="col">{t('news2.part')}</th><th scope="col" className="right">{t('news2.value')}</th><th scope="col" className="right">{t('news2.points')}</th><th scope="col" className="right">{t('news2.age')}</th></tr></thead>
      <tbody>{NEWS2_PARTS.map(({ part, concept }) => {
        const feature = own.get(news2Feature(part, 'points'))
        const measured = own.get(news2Feature(part, 'value'))
        const reading = measured?.present === true ? { concept, value: measured.value, unit: measured.unit } : patient.readings.find(one => one.concept === concept)
        const isMissing = missing.has(part) || feature?.present === false
        const time = isMissing ? null : feature?.eventTime ?? null
        const score = isMissing ? null : feature?.value ?? null
        return (
          <tr key={part} className={isMissing ? 'is-missing' : score === 3 ? 'is-three' : ''}>
            <th scope="row">{t(`part.${part}`)}</th>
            <td className="right number">{isMissing ? t('news2.partMissing') : readingText(reading, i18n)}</td>
            <td className="right"><span className="points number">{score === null ? '–' : format.number(score)}</span></td>
            <td className="right quiet">{time === null ? '–' : format.age(now - time)}</td>
          </tr>
        )
      })}</tbody>
      <tfoot><tr><th scope="row" colSpan={2}>{t('news2.total')}</th><td className="right"><span className="points number">{patient.news2 === null ? '–' : `${patient.news2.atLeast ? '≥' : ''}${format.number(patient.news2.score)}`}</span></td><td /></tr></tfoot>
    </table>
  )
}

/** The features of the NEWS2 view; other views may hold parts of their own. */
function news2View (features: WireFeatures | undefined): ReadonlyMap<string, WireFeature> {
  const views = features?.views.filter(({ view }) => view === 'news2') ?? []
  return new Map(views.flatMap(({ features: own }) => own.map(feature => [feature.name, feature] as const)))
}

/** A value with its unit; codes by their meaning. */
export function readingText (reading: Pick<WireReading, 'concept' | 'value' | 'unit'> | undefined, { t, format }: I18n): string {
  if (reading === undefined || reading.value === null) return '–'
  if (reading.concept === 'oxygenTherapy') return t(reading.value > 0 ? 'oxygen.oxygen' : 'oxygen.air')
  if (reading.concept === 'consciousness') return translateName(t, 'acvpu', String(Math.round(reading.value)))
  return [format.reading(reading.concept, reading.value), format.unit(reading.unit)].filter(text => text !== '').join(' ')
}
