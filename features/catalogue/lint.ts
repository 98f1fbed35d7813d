import { CONCEPTS, CONCEPT_IDS, isConceptId, type ConceptId } from '../../streams/events/index.ts'
import { formatDuration, type DurationMs } from '../../streams/time/index.ts'
import { planViews } from '../compute/index.ts'
import { partsOf, viewKey, type Expression, type FeatureView } from '../define/index.ts'
import { nearNames } from '../../streams/shapes/index.ts'
import { hasSeries } from './entries.ts'

/** What device readings of one key may take, for all views that are planned together. */
export const STATE_BUDGET_BYTES = 65_536
/** Messages that may cause an emission, beside concepts. */
const KINDS: readonly string[] = ['device', 'charted', 'laboratory']
/** Numerics of monitors, which send each second; what is charted or measured in a laboratory comes minutes to hours apart. */
const EACH_SECOND: ReadonlySet<ConceptId> = new Set(['heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure', 'temperature', 'etco2'])
const CHARTED_EVERY_MS: DurationMs = 15 * 60_000

export type FindingKind = 'ttl-shorter-than-emit' | 'window-finer-than-source' | 'no-description' | 'state-over-budget' | 'same-expression' | 'limit-impossible' | 'emit-unknown' | 'nothing-depends' | 'types'

export interface Finding { readonly kind: FindingKind, readonly view: string, readonly feature: string | null, readonly message: string, readonly file: string | null, readonly line: number | null }

/** A view with what is known of where it stands, and whether anything depends on it. */
export interface Linted {
  readonly view: FeatureView
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly lineOf?: (feature: string) => number | undefined
  readonly dependents: readonly string[]
}

/** What is legal and doubtful. `all` are planned together. */
export function lintViews (all: readonly Linted[]): readonly Finding[] {
  return [...all.flatMap(linted => lintView(linted)), ...sameExpressions(all), ...overBudget(all)]
}

type Say = (kind: FindingKind, feature: string | null, message: string) => Finding
const sayer = ({ view, file, line, lineOf }: Linted): Say => (kind, feature, message) => ({
  kind, view: viewKey(view), feature, message, file: file ?? null, line: (feature === null ? line : lineOf?.(feature) ?? line) ?? null,
})

function lintView (linted: Linted): readonly Finding[] {
  const { view, dependents } = linted
  const say = sayer(linted)
  const { ttlMs, emit, description } = view
  return [
    ...(ttlMs < emit.everyMs ? [say('ttl-shorter-than-emit', null, `its TTL (${formatDuration(ttlMs)}) is shorter than emit.every (${formatDuration(emit.everyMs)}): values expire before the next vector`)] : []),
    ...(description.trim() === '' ? [say('no-description', null, 'it has no description')] : []),
    ...(dependents.length === 0 ? [say('nothing-depends', null, 'no model, rule, service, page or other view reads it')] : []),
    ...emit.on.filter(on => !KINDS.includes(on) && !isConceptId(on)).map(on => say('emit-unknown', null, `emit.on names "${on}", which is neither a concept nor a kind of message${didYouMean(on)}`)),
    ...view.names.flatMap((name, i) => lintExpression(view.expressions[i]!).map(({ kind, message }) => say(kind, name, message))),
  ]
}

function didYouMean (name: string): string {
  const near = nearNames(name, [...KINDS, ...CONCEPT_IDS])
  return near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`
}

interface Doubt { readonly kind: FindingKind, readonly message: string }

function lintExpression (e: Expression): readonly Doubt[] { return [...finerThanSource(e), ...impossibleLimit(e), ...partsOf(e).flatMap(lintExpression)] }

function finerThanSource (e: Expression): readonly Doubt[] {
  if (e.op !== 'window' && e.op !== 'sampled' && e.op !== 'missingRate') return []
  const everyMs = EACH_SECOND.has(e.concept) && !(e.op === 'window' && e.kept === 'sparse') ? 1_000 : CHARTED_EVERY_MS
  const fineMs = e.op === 'missingRate' ? e.everyMs : e.windowMs
  return fineMs >= 2 * everyMs || e.op === 'missingRate' && fineMs >= everyMs ? [] : [{ kind: 'window-finer-than-source', message: `${formatDuration(fineMs)} of ${CONCEPTS[e.concept].name.toLowerCase()}, which comes about every ${formatDuration(everyMs)}` }]
}

/** A limit that no possible value reaches, of a time above or below it or of a comparison. */
function impossibleLimit (e: Expression): readonly Doubt[] {
  const doubt = (concept: ConceptId, limit: number): readonly Doubt[] => {
    const [low, high] = CONCEPTS[concept].possible
    return limit >= low && limit <= high ? [] : [{ kind: 'limit-impossible', message: `the limit ${limit} is outside of what is possible of ${CONCEPTS[concept].name.toLowerCase()} (${low} to ${high} ${CONCEPTS[concept].unit})` }]
  }
  if ((e.op === 'window' || e.op === 'sampled') && e.at !== undefined && e.aggregate !== 'quantile') return doubt(e.concept, e.at)
  if (e.op === 'when' && valueOf(e.of) !== undefined) return doubt(valueOf(e.of)!, e.than)
  if (e.op === 'banded' && valueOf(e.of) !== undefined) return e.bands.flatMap(({ upTo }) => doubt(valueOf(e.of)!, upTo))
  return []
}

/** The concept whose own values an expression has. */
function valueOf (e: Expression): ConceptId | undefined {
  if (e.op === 'last') return e.concept
  if (e.op === 'rounded') return valueOf(e.of)
  return (e.op === 'window' || e.op === 'sampled') && ['mean', 'min', 'max', 'first', 'last', 'quantile', 'timeWeightedMean'].includes(e.aggregate) ? e.concept : undefined
}

/** Within a view, and in views of one name only its newest version counts. */
function sameExpressions (all: readonly Linted[]): readonly Finding[] {
  return all.flatMap(linted => {
    const { view } = linted
    const seen = new Map<string, string>()
    return view.names.flatMap((name, i) => {
      const expression = JSON.stringify(view.expressions[i])
      const before = seen.get(expression)
      if (before === undefined) { seen.set(expression, name); return [] }
      return [sayer(linted)('same-expression', name, `it means the same as ${before}`)]
    })
  })
}

function overBudget (all: readonly Linted[]): readonly Finding[] {
  const planned = all.filter(({ view }) => hasSeries(view))
  return planned.flatMap(linted => {
    const bytes = planViews([linted.view]).series.reduce((sum, { denseBytesPerKey }) => sum + denseBytesPerKey, 0)
    return bytes <= STATE_BUDGET_BYTES ? [] : [sayer(linted)('state-over-budget', null, `its state takes ${Math.ceil(bytes / 1_024)} KB a key, and ${STATE_BUDGET_BYTES / 1_024} KB are the budget: longer samples, or fewer windows`)]
  })
}
