import { useMemo, type ReactNode } from 'react'
import type { WireBoard, WirePatient } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { useLive } from '../live.ts'
import { setQuery, usePlace } from '../shell/router.tsx'
import { useStored } from '../shell/stored.ts'
import { BedCard } from './bed-card.tsx'
import { Counts } from './counts.tsx'
import { byBed } from './order.ts'
import { useHeldOrder } from './held-order.ts'

/** The ward board: one card a bed. Ward and order stand in the address, so that a wall screen can be bookmarked. */
export function BoardPage (): ReactNode {
  const { t, format } = useI18n()
  const { board } = useLive()
  const { query } = usePlace()
  const ward = query.get('ward')
  const sort = query.get('sort') === 'bed' ? 'bed' : 'concern'
  const [names, setNames] = useStored('latido.names', 'full')
  const patients = useMemo(() => {
    const chosen = (board?.patients ?? []).filter(patient => ward === null || patient.ward === ward)
    return sort === 'bed' ? [...chosen].sort(byBed) : chosen
  }, [board, ward, sort])
  const { held, hold } = useHeldOrder(patients, `${ward}|${sort}`)

  return (
    <>
      <div className="board-bar">
        <h1>{ward ?? t('board.title')}</h1>
        <Counts patients={patients} />
        <div className="board-controls">
          <WardSelect board={board} ward={ward} />
          <label>{t('board.sort')}
            <select name="sort" value={sort} onChange={event => { setQuery('sort', event.target.value === 'bed' ? 'bed' : '') }}><option value="concern">{t('board.sort.concern')}</option><option value="bed">{t('board.sort.bed')}</option></select>
          </label>
          <label>{t('board.names')}
            <select name="names" value={names} onChange={event => { setNames(event.target.value) }}><option value="full">{t('board.names.full')}</option><option value="initials">{t('board.names.initials')}</option></select>
          </label>
        </div>
      </div>
      {board !== undefined && board.total > board.patients.length && <p className="notice">{t('board.truncated', { shown: format.number(board.patients.length), total: format.number(board.total) })}</p>}
      {board === undefined ? <p className="notice">{t('page.loading')}</p> : patients.length === 0 ? <p className="notice">{t('board.empty')}</p> : <Beds patients={held} initials={names === 'initials'} hold={hold} />}
    </>
  )
}

function Beds ({ patients, initials, hold }: { readonly patients: readonly WirePatient[], readonly initials: boolean, readonly hold: () => void }): ReactNode {
  return <ul className="beds" onPointerMove={hold} onFocus={hold}>{patients.map(patient => <li key={patient.patient}><BedCard patient={patient} initials={initials} /></li>)}</ul>
}

/** Whoever was never placed in a ward is under all wards. */
function WardSelect ({ board, ward }: { readonly board: WireBoard | undefined, readonly ward: string | null }): ReactNode {
  const { t, format } = useI18n()
  return (
    <label>{t('board.ward')}
      <select name="ward" value={ward ?? '*'} onChange={event => { setQuery('ward', event.target.value === '*' ? '' : event.target.value) }}>
        <option value="*">{t('board.allWards')}</option>
        {board?.wards.filter(one => one.ward !== '').map(one => <option key={one.ward} value={one.ward}>{one.ward} ({format.number(one.patients)})</option>)}
      </select>
    </label>
  )
}
