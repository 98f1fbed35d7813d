/** Dead letters and what was done with them, as an index over their topic. */
export { DeadLetterBook, stateOf } from './book.ts'
export type { BookedLetter, LetterState, LetterWish } from './book.ts'
export { DeadLetterReader } from './reader.ts'
export type { DeadLetterReaderParts } from './reader.ts'
/** What people do with them. */
export { Desk } from './desk.ts'
export type { DeskParts } from './desk.ts'
