/** The board's index: the entities that people search (ward, bed, NEWS2, risk, alert state, words), in Redis with search or in memory. */
export { BOARD_ALERT_STATES, BOARD_SORTS, SEARCH_LIMITS } from './port.ts'
export type { BoardAlertState, BoardAnswer, BoardEntity, BoardIndex, BoardPriority, BoardQuery, BoardSort } from './port.ts'
/** How concern orders: open alerts, then NEWS2, then risk. */
export { alertRank, concernOf } from './concern.ts'
/** The index in memory: for the embedded store, and for a Redis without search. */
export { OwnBoardIndex } from './own-index.ts'
/** Redis with search where the server has it, else the index in memory, which says so. */
export { openRedisBoardIndex, OWN_INDEX_REASONS } from './redis/open.ts'
export type { RedisBoardOptions } from './redis/connection.ts'
/** How texts are compared: without case and diacritics; words by their beginning, numbers whole. */
export { fold, wordsOf } from './text.ts'
