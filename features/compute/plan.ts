import { LatidoError } from '../../streams/errors/index.ts'
import type { ConceptId } from '../../streams/events/index.ts'
import type { DurationMs } from '../../streams/time/index.ts'
import { partsOf, type Aggregate, type Expression, type FeatureView } from '../define/index.ts'
import { BITMAP_WORDS, DENSE_HEAD } from './dense-layout.ts'
import { bytesOfKept, FORGOTTEN_AFTER_MS } from './kept.ts'
import { bucketsOf, type Buckets } from './sketch.ts'
import { layRing, ringLength, type RingPlan, type TileColumns } from './tile-ring.ts'

/** Tiles that a dense window is cut into: its tail is off by at most a thirtieth. */
const TILES_PER_WINDOW = 30
const FINE_MS: DurationMs = 100
const COARSE_MS: DurationMs = 1_000
/** Windows from this on have tiles of whole seconds. */
const COARSE_FROM_MS: DurationMs = 30_000
/** Readings are kept at least this long, so that a correction finds what it replaces. */
const CORRECTION_HORIZON_MS: DurationMs = FORGOTTEN_AFTER_MS
/** Numbers of one series and of one view beside its readings, and what is known of the stay. */
const SERIES_BYTES = 72
const VIEW_BYTES = 64
const STAY_BYTES = 160

/** What is kept of one concept of one key: exactly what some feature of the planned views needs. */
export interface SeriesPlan {
  readonly concept: ConceptId
  readonly rings: readonly RingPlan[]
  /** Limits whose newest dense reading above, or below, is remembered. */
  readonly above: readonly number[]
  readonly below: readonly number[]
  /** Kept readings are held at least so long. */
  readonly readingsMs: DurationMs
  /** Kept readings outlive their patient's discharge so long, for windows of more than 24 h; 0: they do not. */
  readonly keptAfterDischarge: DurationMs
  /** Doubles of dense state, with the rings. */
  readonly denseLength: number
  /** 32-bit words of dense state: the quarter seconds that were taken, and the counts of sketches. */
  readonly wordsLength: number
  readonly buckets: Buckets | undefined
  /** Bytes of state at most: with device readings, and as many kept ones as are held at most. */
  readonly bytesPerKey: number
  /** Of these, what device readings take. */
  readonly denseBytesPerKey: number
}

export interface Plan {
  readonly series: readonly SeriesPlan[]
  /** Bytes of state a key, at most. */
  readonly bytesPerKey: number
  indexOf (concept: ConceptId): number | undefined
  /** The place of the ring that serves a window or samples of a concept. */
  ringOf (concept: ConceptId, tileMs: DurationMs): number
}

type Columns = { -readonly [K in keyof TileColumns]: TileColumns[K] extends boolean ? boolean : Set<number> }
interface RingDraft { tiles: number, readonly columns: Columns }
interface Draft { readonly rings: Map<DurationMs, RingDraft>, readonly above: Set<number>, readonly below: Set<number>, readingsMs: DurationMs, longestMs: DurationMs }

/** Plans all views together, so that views share what they keep. Throws VIEW_INVALID for views of wards and beds, which have no series of their own. */
export function planViews (views: readonly FeatureView[]): Plan {
  const drafts = new Map<ConceptId, Draft>()
  for (const view of views) {
    if (view.entity === 'ward' || view.entity === 'bed') throw new LatidoError('VIEW_INVALID', `feature view ${view.name}: a ${view.entity} has no readings of its own to plan`, 'compute it from its patients\' vectors')
    for (const e of view.expressions.flatMap(all)) if ('concept' in e) require(e, draftOf(drafts, e.concept))
  }
  const series = [...drafts].map(([concept, draft]) => seriesOf(concept, draft))
  const index = new Map(series.map((s, i) => [s.concept, i]))
  return {
    series,
    bytesPerKey: STAY_BYTES + VIEW_BYTES * views.length + series.reduce((n, s) => n + s.bytesPerKey, 0),
    indexOf: concept => index.get(concept),
    ringOf: (concept, tileMs) => series[index.get(concept)!]!.rings.findIndex(r => r.tileMs === tileMs),
  }
}

