import { randomBytes } from 'node:crypto'

/** What tables of a build are called; those that a killed build left are dropped by the next. */
export const SCRATCH_PREFIX = 'dataset_scratch_'
export function scratchName (): string { return `${SCRATCH_PREFIX}${randomBytes(8).toString('hex')}` }
