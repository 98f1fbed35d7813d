import type { ArrivalTimeMs, EventTimeMs } from '../streams/time/index.ts'

/** Why a vector was emitted. `device` and `timer` values wait for an alert's dwell; `charted` ones do not. */
export const TRIGGERS = ['device', 'charted', 'laboratory', 'timer', 'encounter'] as const
export type Trigger = (typeof TRIGGERS)[number]

/**
 * One view's features of one entity as of an arrival time, in the view's feature order.
 * `values[i]` is NaN where the feature is absent: nothing is imputed.
 * `times[i]` is the event time (ms) of the oldest input that the value rests on; NaN where absent. Age = asOf - time.
 */
export interface FeatureVector {
  readonly type: 'vector'
  readonly view: string
  readonly version: number
  readonly asOf: ArrivalTimeMs
  /** The first offset of its partition that is not in it; -1: not told. Absent where a machine has just made it: a place in the log is the engine's to tell. */
  readonly through?: number
  readonly trigger: Trigger
  readonly values: Float64Array
  readonly times: Float64Array
}

/** What the store answers for one feature of one entity. */
export interface FeatureValue {
  readonly name: string
  readonly unit: string
  /** Absent: never seen, outside its window, or older than the view's TTL. */
  readonly present: boolean
  readonly value: number | null
  readonly eventTime: EventTimeMs | null
  readonly ageMs: number | null
}

// Vectors are made by the million and live for a moment: cut from slabs, they cost the collector one buffer for dozens of them.
const SLAB_LENGTH = 1 << 15
let slab = new Float64Array(0)
let used = 0

function cut (length: number): Float64Array {
  if (length > SLAB_LENGTH / 4) return new Float64Array(length)
  if (used + length > slab.length) {
    slab = new Float64Array(SLAB_LENGTH)
    used = 0
  }
  used += length
  return slab.subarray(used - length, used)
}

/** Values and times of a vector, all absent. */
export function emptyVector (length: number): { readonly values: Float64Array, readonly times: Float64Array } {
  return { values: cut(length).fill(NaN), times: cut(length).fill(NaN) }
}
