import type { RefusalCause } from '../../streams/events/index.ts'
import type { Taken } from '../kit/index.ts'
import type { ItemFault } from './envelope.ts'

/** What became of a request. `items`: each was taken, but those that are listed. */
export type Answer =
  | { readonly kind: 'items', readonly count: number, readonly refused: readonly RefusedItem[] }
  | { readonly kind: 'failed' }

export interface RefusedItem { readonly index: number, readonly cause: RefusalCause, readonly path: string, readonly detail: string }

export type ItemOutcome = { readonly index: number, readonly outcome: 'taken' } | ({ readonly outcome: 'refused' } & RefusedItem)

export interface ItemsBody { readonly taken: number, readonly refused: number, readonly items: readonly ItemOutcome[] }

export function answerOf (taken: Taken<ItemFault>, count: number): Answer {
  switch (taken.kind) {
    case 'taken': return { kind: 'items', count, refused: taken.refused.map(({ fault: { cause, detail, index, path } }) => ({ index, cause, path, detail })) }
    case 'refused': return { kind: 'items', count, refused: Array.from({ length: count }, (_, index) => ({ index, cause: taken.fault.cause, path: '', detail: taken.fault.detail })) }
    case 'failed': return { kind: 'failed' }
  }
}

/** 200 where all were taken, 207 where some were (as RFC 4918 has it), 422 where none was. */
export function statusOf ({ count, refused }: Extract<Answer, { kind: 'items' }>): 200 | 207 | 422 { return refused.length === 0 ? 200 : refused.length < count ? 207 : 422 }

export function bodyOf ({ count, refused }: Extract<Answer, { kind: 'items' }>): ItemsBody {
  const byIndex = new Map(refused.map(one => [one.index, one]))
  const items = Array.from({ length: count }, (_, index): ItemOutcome => {
    const fault = byIndex.get(index)
    return fault === undefined ? { index, outcome: 'taken' } : { outcome: 'refused', ...fault }
  })
  return { taken: count - refused.length, refused: refused.length, items }
}
