import { createHash } from 'node:crypto'
import type { Change } from './archive.ts'

/** Where we are in an archive's feed of changes. */
export interface Position {
  /** Everything up to this change is in the log. */
  readonly seq: number
  /** A change that was seen: if another one has its number, the feed is another's. */
  readonly mark?: { readonly seq: number, readonly is: string } | undefined
}

export function writePosition ({ seq, mark }: Position): string { return mark === undefined ? String(seq) : `${seq} ${mark.seq} ${mark.is}` }

export function readPosition (text: string | undefined): Position {
  const [seq, markSeq, is] = (text ?? '').split(' ')
  const at = Number(seq)
  if (seq === undefined || !Number.isSafeInteger(at)) return { seq: 0 }
  return markSeq === undefined || is === undefined ? { seq: at } : { seq: at, mark: { seq: Number(markSeq), is } }
}

export function markOf ({ seq, date, id, type }: Change): NonNullable<Position['mark']> {
  return { seq, is: createHash('sha256').update(`${date} ${id} ${type}`).digest('hex').slice(0, 16) }
}
