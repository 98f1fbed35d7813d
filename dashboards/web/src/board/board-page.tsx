import type { ReactNode } from 'react'
import type { WirePatient } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { useLive } from '../live.ts'
import { usePlace } from '../shell/router.tsx'
import { useStored } from '../shell/stored.ts'
import { BedCard } from './bed-card.tsx'
import { BoardControls } from './board-controls.tsx'
import { Counts } from './counts.tsx'
import { useHeldOrder } from './held-order.ts'
import { sortOf, useTyped, type Asked } from './search.ts'
import { useShown, type Shown } from './use-found.ts'

/** The ward board: one card a bed. Ward and order stand in the address, so that a wall screen can be bookmarked. */
export function BoardPage (): ReactNode {
  const { t } = useI18n()
  const { board } = useLive()
  const { query } = usePlace()
  const { typed, text, type } = useTyped()
  const [names, setNames] = useStored('latido.names', 'full')
  const ward = query.get('ward')
  const sort = sortOf(query)
  const asked: Asked = { ward, sort, text }
  const shown = useShown(asked, board)
  const { patients = [] } = shown
  const { held, hold } = useHeldOrder(patients, `${JSON.stringify(asked)} ${shown.searched}`)
  return (
    <>
      <div className="board-bar">
        <h1>{ward ?? t('board.title')}</h1>
        <Counts patients={patients} />
        <BoardControls {...{ board, ward, sort, typed, type, names, setNames }} />
      </div>
      {shown.searched ? <FoundWords {...shown} /> : <LiveWords {...shown} />}
      <ul className="beds" onPointerMove={hold} onFocus={hold}>{held.map((patient: WirePatient) => <li key={patient.patient}><BedCard patient={patient} initials={names === 'initials'} /></li>)}</ul>
    </>
  )
}

/** What is to be said of the live stream's board. */
function LiveWords ({ patients }: Shown): ReactNode {
  const { t, format } = useI18n()
  const { board } = useLive()
  if (board === undefined) return <p className="notice">{t('page.loading')}</p>
  if (board.total > board.patients.length) return <p className="notice">{t('board.truncated', { shown: format.number(board.patients.length), total: format.number(board.total) })}</p>
  return patients?.length === 0 && <p className="notice">{t('board.empty')}</p>
}

/** How many were found, of whom how many are shown, and by what. A search left standing must not hide an alert in silence. */
function FoundWords ({ patients, total, why, failure }: Shown): ReactNode {
  const { t, format } = useI18n()
  const { board } = useLive()
  const shown = new Set(patients?.map(({ patient }) => patient))
  const hidden = board?.patients.filter(({ patient, alerts }) => !shown.has(patient) && alerts.some(({ state }) => state === 'active' || state === 'latched')).length ?? 0
  const count = patients === undefined ? '' : total === 0 ? t('board.found.none')
    : total > patients.length ? t('board.found.truncated', { total: format.number(total), shown: format.number(patients.length) }) : t('board.found', { n: format.number(total) })
  return (
    <>
      <p className="found" role="status">{count}{patients !== undefined && hidden > 0 && <strong className="found-hidden"> {t('board.found.hidden', { n: format.number(hidden) })}</strong>}</p>
      {failure !== undefined && <p className="notice found-why" role="alert">{t('page.failed', { reason: failure.message })}</p>}
      {why !== null && <p className="notice found-why">{t('board.found.own', { why: translateName(t, 'searchWhy', why) })}</p>}
      {patients === undefined && failure === undefined && <p className="notice">{t('page.loading')}</p>}
    </>
  )
}
