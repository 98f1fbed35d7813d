import type { ReactNode } from 'react'
import type { WirePatient, WireReading } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import type { MessageKey } from '../i18n/en.ts'
import { useServerNow } from '../live.ts'

interface Tile { readonly key: MessageKey, readonly concepts: readonly [string, ...string[]] }

/** What is read across the room; pressure is one tile of two values. */
export const BOARD_TILES: readonly Tile[] = [
  { key: 'short.heartRate', concepts: ['heartRate'] }, { key: 'short.respiratoryRate', concepts: ['respiratoryRate'] }, { key: 'short.spo2', concepts: ['spo2'] },
  { key: 'short.bloodPressure', concepts: ['systolic', 'diastolic'] }, { key: 'short.temperature', concepts: ['temperature'] },
]
export const PATIENT_TILES: readonly Tile[] = [...BOARD_TILES, { key: 'short.meanPressure', concepts: ['meanPressure'] }, { key: 'short.lactate', concepts: ['lactate'] }, { key: 'short.creatinine', concepts: ['creatinine'] }]

/** Latest values with their age; an old one is greyed, and its age stands in a box. */
export function Vitals ({ patient, tiles }: { readonly patient: WirePatient, readonly tiles: readonly Tile[] }): ReactNode {
  return <dl className="vitals">{tiles.map(tile => <VitalTile key={tile.key} tile={tile} readings={tile.concepts.map(concept => patient.readings.find(reading => reading.concept === concept))} />)}</dl>
}

function VitalTile ({ tile, readings }: { readonly tile: Tile, readonly readings: readonly (WireReading | undefined)[] }): ReactNode {
  const { t, format } = useI18n()
  const now = useServerNow()
  const known = readings.filter(reading => reading !== undefined && reading.value !== null)
  const oldest = known.reduce<number | undefined>((time, reading) => time === undefined ? reading?.eventTime : Math.min(time, reading?.eventTime ?? time), undefined)
  const stale = known.some(reading => reading?.stale === true)
  const text = readings.map((reading, i) => reading === undefined || reading.value === null ? '–' : format.reading(tile.concepts[i] ?? '', reading.value)).join('/')
  const unit = format.unit(known[0]?.unit ?? '')
  return (
    <div className={`vital ${stale ? 'vital-stale' : ''} ${known.length === 0 ? 'vital-none' : ''} ${readings.length > 1 ? 'vital-wide' : ''}`} data-concept={tile.concepts[0]}>
      <dt>{t(tile.key)} <span className="vital-unit">{unit}</span></dt>
      <dd><span className="vital-value number">{known.length === 0 ? '–' : text}</span><span className="vital-age">{stale && <span className="unseen">{t('reading.stale')} </span>}{oldest === undefined ? t('reading.none') : format.age(now - oldest)}</span></dd>
    </div>
  )
}
