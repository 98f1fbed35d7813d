import { useRef } from 'react'
import type { WirePatient } from '../../../server/wire.ts'
import { browserNow } from '../shell/browser-clock.ts'
import { inHeldOrder } from './order.ts'

const HOLD_MS = 4_000

/**
 * Cards do not move while somebody points at them: nobody shall acknowledge the neighbour's alert because the board
 * reordered under the finger. The order is taken anew `HOLD_MS` after the last movement, or when `choice` changes.
 */
export function useHeldOrder (patients: readonly WirePatient[], choice: string): { readonly held: readonly WirePatient[], readonly hold: () => void } {
  const state = useRef<{ order: readonly string[], choice: string, movedAt: number }>({ order: [], choice, movedAt: -Infinity })
  const now = browserNow()
  const holding = state.current.choice === choice && now - state.current.movedAt < HOLD_MS
  const held = holding ? inHeldOrder(patients, state.current.order) : patients
  state.current = { ...state.current, choice, order: held.map(({ patient }) => patient) }
  return { held, hold: () => { state.current.movedAt = browserNow() } }
}
