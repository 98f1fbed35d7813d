import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { Fact } from '../define/index.ts'
import type { Series } from './series.ts'

/** What an expression may look at. `time` comes back as the newest event time of the stalest input; +Infinity if none was read. */
export interface Context {
  asOf: ArrivalTimeMs
  series: readonly (Series | undefined)[]
  facts: Readonly<Record<Fact, number>>
  time: number
  /** Changes with each evaluation, so that windows shared by features are merged once. */
  evaluation: number
}

export type Evaluate = (context: Context) => number

/** An input of this event time was read. */
export function seen (c: Context, time: number): void { if (time < c.time) c.time = time }
