import type { BoardAlertState, BoardEntity, BoardPriority } from './port.ts'

const PRIORITY_RANK: Readonly<Record<BoardPriority, number>> = { high: 3, medium: 2, low: 1, none: 0 }
/** An alert that nobody has acknowledged weighs more than any that somebody has. */
const STATE_RANK: Readonly<Record<BoardAlertState, number>> = { active: 30, latched: 20, acknowledged: 10, none: 0 }

export function alertRank (state: BoardAlertState, priority: BoardPriority): number { return state === 'none' ? 0 : STATE_RANK[state] + PRIORITY_RANK[priority] }

/** One number: the worst alert, then NEWS2 (0 to 20), then risk in steps of ten points, so that noise does not reorder the board. */
export function concernOf ({ alertState, alertPriority, news2, risk }: Pick<BoardEntity, 'alertState' | 'alertPriority' | 'news2' | 'risk'>): number {
  const tenths = risk === null || !Number.isFinite(risk) ? -1 : Math.floor(risk * 10)
  return alertRank(alertState, alertPriority) * 10_000 + ((news2 ?? -1) + 1) * 100 + tenths + 1
}
