/** Operating failures. Expected outcomes are values; a programmer's error is an assertion. */
export { LatidoError, assert, ERROR_CODES, isLatidoError, messageOf } from './latido-error.ts'
export type { ErrorCode } from './latido-error.ts'
