import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { Fact } from '../define/index.ts'
import type { Evaluation } from './derive.ts'
import type { Series } from './series.ts'

/** What an expression may look at. */
export interface Context extends Evaluation {
  asOf: ArrivalTimeMs
  series: readonly (Series | undefined)[]
  facts: Readonly<Record<Fact, number>>
  /** Changes with each evaluation, so that windows shared by features are merged once. */
  evaluation: number
}

/** An input of this event time was read. */
export function seen (c: Context, time: number): void { if (time < c.time) c.time = time }
