import { CONCEPTS, type ConceptId } from '../../streams/events/index.ts'
import type { DurationMs } from '../../streams/time/index.ts'
import { planViews } from '../compute/index.ts'
import { conceptsOf, membersIn, partsOf, viewFingerprint, viewKey, type Expression, type FeatureView } from '../define/index.ts'
import { explainFeature } from './explain.ts'

export interface CatalogueFeature {
  readonly name: string
  readonly unit: string
  /** The expression in words. */
  readonly meaning: string
  readonly windowsMs: readonly DurationMs[]
  readonly concepts: readonly ConceptId[]
  /** `view@version:feature` of other views that it reads. */
  readonly reads: readonly string[]
  readonly line: number | null
}

/** How sources name a concept. */
export interface CatalogueConcept { readonly id: ConceptId, readonly name: string, readonly unit: string, readonly loinc: readonly string[], readonly mdc: readonly string[], readonly aliases: readonly string[] }

export interface CatalogueView {
  readonly name: string
  readonly version: number
  readonly entity: string
  readonly owner: string
  readonly description: string
  readonly ttlMs: DurationMs
  readonly emit: { readonly everyMs: DurationMs, readonly on: readonly string[], readonly onChange: readonly string[] }
  readonly origin: 'standard' | 'own'
  readonly file: string | null
  readonly line: number | null
  /** `unknown` where no log was looked at. */
  readonly state: 'unpublished' | 'building' | 'live' | 'retired' | 'unknown'
  /** A bare name means it. */
  readonly served: boolean
  readonly fingerprint: string
  /** State a key, at most, if it were planned alone, and what of it device readings take; null where its entity has no series of its own. */
  readonly stateBytes: number | null
  readonly deviceStateBytes: number | null
  readonly dependents: readonly string[]
  readonly concepts: readonly CatalogueConcept[]
  readonly features: readonly CatalogueFeature[]
}

/** What a catalogue is made of, beside the definitions. */
export interface CatalogueSource {
  readonly view: FeatureView
  readonly origin: 'standard' | 'own'
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly lineOf?: (feature: string) => number | undefined
  readonly state: CatalogueView['state']
  readonly served: boolean
}

/** One entry a view, in the order given. */
export function catalogueOf (sources: readonly CatalogueSource[], dependents: readonly { readonly view: string, readonly version: number, readonly by: string }[]): readonly CatalogueView[] {
  return sources.map(source => {
    const { view, origin, file, line, state, served } = source
    const { name, version, entity, owner, description, ttlMs, emit, concepts } = view
    return {
      name, version, entity, owner, description, ttlMs, emit, origin, file: file ?? null, line: line ?? null, state, served,
      fingerprint: viewFingerprint(view),
      ...stateOf(view),
      dependents: [...new Set(dependents.filter(d => d.view === name && d.version === version).map(d => d.by))],
      concepts: concepts.map(conceptOf),
      features: view.names.map((feature, i) => featureOf(feature, view.units[i]!, view.expressions[i]!, source)),
    }
  })
}

export function hasSeries ({ entity }: Pick<FeatureView, 'entity'>): boolean { return entity !== 'ward' && entity !== 'bed' }

function stateOf (view: FeatureView): Pick<CatalogueView, 'stateBytes' | 'deviceStateBytes'> {
  if (!hasSeries(view)) return { stateBytes: null, deviceStateBytes: null }
  const { bytesPerKey, series } = planViews([view])
  return { stateBytes: bytesPerKey, deviceStateBytes: series.reduce((sum, { denseBytesPerKey }) => sum + denseBytesPerKey, 0) }
}

function conceptOf (id: ConceptId): CatalogueConcept {
  const { name, unit, loinc, mdc, aliases } = CONCEPTS[id]
  return { id, name, unit, loinc, mdc, aliases }
}

function featureOf (name: string, unit: string, expression: Expression, { lineOf }: CatalogueSource): CatalogueFeature {
  return {
    name, unit, meaning: explainFeature(expression), windowsMs: [...new Set(windowsOf(expression))].sort((a, b) => a - b), concepts: [...new Set(conceptsOf(expression))],
    reads: [...new Set(membersIn(expression).map(member => `${viewKey(member)}:${member.feature}`))], line: lineOf?.(name) ?? null,
  }
}

function windowsOf (e: Expression): readonly DurationMs[] {
  const own = 'windowMs' in e ? [e.windowMs] : e.op === 'last' && e.withinMs !== undefined ? [e.withinMs] : []
  return [...own, ...partsOf(e).flatMap(windowsOf)]
}
