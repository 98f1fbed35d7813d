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

/** Values and times of a vector, all absent, over one buffer: vectors are made by the million, and each buffer costs the collector. */
export function emptyVector (length: number): { readonly values: Float64Array, readonly times: Float64Array } {
  const both = new Float64Array(2 * length).fill(NaN)
  return { values: both.subarray(0, length), times: both.subarray(length) }
}
