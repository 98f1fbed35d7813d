/** LMDB environments, opened in one way: checked first (LMDB itself crashes the process on a damaged file), with one clear error. */
export { openLmdb } from './open-lmdb.ts'
export type { Lmdb } from './open-lmdb.ts'
