/** The ward board: what it shows, and where that comes from. */
/** Where it is searched. */
export { boardRescanMs, openBoardIndex } from './board-index.ts'
/** What keeps it up to date. */
export { BoardProjector } from './board-projector.ts'
/** What is read of it. */
export { Board, watchedStore } from './board.ts'
