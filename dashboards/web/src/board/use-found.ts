import { useMemo, useRef } from 'react'
import type { WireBoard, WirePatient } from '../../../server/wire.ts'
import { usePolled, type ApiFailure } from '../api.ts'
import { byBed } from './order.ts'
import { asksServer, searchUrl, type Asked } from './search.ts'

const ASK_EVERY_MS = 2_000

/** Who is shown. */
export interface Shown {
  /** undefined: nothing has arrived yet. */
  readonly patients: readonly WirePatient[] | undefined
  readonly total: number
  /** By the server, else from the live stream. */
  readonly searched: boolean
  /** Why Redis was not searched, where it was expected to be. */
  readonly why: string | null
  readonly failure: ApiFailure | undefined
}

/** From the live stream where that has all, else as the server finds it; cards that the live stream has too are as it has them. While a new search is under way the last one's answer stays. */
export function useShown (asked: Asked, board: WireBoard | undefined): Shown {
  const { ward, sort } = asked
  const searched = asksServer(asked, board)
  const { data, headers, failure } = usePolled<readonly WirePatient[]>(searched ? searchUrl(asked) : undefined, ASK_EVERY_MS)
  const last = useRef<Pick<Shown, 'patients' | 'total' | 'why'>>({ patients: undefined, total: 0, why: null })
  const live = useMemo(() => {
    const chosen = board?.patients.filter(patient => ward === null || patient.ward === ward)
    return sort === 'bed' ? chosen?.sort(byBed) : chosen
  }, [board, ward, sort])
  if (!searched) return { patients: live, total: live?.length ?? 0, searched, why: null, failure: undefined }
  if (data !== undefined) {
    const streamed = new Map(board?.patients.map(patient => [patient.patient, patient]))
    last.current = { patients: data.map(patient => streamed.get(patient.patient) ?? patient), total: Number(headers?.get('latido-total') ?? data.length), why: headers?.get('latido-search-why') ?? null }
  }
  return { ...last.current, searched, failure }
}