function seriesOf (concept: ConceptId, { rings: drafts, above, below, readingsMs, longestMs }: Draft): SeriesPlan {
  const buckets = [...drafts.values()].some(d => d.columns.sketch) ? bucketsOf(concept) : undefined
  let at = DENSE_HEAD + above.size + below.size
  let wordAt = BITMAP_WORDS
  const rings = [...drafts].map(([tileMs, { tiles, columns }]): RingPlan => {
    const ring = layRing({ tileMs, tiles, at, wordAt, buckets: columns.sketch ? buckets : undefined, columns: { ...columns, above: [...columns.above], below: [...columns.below] } })
    at += ringLength(ring)
    wordAt += tiles * (ring.buckets?.length ?? 0)
    return ring
  })
  const denseBytesPerKey = 8 * at + 4 * wordAt
  return {
    concept, rings, buckets, above: [...above], below: [...below],
    readingsMs: Math.max(readingsMs, CORRECTION_HORIZON_MS),
    keptAfterDischarge: longestMs,
    denseLength: at, wordsLength: wordAt, denseBytesPerKey, bytesPerKey: SERIES_BYTES + denseBytesPerKey + bytesOfKept(),
  }
}

/** The tile width of a dense window: the least multiple of 100 ms (of 1 s from 30 s of window on) that is at least a thirtieth of it. */
export function tileMsOf (windowMs: DurationMs): DurationMs {
  const step = windowMs < COARSE_FROM_MS ? FINE_MS : COARSE_MS
  return Math.max(step, Math.ceil(windowMs / (TILES_PER_WINDOW * step)) * step)
}

/** How many samples of `everyMs` a missing rate looks at. */
export function samplesOf (windowMs: DurationMs, everyMs: DurationMs): number { return Math.ceil(windowMs / everyMs) }

function all (e: Expression): readonly Expression[] { return [e, ...partsOf(e).flatMap(all)] }

function draftOf (drafts: Map<ConceptId, Draft>, concept: ConceptId): Draft {
  let draft = drafts.get(concept)
  if (draft === undefined) drafts.set(concept, draft = { rings: new Map(), above: new Set(), below: new Set(), readingsMs: 0, longestMs: 0 })
  return draft
}

function require (e: Expression, draft: Draft): void {
  if (e.op !== 'window' && e.op !== 'sampled' && e.op !== 'missingRate') return
  const reachMs = e.op === 'missingRate' ? samplesOf(e.windowMs, e.everyMs) * e.everyMs : e.windowMs
  draft.readingsMs = Math.max(draft.readingsMs, reachMs)
  if (e.windowMs > FORGOTTEN_AFTER_MS) draft.longestMs = Math.max(draft.longestMs, reachMs)
  if (e.op === 'missingRate') { ringOf(draft, e.everyMs, samplesOf(e.windowMs, e.everyMs)); return }
  if (e.op === 'sampled') { ringOf(draft, e.sampleMs, Math.ceil(e.windowMs / e.sampleMs) + 1).sum = true; return }
  if (e.kept === 'sparse') return
  const tileMs = tileMsOf(e.windowMs)
  if (e.aggregate === 'timeSinceAbove') draft.above.add(e.at!)
  if (e.aggregate === 'timeSinceBelow') draft.below.add(e.at!)
  addColumns(ringOf(draft, tileMs, Math.floor(e.windowMs / tileMs) + 1), e.aggregate, e.at)
}

function ringOf (draft: Draft, tileMs: DurationMs, tiles: number): Columns {
  let ring = draft.rings.get(tileMs)
  if (ring === undefined) draft.rings.set(tileMs, ring = { tiles, columns: { sum: false, spread: false, extremes: false, first: false, trend: false, sketch: false, above: new Set(), below: new Set() } })
  ring.tiles = Math.max(ring.tiles, tiles)
  return ring.columns
}

function addColumns (columns: Columns, aggregate: Aggregate, at: number | undefined): void {
  switch (aggregate) {
    case 'sum': case 'mean': case 'timeWeightedMean': columns.sum = true; return
    case 'variance': case 'deviation': columns.sum = columns.spread = true; return
    case 'slope': columns.sum = columns.trend = true; return
    case 'min': case 'max': case 'range': columns.extremes = true; return
    case 'first': case 'delta': columns.first = true; return
    case 'quantile': columns.sketch = true; return
    case 'timeAbove': columns.above.add(at!); return
    case 'timeBelow': columns.below.add(at!); return
    case 'count': case 'last': case 'distinctCount': case 'timeSinceAbove': case 'timeSinceBelow': // counts, and what is remembered of the whole series
  }
}
