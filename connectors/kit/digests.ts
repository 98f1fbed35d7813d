import { createHash, timingSafeEqual } from 'node:crypto'

const ID_CHARS_MAX = 128

/** An identity of a result or statement as it is, or its hash where it is longer than what a record should carry. */
export function boundedId (id: string): string { return id.length <= ID_CHARS_MAX ? id : createHash('sha256').update(id).digest('hex') }

/** Compares a secret with what somebody showed, in constant time whatever the lengths. */
export function isSameSecret (shown: string | Buffer, secret: string): boolean { return timingSafeEqual(digest(shown), digest(secret)) }

function digest (text: string | Buffer): Buffer { return createHash('sha256').update(text).digest() }
