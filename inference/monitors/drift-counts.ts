import { viewKey } from '../../features/define/index.ts'
import type { StateMachine } from '../../streams/engine/index.ts'
import type { FeatureVector } from '../../features/vector.ts'
import type { ArrivalTimeMs, DurationMs } from '../../streams/time/index.ts'
import { binOf } from './psi.ts'
import type { DriftReference } from './reference.ts'

export interface WatchedVector { readonly patient: string, readonly vector: FeatureVector }

/** Bin counts of one window of one partition: a row a feature, the last bin is `absent`. */
export interface DriftCounts {
  readonly view: string
  readonly version: number
  readonly windowStart: ArrivalTimeMs
  readonly windowEnd: ArrivalTimeMs
  readonly counts: readonly (readonly number[])[]
}

export interface DriftCountState { readonly view: string, readonly version: number, windowStart: ArrivalTimeMs, patients: Record<string, true>, counts: number[][] }

/**
 * Counts feature values into frozen reference bins, one vector a patient a window: vital signs of one patient are nearly copies of each other,
 * patients are the exchangeable unit (two-sample tests on autocorrelated readings alarm on nothing at all). Keyed by view; one state a partition.
 */
export function driftCountsMachine (references: readonly DriftReference[], windowMs: DurationMs): StateMachine<DriftCountState, WatchedVector, DriftCounts> {
  const byKey = new Map(references.map(r => [viewKey(r), r]))
  const fresh = (key: string): number[][] => byKey.get(key)?.features.map(f => Array.from({ length: f.shares.length + 1 }, () => 0)) ?? []
  return {
    name: `drift-counts ${windowMs}`,
    empty: key => {
      const at = key.lastIndexOf('@')
      return { view: key.slice(0, at), version: Number(key.slice(at + 1)), windowStart: -1, patients: {}, counts: fresh(key) }
    },
    step: (state, input, emit) => {
      if (input.kind === 'tick') {
        emit({ view: state.view, version: state.version, windowStart: state.windowStart, windowEnd: state.windowStart + windowMs, counts: state.counts })
        Object.assign(state, { windowStart: -1, patients: {}, counts: state.counts.map(row => row.map(() => 0)) })
        return
      }
      const { patient, vector } = input.value
      if (state.windowStart < 0) state.windowStart = Math.floor(input.arrival / windowMs) * windowMs
      if (state.patients[patient] === true) return
      state.patients[patient] = true
      byKey.get(viewKey(vector))?.features.forEach((feature, i) => {
        const row = state.counts[i]!
        const value = vector.values[feature.place]!
        row[Number.isNaN(value) ? row.length - 1 : binOf(feature.edges, value)]!++
      })
    },
    nextDue: state => state.windowStart < 0 ? undefined : state.windowStart + windowMs,
    codec: { version: 1, encode: state => Buffer.from(JSON.stringify(state)), decode: bytes => JSON.parse(bytes.toString()) as DriftCountState },
  }
}
