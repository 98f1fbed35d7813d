import { viewKey } from '../../features/define/index.ts'
import type { StateMachine } from '../../streams/engine/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../../streams/time/index.ts'
import type { DriftResult } from '../alerts/types.ts'
import type { DriftCounts } from './drift-counts.ts'
import { psi, psiThreshold, referenceCounts } from './psi.ts'
import type { DriftReference, FeatureReference } from './reference.ts'

interface OpenWindow { readonly windowStart: ArrivalTimeMs, readonly windowEnd: ArrivalTimeMs, readonly counts: number[][], done: boolean }
export interface DriftState { readonly key: string, windows: OpenWindow[] }

/** Newest windows kept for partitions that come late; a late one is told again, corrected. An older one is not told: its sum would lack the others. */
const WINDOWS_KEPT = 3

/** Adds up the partitions' counts of a window, waits `graceMs` after its end, then compares each feature with its reference. Keyed by view. */
export function driftMachine (references: readonly DriftReference[], graceMs: DurationMs): StateMachine<DriftState, DriftCounts, DriftResult> {
  const byKey = new Map(references.map(r => [viewKey(r), r]))
  const tell = (state: DriftState, window: OpenWindow, emit: (result: DriftResult) => void): void => {
    window.done = true
    const reference = byKey.get(state.key)
    reference?.features.forEach((feature, i) => { emit(compare(reference, feature, window, window.counts[i]!)) })
  }
  return {
    name: `drift ${graceMs}`,
    empty: key => ({ key, windows: [] }),
    step: (state, input, emit) => {
      if (input.kind === 'tick') {
        for (const window of state.windows) if (!window.done && window.windowEnd + graceMs <= input.at) tell(state, window, emit)
        return
      }
      const { windowStart, windowEnd, counts } = input.value
      const known = state.windows.find(w => w.windowStart === windowStart)
      const window = known ?? { windowStart, windowEnd, counts: counts.map(row => row.map(() => 0)), done: false }
      counts.forEach((row, i) => { row.forEach((n, bin) => { window.counts[i]![bin]! += n }) })
      if (known === undefined) state.windows = [...state.windows, window].sort((a, b) => a.windowStart - b.windowStart).slice(-WINDOWS_KEPT)
      if (state.windows.includes(window) && (window.done || windowEnd + graceMs <= input.arrival)) tell(state, window, emit)
    },
    nextDue: state => state.windows.filter(w => !w.done).reduce<number | undefined>((due, w) => due === undefined ? w.windowEnd + graceMs : Math.min(due, w.windowEnd + graceMs), undefined),
    codec: { version: 1, encode: state => Buffer.from(JSON.stringify(state)), decode: bytes => JSON.parse(bytes.toString()) as DriftState },
  }
}

function compare (reference: DriftReference, feature: FeatureReference, window: OpenWindow, counts: readonly number[]): DriftResult {
  const count = counts.reduce((a, b) => a + b, 0)
  const value = psi(referenceCounts(feature, feature.count), counts)
  const threshold = psiThreshold(count, feature.count, counts.length)
  return {
    view: reference.view, viewVersion: reference.version, feature: feature.name, windowStart: window.windowStart, windowEnd: window.windowEnd, count,
    psi: value, threshold, alarm: count > 0 && value > threshold, missingShare: count === 0 ? 0 : counts[counts.length - 1]! / count, referenceMissingShare: feature.missingShare,
  }
}
