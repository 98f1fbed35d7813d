import { randomBytes } from 'node:crypto'

/** A name within a statement. */
export function named (name: string): string { return `\`${name.replace(/[\\`]/g, '\\$&')}\`` }

/** A constant within a statement: names of views and patients' pseudonyms, never what a user may read in a log. */
export function text (value: string): string { return `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'` }

/** What tables of a build are called; those that a killed build left are dropped by the next. */
export const SCRATCH_PREFIX = 'dataset_scratch_'
export function scratchName (): string { return `${SCRATCH_PREFIX}${randomBytes(8).toString('hex')}` }
