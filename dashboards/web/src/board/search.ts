import { useEffect, useState } from 'react'
import type { WireBoard } from '../../../server/wire.ts'
import { after } from '../shell/browser-clock.ts'

export const SORTS = ['concern', 'bed', 'news2', 'risk', 'updated'] as const
export type Sort = (typeof SORTS)[number]

/** What the board was asked for. */
export interface Asked { readonly ward: string | null, readonly sort: Sort, readonly text: string }

export function sortOf (query: URLSearchParams): Sort { return SORTS.find(sort => sort === query.get('sort')) ?? 'concern' }

const TYPING_MS = 250
/** Kept for as long as the page is open, and in no address: somebody may type a name. */
let kept = ''

/** What is typed, and what of it is searched once the typing pauses. */
export function useTyped (): { readonly typed: string, readonly text: string, readonly type: (text: string) => void } {
  const [typed, type] = useState(kept)
  const [text, setText] = useState(kept.trim())
  useEffect(() => {
    kept = typed
    return typed.trim() === '' ? setText('') : after(TYPING_MS, () => { setText(typed.trim()) })
  }, [typed])
  return { typed, text, type }
}

export const FOUND_MAX = 200

/** The live stream has the patients of most concern; whoever looks for others, or in another order, asks the server. */
export function asksServer ({ ward, sort, text }: Asked, board: WireBoard | undefined): boolean {
  const cut = board !== undefined && board.total > board.patients.length
  return text !== '' || !(sort === 'concern' || sort === 'bed') || (cut && (ward !== null || sort === 'bed'))
}

export function searchUrl ({ ward, sort, text }: Asked): string {
  const query = new URLSearchParams({ onBoard: 'true', sort: sort === 'bed' ? 'place' : sort, limit: String(FOUND_MAX), ...(ward === null ? {} : { ward }), ...(text === '' ? {} : { q: text }) })
  return `/api/patients?${query.toString()}`
}
