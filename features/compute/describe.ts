import { CONCEPTS, type ConceptId } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import { viewKey, type FeatureView } from '../define/index.ts'
import { READING } from './kept.ts'
import { planViews } from './plan.ts'
import type { PatientState } from './state.ts'
import { ringTiles, type RingTile } from './tile-ring.ts'

export interface Point { readonly time: EventTimeMs, readonly value: number }

/** What is kept of one concept. Result identities are left out: they may be order numbers of the hospital. */
export interface SeriesHolding {
  readonly concept: ConceptId
  readonly name: string
  readonly unit: string
  readonly readings: readonly Point[]
  readonly rings: readonly { readonly tileMs: DurationMs, readonly tiles: readonly RingTile[] }[]
  readonly last: Point | undefined
  readonly previous: Point | undefined
  readonly countSinceAdmission: number
}

/** Everything that the features machine holds for one patient, as plain data. */
export interface PatientHolding {
  readonly stay: { readonly admittedAt: EventTimeMs | undefined, readonly dischargedAt: ArrivalTimeMs | undefined, readonly ward: string, readonly bed: string, readonly ageYears: number | undefined, readonly sex: PatientState['sex'] }
  readonly series: readonly SeriesHolding[]
  readonly views: readonly { readonly view: string, readonly lastEmit: ArrivalTimeMs | undefined, readonly staleAt: ArrivalTimeMs | undefined }[]
  readonly late: number
  readonly duplicates: number
  readonly truncated: number
}

export function describePatient (views: readonly FeatureView[], state: PatientState): PatientHolding {
  const { series: plans } = planViews(views)
  return {
    stay: { admittedAt: known(state.admittedAt), dischargedAt: known(state.dischargedAt), ward: state.ward, bed: state.bed, ageYears: Number.isNaN(state.ageYears) ? undefined : state.ageYears, sex: state.sex },
    series: plans.flatMap((plan, i): readonly SeriesHolding[] => {
      const series = state.series[i]
      if (series === undefined) return []
      return [{
        concept: plan.concept,
        name: CONCEPTS[plan.concept].name,
        unit: CONCEPTS[plan.concept].unit,
        readings: Array.from({ length: series.held }, (_, j) => ({ time: series.readings[j * READING]!, value: series.readings[j * READING + 1]! })),
        rings: plan.rings.map(ring => ({ tileMs: ring.tileMs, tiles: series.device === undefined ? [] : ringTiles(ring, series.device.dense) })),
        last: pointOf(series.lastTime, series.lastValue),
        previous: pointOf(series.previousTime, series.previousValue),
        countSinceAdmission: series.count,
      }]
    }),
    views: views.map((view, v) => ({ view: viewKey(view), lastEmit: known(state.views[v]!.lastEmit), staleAt: known(state.views[v]!.staleDue) })),
    late: state.late,
    duplicates: state.duplicates,
    truncated: state.truncated,
  }
}

function known (time: number): number | undefined { return time < 0 ? undefined : time }
function pointOf (time: number, value: number): Point | undefined { return time < 0 ? undefined : { time, value } }
