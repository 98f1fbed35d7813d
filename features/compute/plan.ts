import { LatidoError } from '../../streams/errors/index.ts'
import type { ConceptId } from '../../streams/events/index.ts'
import type { DurationMs } from '../../streams/time/index.ts'
import { partsOf, type Aggregate, type Expression, type FeatureView } from '../define/index.ts'
import { ringLength, type RingPlan, type TileColumns } from './tile-ring.ts'

/** Tiles that a dense window is cut into: its tail is off by at most a thirtieth. */
const TILES_PER_WINDOW = 30
/** Readings are kept at least this long, so that a correction finds what it replaces. */
const CORRECTION_HORIZON_MS: DurationMs = 24 * 3_600_000

/** What is kept of one concept of one patient: exactly what some feature of the planned views needs. */
export interface SeriesPlan {
  readonly concept: ConceptId
  readonly rings: readonly RingPlan[]
  readonly readingsMs: DurationMs
}

export interface Plan {
  readonly series: readonly SeriesPlan[]
  indexOf (concept: ConceptId): number | undefined
  /** The ring that serves a window or samples of a concept. */
  ringOf (concept: ConceptId, tileMs: DurationMs): number
}

interface Draft { readonly rings: Map<DurationMs, { tiles: number, spread: boolean, extremes: boolean, trend: boolean }>, readingsMs: DurationMs }

/** Plans all views together, so that views share what they keep. Throws VIEW_INVALID where an operator cannot be planned. */
export function planViews (views: readonly FeatureView[]): Plan {
  const drafts = new Map<ConceptId, Draft>()
  for (const view of views) for (const e of view.expressions.flatMap(all)) if ('concept' in e) require(view.name, e, draftOf(drafts, e.concept))
  const series = [...drafts].map(([concept, draft]): SeriesPlan => ({
    concept,
    readingsMs: Math.max(draft.readingsMs, CORRECTION_HORIZON_MS),
    rings: placed([...draft.rings].map(([tileMs, { tiles, spread, extremes, trend }]) => ({ tileMs, tiles, columns: { spread, extremes, trend } }))),
  }))
  const index = new Map(series.map((s, i) => [s.concept, i]))
  return {
    series,
    indexOf: concept => index.get(concept),
    ringOf: (concept, tileMs) => series[index.get(concept)!]!.rings.findIndex(r => r.tileMs === tileMs),
  }
}

/** One ring behind the other. */
function placed (rings: readonly Omit<RingPlan, 'at'>[]): readonly RingPlan[] {
  let next = 0
  return rings.map(ring => {
    const at = next
    next += ringLength(ring)
    return { ...ring, at }
  })
}

/** The tile width of a dense window. */
export function tileMsOf (windowMs: DurationMs): DurationMs { return Math.max(1_000, Math.ceil(windowMs / TILES_PER_WINDOW / 1_000) * 1_000) }

function all (e: Expression): readonly Expression[] { return [e, ...partsOf(e).flatMap(all)] }

function draftOf (drafts: Map<ConceptId, Draft>, concept: ConceptId): Draft {
  const draft = drafts.get(concept) ?? { rings: new Map(), readingsMs: 0 }
  drafts.set(concept, draft)
  return draft
}

function require (view: string, e: Expression, draft: Draft): void {
  if (e.op === 'window' && e.kept === 'sparse') draft.readingsMs = Math.max(draft.readingsMs, e.windowMs)
  if (e.op === 'window' && e.kept === 'dense') {
    if (e.aggregate === 'first') throw new LatidoError('VIEW_INVALID', `feature view ${view}: first over a dense window cannot be planned`, 'use overReadings or overSamples')
    addRing(draft, tileMsOf(e.windowMs), e.windowMs, columnsOf(e.aggregate))
  }
  if (e.op === 'sampled') addRing(draft, e.sampleMs, e.windowMs, { spread: false, extremes: false, trend: false })
}

function addRing (draft: Draft, tileMs: DurationMs, windowMs: DurationMs, columns: TileColumns): void {
  const tiles = Math.ceil(windowMs / tileMs) + 1
  const ring = draft.rings.get(tileMs)
  if (ring === undefined) { draft.rings.set(tileMs, { tiles, ...columns }); return }
  ring.tiles = Math.max(ring.tiles, tiles)
  ring.spread ||= columns.spread
  ring.extremes ||= columns.extremes
  ring.trend ||= columns.trend
}

function columnsOf (aggregate: Aggregate): TileColumns {
  return { spread: aggregate === 'variance' || aggregate === 'deviation', extremes: aggregate === 'min' || aggregate === 'max' || aggregate === 'range', trend: aggregate === 'slope' }
}
