import type { ReactNode } from 'react'
import type { WireBoard } from '../../../server/wire.ts'
import { useI18n } from '../i18n/index.tsx'
import { setQuery } from '../shell/router.tsx'
import { SORTS, type Sort } from './search.ts'

const TEXT_MAX = 100

export interface BoardControlsProps {
  readonly board: WireBoard | undefined
  readonly ward: string | null
  readonly sort: Sort
  readonly typed: string
  readonly type: (text: string) => void
  readonly names: string
  readonly setNames: (names: string) => void
}

/** Who is shown, and in which order. */
export function BoardControls ({ board, ward, sort, typed, type, names, setNames }: BoardControlsProps): ReactNode {
  const { t } = useI18n()
  return (
    <div className="board-controls" role="search">
      <label className="board-search">{t('board.search')}
        <input type="search" name="q" value={typed} maxLength={TEXT_MAX} placeholder={t('board.search.hint')} autoComplete="off" spellCheck={false} onChange={event => { type(event.target.value) }} onKeyDown={event => { if (event.key === 'Escape') type('') }} />
      </label>
      <WardSelect board={board} ward={ward} />
      <label>{t('board.sort')}
        <select name="sort" value={sort} onChange={event => { setQuery('sort', event.target.value === 'concern' ? '' : event.target.value) }}>{SORTS.map(one => <option key={one} value={one}>{t(`board.sort.${one}`)}</option>)}</select>
      </label>
      <label>{t('board.names')}
        <select name="names" value={names} onChange={event => { setNames(event.target.value) }}><option value="full">{t('board.names.full')}</option><option value="initials">{t('board.names.initials')}</option></select>
      </label>
    </div>
  )
}

/** Whoever was never placed in a ward is under all wards. */
function WardSelect ({ board, ward }: Pick<BoardControlsProps, 'board' | 'ward'>): ReactNode {
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
