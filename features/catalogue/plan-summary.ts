import type { ConceptId } from '../../streams/events/index.ts'
import type { DurationMs } from '../../streams/time/index.ts'
import { planViews } from '../compute/index.ts'
import type { FeatureView } from '../define/index.ts'
import { hasSeries } from './entries.ts'

/** What is kept of one concept. */
export interface PlannedSeries {
  readonly concept: ConceptId
  readonly rings: readonly { readonly tileMs: DurationMs, readonly tiles: number, readonly columns: readonly string[] }[]
  readonly readingsMs: DurationMs
  readonly bytes: number
  /** Of the bytes, what device readings take; the rest are the most readings that are ever kept. */
  readonly denseBytes: number
  /** The views that read it: more than one share it. */
  readonly views: readonly string[]
}

export interface PlanSummary {
  readonly views: readonly string[]
  /** State a key at most. */
  readonly bytes: number
  readonly series: readonly PlannedSeries[]
  /** What the views would take if each were planned alone. */
  readonly aloneBytes: number
}

/** What views that are planned together keep of one key. */
export function planSummary (views: readonly FeatureView[]): PlanSummary {
  const own = views.filter(hasSeries)
  const plan = planViews(own)
  return {
    views: own.map(keyOf),
    bytes: plan.bytesPerKey,
    aloneBytes: own.reduce((sum, view) => sum + planViews([view]).bytesPerKey, 0),
    series: plan.series.map(({ concept, rings, readingsMs, bytesPerKey, denseBytesPerKey }) => ({
      concept, readingsMs, bytes: bytesPerKey, denseBytes: denseBytesPerKey,
      rings: rings.map(({ tileMs, tiles, columns }) => ({ tileMs, tiles, columns: columnsIn(columns) })),
      views: own.filter(view => view.concepts.includes(concept)).map(keyOf),
    })),
  }
}

function keyOf ({ name, version }: FeatureView): string { return `${name}@${version}` }

/** Names of the columns that a ring has: those that are true, or hold something. */
function columnsIn (columns: object): readonly string[] {
  return Object.entries(columns).filter(([, has]) => has === true || Array.isArray(has) && has.length > 0).map(([name]) => name)
}
